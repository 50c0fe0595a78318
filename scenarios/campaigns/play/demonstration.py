"""The teacher's demonstration: a second's worth of customers, again and again, under one fault and some safeguards."""

from dataclasses import dataclass, replace
from typing import Any

from kernel.errors import UsageError
from kernel.loading import load_saga
from kernel.orders import CONFIRMED
from kernel.resources import MONEY
from scenarios.campaigns.play.facts import Facts, facts
from scenarios.campaigns.play.gates import REQUEST_ACTS
from scenarios.campaigns.play.setup import Setup
from scenarios.campaigns.simulation.schedule import TIME_SCALE, Schedule
from scenarios.campaigns.simulation.simulated import simulate
from scenarios.faults.plan import CRASHES, DISTURBANCES, Fault, FaultPlan
from scenarios.judge.verdict import BAD, OrderClass

MOST_PER_S = 40
ACTS = {act: moment for act, moment in REQUEST_ACTS.items() if moment not in DISTURBANCES | CRASHES}
"""What strikes one order alone."""
KINDS: tuple[str, ...] = ("committed", "compensated", "parked", "stuck", "wrong")
"""How orders are counted: stuck is open for good, wrong is done twice or half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demonstration:
    """`rate_per_s`: customers in a second. `act`: a fault that strikes `operation` of `share` of them, "" = none."""

    setup: Setup
    rate_per_s: int
    act: str
    operation: str
    share_ratio: float
    seed: int

    @classmethod
    def from_json(cls, document: dict[str, Any], *, saga: str) -> "Demonstration":
        """The demonstration in a JSON object. Raise UsageError with a sentence about the first thing that is wrong."""
        setup = replace(Setup.from_json(document.get("setup"), saga=saga), orders=1, refused="")
        rate, share, seed = (document.get(name) for name in ("rate", "share", "seed"))
        act, operation = document.get("act", ""), document.get("operation", "")
        if type(rate) is not int or not 1 <= rate <= MOST_PER_S:
            raise UsageError(f"the rate is a whole number from 1 to {MOST_PER_S}")
        if not isinstance(share, int | float) or not 0 <= share <= 1:
            raise UsageError("the share of orders that are struck is a number from 0 to 1")
        if type(seed) is not int or not 0 <= seed < 2**31:
            raise UsageError("the seed is a whole number from 0 to 2147483647")
        if act not in ("", *ACTS) or operation not in load_saga(saga).operations:
            raise UsageError(f"there is no fault {act!r:.40} at {operation!r:.40}")
        return cls(
            setup=setup,
            rate_per_s=rate,
            act=act,
            operation=operation,
            share_ratio=float(share),
            seed=seed,
        )

    def schedule(self) -> Schedule:
        """One second of it, played until every order has ended or never will."""
        fault = Fault(
            orders={"share": self.share_ratio},
            operation=self.operation,
            moment=ACTS.get(self.act, next(iter(ACTS.values()))),
        )
        return replace(
            self.setup.schedule(FaultPlan(faults=(fault,) if self.act else ())),
            orders=self.rate_per_s,
            rate_per_s=self.rate_per_s / TIME_SCALE,
            seed=self.seed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """How the customers of one second fared. `at_risk_cents`: money that is not where their orders say it should be."""

    counts: dict[str, int]
    at_risk_cents: int


def second(demonstration: Demonstration) -> Second:
    """Carry one second out."""
    schedule = demonstration.schedule()
    saga, spec = load_saga(schedule.saga), schedule.spec()
    ended = simulate(spec, turns=None).ended
    if ended is None:
        raise UsageError("this run never ended: choose another fault")
    wanted = spec.scenario.orders(saga, spec.orders, seed=spec.seed, plan=spec.plan())
    money = [resource for resource in saga.resources if resource.unit == MONEY]
    counts, at_risk = dict.fromkeys(KINDS, 0), 0
    for order, one in zip(wanted, facts(ended, saga, over=True), strict=True):
        counts[_kind(one)] += 1
        for resource in money:
            due = resource.due(order) if one.status == CONFIRMED else 0
            at_risk += abs(one.net(resource.participant) - due)
    return Second(counts=counts, at_risk_cents=at_risk)


def _kind(order: Facts) -> str:
    """Its kind; what ended late counts by how it ended."""
    if order.order_class == OrderClass.STUCK:
        return "stuck"
    if order.order_class in BAD:
        return "wrong"
    if order.order_class == OrderClass.PARKED:
        return "parked"
    return "committed" if order.status == CONFIRMED else "compensated"
