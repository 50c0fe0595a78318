"""A game as a schedule: what the player did as faults, and how long each message was held as delays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scenarios.campaigns.play.table import Position
from scenarios.campaigns.play.table import play as play_game
from scenarios.campaigns.simulation.schedule import Schedule
from scenarios.campaigns.simulation.simulated import play as simulate
from scenarios.faults.plan import Fault, FaultPlan
from scenarios.runs.driver import Ended

Ends = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """`same`: whether the schedule, simulated without a player, ends as the game did."""

    schedule: Schedule
    same: bool


def exported(position: Position) -> Exported:
    """The schedule of a game, played to its end if it is not over, without the delays that make no difference."""
    if not position.over:
        position = play_game(position.setup, position.choices, on=True)
    wanted = _ends(position.ended)
    schedule = replace(position.schedule, delays=position.held)
    if not _ends_so(schedule, wanted):
        return Exported(schedule=schedule, same=False)
    for kept in _fewer(position.held.faults):
        fewer = replace(schedule, delays=FaultPlan(faults=tuple(kept)))
        if len(kept) < len(schedule.delays.faults) and _ends_so(fewer, wanted):
            schedule = fewer
    return Exported(schedule=schedule, same=True)


def _fewer(delays: Sequence[Fault]) -> list[list[Fault]]:
    """None of them; and then those that are long."""
    return [[one for one in delays if one.lasts_s() > LITTLE_S], []]


LITTLE_S = 0.1


def _ends_so(schedule: Schedule, wanted: Ends) -> bool:
    ended = simulate(schedule).ended
    return ended is not None and _ends(ended) == wanted


def _ends(ended: Ended) -> Ends:
    return tuple((str(order.order_class), order.lied) for order in ended.verdict.orders)
