"""How long a Wait state waits. Source: Amazon States Language, "Wait State"; AWS's messages."""

from typing import Any

from orchestration.engine.choice import as_time
from orchestration.engine.entered import Entered
from orchestration.engine.errors import EvaluationFault, Fault
from orchestration.engine.limits import MAX_DELAY_S, MAX_NUMBER
from orchestration.engine.paths import Scope
from orchestration.engine.text import text


def seconds(entered: Entered, data: Any, scope: Scope) -> float:
    """How long, unscaled, Seconds or SecondsPath tells to wait. Raise Fault if it is no such number."""
    state = entered.state
    value = entered.query.value(state, "Seconds", data, scope)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if entered.language == "JSONata" and not (whole and 0 <= value <= MAX_NUMBER):
        raise EvaluationFault(
            f"The Seconds field must be a whole number from 0 to {MAX_NUMBER}: {text(value)}",
            location="Seconds",
        )
    if not whole:
        raise Fault(
            "States.Runtime",
            "The SecondsPath parameter cannot be parsed as a long value:"
            f" {state.get('SecondsPath')} == {value if isinstance(value, str) else text(value)}",
        )
    if value < 0:
        raise Fault(
            "States.Runtime",
            f"The SecondsPath parameter references a negative value: {state.get('SecondsPath')} == {value}",
        )
    if value > MAX_DELAY_S:
        raise Fault("States.Runtime", "Wait state delay is too long.")
    return float(value)


def due_s(entered: Entered, data: Any, scope: Scope) -> float:
    """When a wait until Timestamp or TimestampPath ends, as a wall time. Raise Fault if it is no moment.

    From the entry of the state on the time until then is scaled.
    """
    state, clock = entered.state, entered.branch.shared.clock
    value = entered.query.value(state, "Timestamp", data, scope)
    moment = as_time(value)
    if moment is None and entered.language == "JSONata":
        raise EvaluationFault(
            "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string:"
            f" {value if isinstance(value, str) else text(value)}",
            location="Timestamp",
        )
    if moment is None:
        raise Fault(
            "States.Runtime",
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format"
            f" string: {state.get('TimestampPath')} == {value if isinstance(value, str) else text(value)}",
        )
    left_s = moment.timestamp() - clock.wall_s()
    if left_s > MAX_DELAY_S:
        raise Fault("States.Runtime", "Wait state delay is too long.")
    started_s = entered.event.at_s
    return started_s + (moment.timestamp() - started_s) * entered.branch.shared.time_scale
