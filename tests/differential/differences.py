"""Where the embedded engine differs from moto on purpose, why, and what it does: AWS's documents are the judge."""

_FAULT = "AWS documents States.IntrinsicFailure for a function that fails (developer guide, 'Error handling')"
_MISSING = (
    "a path that is not there is States.Runtime, and nothing but ExecutionFailed tells it (recorded sample: of a Pass"
    " state, none of a task); moto tells a failed task"
)
_ABORTED = (
    "recorded sample: TaskStateAborted follows the TaskFailed that ended a branch of a Parallel; none is recorded"
    " of a LambdaFunctionFailed there, which is taken to be alike"
)
_VARIABLE = "moto looks for $name in the input; the States language says that it is a variable"
_OFFSET = "moto compares only times that end in Z; RFC 3339 allows an offset"
_INVALID = (
    "AWS's words for it are widely quoted ('The choice state's condition path references an invalid value');"
    " the recorded sample has no such case"
)

DIFFERENCES = {
    "a result path through a text": "the States language names it States.ResultPathMatchFailure",
    "a result path that does not fit is caught": "the States language names it States.ResultPathMatchFailure",
    "intrinsic: format with escapes": "AWS's guide lets braces be escaped in a text",
    "intrinsic: quotes": "AWS's guide lets quotes be escaped in a text",
    "intrinsic: array": "moto drops a null among the arguments",
    "intrinsic: array range down": "a negative step counts down (AWS's guide forbids only zero)",
    **dict.fromkeys(
        (
            f"broken intrinsic: {name}"
            for name in (
                "an item past the end", "no number", "no list", "no json", "too few values",
                "a partition of zero", "no base64",
            )
        ),
        _FAULT,
    ),
    **dict.fromkeys(
        (
            f"choice: Timestamp{name}Path"
            for name in ("LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals")
        ),
        _OFFSET,
    ),
    "choice: a variable that is not there": _INVALID,
    "choice: an escaped star": "the States language lets a star be escaped in StringMatches",
    "task with parameters that are not there": _MISSING,
    "task with a selector that is not there": _MISSING,
    "what is not there is not caught": _MISSING + "; States.ALL does not match States.Runtime",
    "what is not there is caught by its name": _MISSING + "; no Catch takes it, by its name neither",
    "parallel with parameters": "a path with an index names one value, not a list of one",
    "parallel that fails": _ABORTED,
    "parallel that fails and is caught": _ABORTED,
    "parallel that is retried": _ABORTED,
    "map over no list": "under JSONPath AWS names it States.Runtime; QueryEvaluationError is JSONata's",
    "map over what is not there": "recorded sample: a Map that States.Runtime ends before it starts (by a"
    " MaxConcurrencyPath) has no MapStateFailed; none is recorded for its ItemsPath",
    **dict.fromkeys(
        (
            "a variable", "a variable that is changed", "a part of a variable", "a variable in a choice",
            "a variable from a task", "a variable from a catcher", "a variable seen in a branch",
            "a variable of a choice rule",
        ),
        _VARIABLE,
    ),
}  # fmt: skip
"""Name of a case -> why it ends, or is told, otherwise."""
OURS = {
    "a result path through a text": "States.ResultPathMatchFailure",
    "intrinsic: format with escapes": {"v": "{} text"},
    "intrinsic: array": {"v": [5, "x", True, None, -2]},
    "intrinsic: array range down": {"v": [5, 3, 1]},
    "intrinsic: quotes": {"v": "it's text"},
    "broken intrinsic: an item past the end": "States.IntrinsicFailure",
    "broken intrinsic: no number": "States.IntrinsicFailure",
    "broken intrinsic: no list": "States.IntrinsicFailure",
    "broken intrinsic: no json": "States.IntrinsicFailure",
    "broken intrinsic: too few values": "States.IntrinsicFailure",
    "broken intrinsic: a partition of zero": "States.IntrinsicFailure",
    "broken intrinsic: no base64": "States.IntrinsicFailure",
    "choice: TimestampLessThanPath": "yes",
    "choice: TimestampGreaterThanPath": "no",
    "choice: TimestampLessThanEqualsPath": "yes",
    "choice: TimestampGreaterThanEqualsPath": "no",
    "choice: a variable that is not there": "States.Runtime",
    "choice: an escaped star": "yes",
    "task with parameters that are not there": "States.Runtime",
    "task with a selector that is not there": "States.Runtime",
    "what is not there is not caught": "States.Runtime",
    "what is not there is caught by its name": "States.Runtime",
    "a result path that does not fit is caught": "States.ResultPathMatchFailure",
    "parallel with parameters": {"first": 5},
    "parallel that fails": "Boom",
    "parallel that fails and is caught": "Boom",
    "parallel that is retried": [{"id": "parallel"}],
    "map over no list": "States.Runtime",
    "map over what is not there": "States.Runtime",
    "a variable": {"v": 5},
    "a variable that is changed": {"v": 2},
    "a part of a variable": {"v": 2},
    "a variable in a choice": "yes",
    "a variable from a task": {"v": 5},
    "a variable from a catcher": {"v": "Boom"},
    "a variable seen in a branch": [{"v": 1}],
    "a variable of a choice rule": {"v": 5},
}
"""Name of the same case -> what the embedded engine makes of it: its output, or the error it ends with."""
