"""Delta debugging: the fewest orders, faults and delays, and the simplest of each, under which the same thing is still wrong."""

from collections.abc import Iterator
from dataclasses import replace

from scenarios.campaigns.simulation.finding import Finding, finding
from scenarios.campaigns.simulation.schedule import Schedule
from scenarios.campaigns.simulation.simulated import play
from scenarios.faults.plan import FaultPlan

MOST_TRIES = 2000


def shrink(found: Finding) -> Finding:
    """The smallest finding that one comes to by leaving things out; it breaks one of the same rules."""
    rules, tries = set(found.rules), 0
    smaller = True
    while smaller and tries < MOST_TRIES:
        smaller = False
        for candidate in _simpler(found.schedule):
            tries += 1
            again = look(candidate)
            if again is not None and rules & set(again.rules):
                found, smaller = again, True
                break
    return found


def look(schedule: Schedule) -> Finding | None:
    """What is wrong under this schedule, if anything."""
    return finding(schedule, play(schedule))


def _simpler(schedule: Schedule) -> Iterator[Schedule]:
    """What could be left out or made plainer, the most first."""
    if schedule.delays.faults:
        yield replace(schedule, delays=FaultPlan())
    if len(schedule.variety) > 1:
        yield replace(schedule, variety=())
    for index in range(schedule.orders):
        if schedule.orders > 1:
            yield _without_order(schedule, index)
    for smaller in _fewer(schedule.faults):
        yield replace(schedule, faults=smaller)
    for smaller in _fewer(schedule.delays):
        yield replace(schedule, delays=smaller)
    usual = Schedule(style=schedule.style)
    for kind in schedule.variety:
        yield replace(schedule, variety=tuple(k for k in schedule.variety if k != kind))
    for name in ("scenario", "variant", "turns", "rate_per_s", "seed"):
        if getattr(schedule, name) != getattr(usual, name):
            yield replace(schedule, **{name: getattr(usual, name)})
    for plainer in _plainer(schedule.faults):
        yield replace(schedule, faults=plainer)


def _fewer(plan: FaultPlan) -> Iterator[FaultPlan]:
    for number in range(len(plan.faults)):
        yield FaultPlan(faults=plan.faults[:number] + plan.faults[number + 1 :])


def _plainer(plan: FaultPlan) -> Iterator[FaultPlan]:
    for number, fault in enumerate(plan.faults):
        for changes in ({"attempts": (1,)}, {"for_s": None}):
            plain = replace(fault, **changes)
            if plain != fault:
                yield FaultPlan(faults=(*plan.faults[:number], plain, *plan.faults[number + 1 :]))


def _without_order(schedule: Schedule, index: int) -> Schedule:
    return replace(
        schedule,
        orders=schedule.orders - 1,
        faults=_closed_up(schedule.faults, index),
        delays=_closed_up(schedule.delays, index),
    )


def _closed_up(plan: FaultPlan, gone: int) -> FaultPlan:
    """The plan without what strikes that order; later ones move up."""
    kept = []
    for fault in plan.faults:
        orders = tuple(i - (i > gone) for i in fault.orders if i != gone)
        if orders:
            kept.append(replace(fault, orders=orders))
    return FaultPlan(faults=tuple(kept))


def size(schedule: Schedule) -> tuple[int, int, int]:
    """(orders, faults, delays)."""
    return schedule.orders, len(schedule.faults.faults), len(schedule.delays.faults)
