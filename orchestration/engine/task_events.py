"""What the events of a task say, and how long it may take: for tasks that answer and tasks that are waited for."""

from dataclasses import dataclass, field
from typing import Any

from orchestration.engine.entered import Entered
from orchestration.engine.errors import EvaluationFault, Fault, StatesError
from orchestration.engine.history import Event
from orchestration.engine.limits import MAX_NUMBER
from orchestration.engine.query import ABSENT
from orchestration.engine.text import parsed, text

REGION = "us-east-1"
"""Where everything is, as events and ARNs say."""


@dataclass(frozen=True, slots=True)
class Family:
    """How the events of a kind of task are named, and what each of them says."""

    prefix: str
    told: dict[str, Any] = field(default_factory=dict)

    def record(self, entered: Entered, what: str, details: dict[str, Any]) -> Event:
        """Record `prefix``what`, with its details."""
        kind, said = f"{self.prefix}{what}", details | self.told
        name = f"{kind[0].lower()}{kind[1:]}EventDetails" if said or what == "Failed" else ""
        if self.prefix == "LambdaFunction" and what == "Started":
            name = ""
        return entered.branch.record(kind, name, said)


@dataclass(frozen=True, slots=True)
class Limits:
    """TimeoutSeconds and HeartbeatSeconds of a task."""

    timeout_s: float | None
    heartbeat_s: float | None

    def told(self) -> dict[str, Any]:
        """As events tell them."""
        found = {"timeoutInSeconds": self.timeout_s, "heartbeatInSeconds": self.heartbeat_s}
        return {name: value for name, value in found.items() if value is not None}

    def scaled(self, scale: float) -> "Limits":
        """In real seconds."""
        timeout_s = None if self.timeout_s is None else self.timeout_s * scale
        heartbeat_s = None if self.heartbeat_s is None else self.heartbeat_s * scale
        return Limits(timeout_s, heartbeat_s)


def limits_of(entered: Entered) -> Limits:
    """What the state allows. Raise States.Runtime, under JSONata States.QueryEvaluationError, if it is no number of seconds."""
    scope = entered.scope()
    found = [
        entered.query.value(entered.state, name, entered.data, scope)
        for name in ("TimeoutSeconds", "HeartbeatSeconds")
    ]
    for name, value in zip(("TimeoutSeconds", "HeartbeatSeconds"), found, strict=True):
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is ABSENT or (whole and 1 <= value <= MAX_NUMBER):
            continue
        told = f"The {name} field must be a positive integer: {text(value)}"
        if entered.language == "JSONata":
            raise EvaluationFault(told, location=name)
        raise Fault("States.Runtime", told)
    return Limits(*(None if value is ABSENT else value for value in found))


def left_s(entered: Entered, scheduled: Event, scaled: Limits) -> float | None:
    """Seconds until a task that was scheduled by this event times out; None = never."""
    if scaled.timeout_s is None:
        return None
    return scheduled.at_s + scaled.timeout_s - entered.branch.shared.clock.wall_s()


def result_of(event: Event) -> Any:
    """The result that an outcome's event holds. Raise StatesError if it is a failure."""
    details: dict[str, Any] = next(iter(event.details.values()), {})
    if event.type.endswith(("Failed", "TimedOut")):
        raise StatesError(details.get("error"), details.get("cause"))
    return parsed(details["output"])
