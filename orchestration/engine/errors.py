"""What can go wrong in an execution (States language errors) and in a call to the API."""

from orchestration.engine.limits import MAX_CAUSE, MAX_ERROR


class StatesError(Exception):
    """An error of the language, with AWS's name, that Retry and Catch can see.

    `heartbeat`: a States.Timeout that States.HeartbeatTimeout names too.
    """

    heartbeat = False
    at_event = 0
    """In a branch: the last event of it, which tells what failed first."""

    def __init__(self, error: str | None, cause: str | None = None) -> None:
        super().__init__(error, cause)
        self.error = error if error is None else error[:MAX_ERROR]
        self.cause = cause if cause is None else cause[:MAX_CAUSE]


class Fault(StatesError):
    """An error that the engine itself finds in a state; its cause is then told with the state's name."""

    located = False


class EvaluationFault(Fault):
    """States.QueryEvaluationError: leaves an EvaluationFailed event."""

    def __init__(self, cause: str, *, location: str = "") -> None:
        super().__init__("States.QueryEvaluationError", cause)
        self.location = location


class Ended(StatesError):
    """Ends the execution; no Retry or Catch sees it (a broken limit of the service)."""


class BranchAborted(Exception):
    """A branch has nothing recorded left, and its Parallel or Map is over: it must not go on."""


class ApiError(Exception):
    """A refused API call: AWS's error code and a message. The effect is definite: none."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


class HistoryDamaged(Exception):
    """The history file is not one of this engine, or does not fit its definition. It is left untouched."""
