"""A game as a schedule: what the player did as faults, and how long each message was held as delays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scenarios.campaigns.play.table import Position
from scenarios.campaigns.play.table import play as play_game
from scenarios.campaigns.simulation.schedule import LONGEST_DELAY_S, Schedule
from scenarios.campaigns.simulation.simulated import play as simulate
from scenarios.faults.plan import HELD, Fault, FaultPlan
from scenarios.runs.driver import Ended

Ends = tuple[tuple[str, bool], ...]
"""Of each order: its class, and whether the customer was lied to."""
LITTLE_S = 0.1
MARGIN_S = 6.0
"""Twice the time between two looks at the saga deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """`ends`: how each order ends when the schedule is simulated without a player. `same`: whether that is how the game ended.

    Not everything can be said in a schedule: of two copies of a request that are at a service at once, only both can be struck.
    And whoever replays a schedule redrives what is parked, which a player does not.
    """

    schedule: Schedule
    ends: Ends
    same: bool


def exported(position: Position) -> Exported:
    """The schedule of a game, played to its end if it is not over, without the delays that make no difference."""
    if not position.over:
        position = play_game(position.setup, position.choices, on=True)
    wanted = _ends(position.ended)
    delays, faults = _by_length(position.held)
    schedule = position.schedule
    schedule = replace(schedule, faults=schedule.faults + faults, delays=delays)
    ends = _simulated(schedule)
    if ends != wanted:
        return Exported(schedule=schedule, ends=ends, same=False)
    for kept in _fewer(delays.faults):
        fewer = replace(schedule, delays=FaultPlan(faults=tuple(kept)))
        if len(kept) < len(schedule.delays.faults) and _simulated(fewer) == wanted:
            schedule = fewer
    longer = replace(schedule, faults=_longer(schedule.faults))
    if longer != schedule and _simulated(longer) == wanted:
        schedule = longer
    return Exported(schedule=schedule, ends=ends, same=True)


def _by_length(held: FaultPlan) -> tuple[FaultPlan, FaultPlan]:
    """What takes no longer than a message may, and what is a fault."""
    long = [one for one in held.faults if one.lasts_s() > LONGEST_DELAY_S]
    short = [one for one in held.faults if one.lasts_s() <= LONGEST_DELAY_S]
    return FaultPlan(faults=tuple(short)), FaultPlan(faults=tuple(long))


def _longer(faults: FaultPlan) -> FaultPlan:
    """The same, with what is held long held a little longer: on real backends a deadline is noticed later than in a game."""
    return FaultPlan(
        faults=tuple(
            replace(one, for_s=one.lasts_s() + MARGIN_S) if one.moment in HELD else one
            for one in faults.faults
        )
    )


def _fewer(delays: Sequence[Fault]) -> list[list[Fault]]:
    """None of them; and then those that are long."""
    return [[one for one in delays if one.lasts_s() > LITTLE_S], []]


def _simulated(schedule: Schedule) -> Ends:
    ended = simulate(schedule).ended
    return _ends(ended) if ended is not None else ()


def _ends(ended: Ended) -> Ends:
    return tuple((str(order.order_class), order.lied) for order in ended.verdict.orders)
