"""A simulated run as a story: numbered steps in words, and what is wrong in the end."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from kernel.loading import load_saga
from scenarios.campaigns.simulation.finding import Finding
from scenarios.campaigns.simulation.schedule import TIME_SCALE, Schedule
from scenarios.campaigns.simulation.simulated import Simulated
from scenarios.catalog.bugs import bugs_of
from scenarios.faults.plan import MEANING, Fault

MOST_ALIKE = 4
"""Most steps of one kind that are told."""
_STAMP, _NUMBER = 11, re.compile(r"(?<![\w-])\d+")
_FAILED = {
    "CancelledError": "is given up",
    "OutcomeUnknown": "brings no answer",
    "NotDelivered": "does not arrive",
    "ParticipantCrashed": "ends in the participant's death",
    "StillParked": "waits for an operator",
}
_CUSTOMER = "place order"


def story(schedule: Schedule, simulated: Simulated, found: Finding | None) -> list[str]:
    """The whole story, line by line."""
    orders = "One order" if schedule.orders == 1 else f"{schedule.orders} orders"
    about = [
        f"{orders} in the {schedule.style}, {schedule.variant or load_saga(schedule.saga).variant}",
        "too few units" if schedule.scenario == "scarce" else "",
        f"guards {schedule.guards}" if schedule.guards != "all" else "",
        f"customers differ in {', '.join(schedule.variety)}" if schedule.variety else "",
        f"with the planted bug {schedule.bug} ({bugs_of(schedule.saga)[schedule.bug].words})"
        if schedule.bug
        else "",
    ]
    return [
        ", ".join(filter(None, about)) + ".",
        *_plan_in_words(schedule, simulated),
        "",
        *steps(schedule, simulated),
        "",
        *(f"Wrong: {why}." for why in (found.why if found else ())),
        *([] if found else ["Nothing is wrong."]),
    ]


def _plan_in_words(schedule: Schedule, simulated: Simulated) -> Iterator[str]:
    """Faults and delays, and whether they struck at all."""
    struck = {entry[2] for entry in simulated.log if entry[1] == "struck"}
    ids = schedule.order_ids()
    for number, fault in enumerate(schedule.whole_plan.faults):
        kind = "Delay" if schedule.is_delay(number) else "Fault"
        yield f"{kind}: {_fault_in_words(fault, ids)}{'' if number in struck else ' (it found no occasion)'}."


def _fault_in_words(fault: Fault, ids: list[str]) -> str:
    match fault.attempts:
        case "all":
            times = "every time"
        case (1,):
            times = "the first time"
        case (*numbers,):
            times = f"at attempt {', '.join(map(str, numbers))}"
        case _:
            times = "now and then"
    who = ", ".join(ids[index] for index in fault.orders) or "no order of this run"
    return f"{who}, {fault.operation}, {times}: {_meaning(fault)}"


def _meaning(fault: Fault) -> str:
    return MEANING[fault.moment].replace("for_s", f"{fault.lasts_s():g} s")


def steps(schedule: Schedule, simulated: Simulated) -> list[str]:
    """What happened, numbered; times are seconds of the policy, from the first order on."""
    return [f"{number:>3}. {line}" for number, line in _numbered(_lines(schedule, simulated))]


def _numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; of those that only repeat others, with another time or attempt, the first few."""
    seen: Counter[str] = Counter()
    left_out = number = 0
    for number, line in enumerate(lines, 1):
        kind = _NUMBER.sub("#", line[_STAMP:])
        seen[kind] += 1
        if seen[kind] > MOST_ALIKE:
            left_out += 1
            continue
        if left_out:
            yield number - 1, f"{'':{_STAMP}}... {left_out} more steps of these kinds"
            left_out = 0
        yield number, line
    if left_out:
        yield number, f"{'':{_STAMP}}... {left_out} more steps of these kinds"


def _lines(schedule: Schedule, simulated: Simulated) -> Iterator[str]:
    entries = sorted(
        [*simulated.log, *_rows(schedule, simulated)], key=lambda entry: float(entry[0])
    )
    begun = next((e[0] for e in entries if e[1] == "called" and e[3] == _CUSTOMER), 0.0)
    faults = schedule.whole_plan.faults
    changed: dict[tuple[str, str], bool] = {}
    """(order, call) -> whether a row has come of it."""
    previous = ""
    for at_s, what, *rest in entries:
        line = ""
        if what == "called":
            order_id, name = rest
            changed[order_id, name] = False
        elif what == "row":
            order_id, name, line = rest
            changed[order_id, name] = True
        elif what in ("returned", "failed"):
            order_id, name = rest[:2]
            line = _ending(name, *rest[2:], changed=changed.pop((order_id, name), False))
        elif what == "redriven":
            order_id, operation = rest
            line = f"the faults are over, and an operator sends {operation or 'it'} on"
        elif what == "struck":
            number, order_id, operation, attempt = rest[:4]
            line = f"  * {operation}, attempt {attempt}: {_meaning(faults[number])}"
        if line:
            whose = f"{order_id}: " if schedule.orders > 1 else ""
            stamp = f"{max(0.0, at_s - begun) / TIME_SCALE:.2f} s"
            yield f"{stamp if stamp != previous else '':>{_STAMP - 2}}  {whose}{line}"
            previous = stamp


def _ending(name: str, failure: str = "", *, changed: bool) -> str:
    """How a call ended, unless the row that came of it has said so."""
    if failure:
        how = _FAILED.get(failure, f"fails with {failure}")
        return f"{name} {how}, though it was done" if changed else f"{name} {how}"
    if name == _CUSTOMER:
        return "the customer is told that the order is accepted"
    return "" if changed else f"{name} is answered as before"


def _rows(schedule: Schedule, simulated: Simulated) -> Iterator[tuple[Any, ...]]:
    """The ledgers' rows as entries of the log."""
    if simulated.ended is None:
        return
    saga = load_saga(schedule.saga)
    units = {resource.participant: resource.unit for resource in saga.resources}
    for name in saga.services:
        for row in simulated.ended.ledgers[name]["ledger"]:
            delta = f" ({row['delta']:+d} {units.get(name, '')})" if row["delta"] else ""
            call, cause = f"{name} {row['operation']}", row["caused_by"].rpartition(":")[2]
            line = f"{call}, because of {cause}: {row['effect']}{delta}, answers {row['answer']}"
            yield row["mono_s"], "row", row["order_id"], call, line
