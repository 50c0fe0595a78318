"""What decides a simulated run: the orders, the faults, the delays, and the seed of the order in which things happen."""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from kernel.errors import UsageError
from kernel.guards import Guards
from kernel.loading import DEFAULT, load_saga
from kernel.saga import Saga
from scenarios.campaigns.jobs import Job
from scenarios.campaigns.simulation.world import ADAPTERS, EMBEDDED
from scenarios.catalog.bugs import bugs_of
from scenarios.catalog.index import scenarios_of
from scenarios.faults.json_schema import validator
from scenarios.faults.plan import (
    BROKEN_PROMISES,
    CLOCKS,
    DISTURBANCES,
    HELD,
    ONLY_IN_TRACES,
    Fault,
    FaultPlan,
    Moment,
)
from scenarios.faults.space import ONLY_ONCE
from scenarios.runs.environment import Backends
from scenarios.runs.spec import RunSpec
from scenarios.runs.variety import kinds_of, parse
from scenarios.styles.index import STYLES

SCHEMA = 1
SCHEMA_FILE = "scenarios.campaigns.simulation", "schedule.schema.json"
TIME_SCALE = 0.05
"""Virtual time costs nothing, but what is polled meanwhile does: the shorter the deadlines, the fewer polls."""
MOST_ORDERS = 4
LASTS_S = (0.1, 0.5, 1.0, 3.0, 8.0, 20.0, 75.0)
"""Unscaled: below, around and above the waits of retries, the step deadline of 5 s and the saga deadline of 60 s."""
SCARCE = "scarce"
"""The scenario with too few things, where a saga has one."""
FROM_THE_SECOND = tuple(range(2, 30))
"""Works once, and never again."""
SKEWS_S = (0.005, 0.1, 1.0, 20.0)
SHORTEST_DELAY_S, LONGEST_DELAY_S = 0.01, 10.0
_ASTRAY = (
    Moment.ANSWER_LOST,
    Moment.ANSWER_DELAYED,
    Moment.ANSWER_DUPLICATED,
    Moment.UNEXPECTED_ANSWER,
    Moment.REQUEST_REPLAYED,
)
"""What happens to the answer that turns a saga back."""
_LASTING = HELD | DISTURBANCES | {Moment.SLOW}
_DELAYS = (Moment.REQUEST_DELAYED, Moment.ANSWER_DELAYED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One run under virtual time.

    `seed`: of what is ordered and when. `turns`: seed of the order in which what is ready at one instant runs; None = first
    come, first served. `delays`: how long messages take, where they take any time at all. `bug`: a planted bug, "" = none.
    `adapters`: those that are driven, "embedded" or "real"; see world.py.
    """

    style: str
    scenario: str = "any_ending"
    orders: int = 1
    seed: int = 1
    rate_per_s: float = 100.0
    saga: str = DEFAULT
    variant: str = ""
    """"" = the saga's default."""
    turns: int | None = None
    faults: FaultPlan = field(default_factory=FaultPlan)
    delays: FaultPlan = field(default_factory=FaultPlan)
    guards: str = "all"
    bug: str = ""
    variety: tuple[str, ...] = ()
    """How customers differ: see variety.py."""
    adapters: str = EMBEDDED

    def job(self, key: str = "", *, time_scale: float = TIME_SCALE) -> Job:
        """The same run for any backends."""
        return Job(
            key=key,
            scenario=self.scenario,
            style=self.style,
            orders=self.orders,
            seed=self.seed,
            time_scale=time_scale,
            rate_per_s=self.rate_per_s,
            plan=self.plan,
            guards=self.guards,
            variant=self.variant,
            saga=self.saga,
            bug=self.bug,
            variety=self.variety,
        )

    def order_ids(self) -> list[str]:
        """What its orders are called."""
        orders = self.spec().scenario.orders(
            load_saga(self.saga),
            self.orders,
            seed=self.seed,
            plan=self.whole_plan,
            variety=self.variety,
        )
        return [order.order_id for order in orders]

    def spec(self) -> RunSpec:
        """The run under virtual time."""
        return self.job().spec(Backends())

    @property
    def plan(self) -> FaultPlan:
        """Faults and delays."""
        return self.faults + self.delays

    @property
    def whole_plan(self) -> FaultPlan:
        """The scenario's faults, those of the schedule, and the delays: numbered as in the run's own record."""
        return (
            self._named(scenarios_of(load_saga(self.saga))[self.scenario].faults(self.orders))
            + self.plan
        )

    def is_delay(self, number: int) -> bool:
        """Whether that line of the whole plan is one of the delays."""
        return number >= len(self.whole_plan.faults) - len(self.delays.faults)

    def with_orders_named(self) -> Self:
        """The same with the orders of every line as a list: "every second" is another one when an order is left out."""
        return replace(self, faults=self._named(self.faults), delays=self._named(self.delays))

    def _named(self, plan: FaultPlan) -> FaultPlan:
        lines = []
        for fault in plan.faults:
            struck = [i for i in range(self.orders) if fault.strikes_order(i, seed=self.seed)]
            lines.append(replace(fault, orders=tuple(struck)))
        return FaultPlan(faults=tuple(lines))

    def to_json(self) -> dict[str, Any]:
        """As a JSON document."""
        plans = {"faults": self.faults.to_json(), "delays": self.delays.to_json()}
        return {"schema": SCHEMA, **asdict(self), "variety": list(self.variety), **plans}

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """The schedule in a JSON document. Raise UsageError naming what is wrong."""
        if isinstance(document, dict) and isinstance(document.get("faults"), list):
            raise UsageError("this is a fault plan: give the schedule that lies beside it")
        if error := next(iter(validator(*SCHEMA_FILE).iter_errors(document)), None):
            where = "".join(f", {step}" for step in error.absolute_path)
            raise UsageError(f"the schedule{where}: {error.message}")
        given = {k: v for k, v in document.items() if k != "schema"}
        for name in ("faults", "delays"):
            given[name] = FaultPlan.from_json(given.get(name, FaultPlan().to_json()))
        given["variety"] = parse(
            ",".join(given.get("variety", [])), load_saga(given.get("saga", DEFAULT)), Guards.all()
        )
        schedule = cls(**given)
        schedule._check()
        return schedule.with_orders_named()

    @classmethod
    def read(cls, path: Path) -> Self:
        """The schedule in a file. Raise UsageError naming what is wrong."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"cannot read {path}: {error}") from error
        return cls.from_json(document)

    def _check(self) -> None:
        saga = load_saga(self.saga)
        for name, known in (
            ("style", STYLES), ("scenario", scenarios_of(saga)), ("variant", {"", *saga.variants}),
            ("bug", {"", *bugs_of(saga.address)}), ("adapters", ADAPTERS),
        ):  # fmt: skip
            if (value := getattr(self, name)) not in known:
                raise UsageError(
                    f"the schedule's {name} is {value!r}, not one of: {', '.join(filter(None, known))}"
                )
        Guards.parse(self.guards)
        self.plan.check(saga)


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """From what schedules are drawn. `faults`: fewest and most of them in a run."""

    styles: Sequence[str]
    faults: tuple[int, int]
    seed: int
    saga: str = DEFAULT
    variants: Sequence[str] = ()
    """() = all."""
    guards: str = "all"
    bug: str = ""
    adapters: str = EMBEDDED

    def schedule(self, number: int) -> Schedule:
        """The schedule of this number: the same in every process."""
        chance, saga = random.Random(f"{self.seed}:{number}"), load_saga(self.saga)
        variants = self.variants or tuple(saga.variants)
        style = self.styles[number % len(self.styles)]
        orders = chance.randint(1, MOST_ORDERS)
        faults = _faults(saga, chance, style, orders, wanted=chance.randint(*self.faults))
        return Schedule(
            style=style,
            scenario=SCARCE if self._scarce(saga, orders, chance) else "any_ending",
            orders=orders,
            seed=chance.randrange(2**31),
            rate_per_s=chance.choice((10.0, 100.0, 10_000.0)),
            variant=chance.choice(variants),
            turns=chance.randrange(2**31),
            faults=FaultPlan(faults=tuple(faults)),
            delays=FaultPlan(faults=tuple(_delays(saga, chance, orders))),
            saga=self.saga,
            guards=self.guards,
            bug=self.bug,
            variety=kinds_of(saga),
            adapters=self.adapters,
        )

    @staticmethod
    def _scarce(saga: Saga, orders: int, chance: random.Random) -> bool:
        return orders > 1 and SCARCE in scenarios_of(saga) and chance.random() < 0.2


def _faults(
    saga: Saga, chance: random.Random, style: str, orders: int, *, wanted: int
) -> list[Fault]:
    """Faults that tend to meet: mostly at one order, and often one that makes it compensate."""
    found: list[Fault] = []
    focus = chance.randrange(orders)
    while len(found) < wanted:
        order = focus if chance.random() < 0.8 else chance.randrange(orders)
        turns_back = any(f.operation in saga.forward and f.orders == (order,) for f in found)
        operation = chance.choice(saga.operations if turns_back else saga.forward)
        moment = chance.choice([m for m in Moment if _applies(saga, m, operation, style)])
        if not turns_back and operation in saga.refusable and chance.random() < 0.3:
            moment = Moment.REFUSED
        refused = [f.operation for f in found if f.moment is Moment.REFUSED and f.orders == (order,)]  # fmt: skip
        if refused and chance.random() < 0.2:  # the answer that says so goes astray
            operation, moment = refused[0], chance.choice(_ASTRAY)
            if moment in STYLES[style].moments_without:
                moment = Moment.ANSWER_LOST
        always = moment not in ONLY_ONCE and chance.random() < 0.5
        attempts: Any = "all" if always else (chance.choice((1, 1, 1, 2)),)
        if always and chance.random() < 0.3:
            attempts = FROM_THE_SECOND
        if moment in ONLY_ONCE:
            attempts = (1,)
        found.append(
            Fault(
                orders=(order,),
                operation=operation,
                moment=moment,
                attempts=attempts,
                for_s=_lasts_s(moment, chance),
            )
        )
    return found


def _lasts_s(moment: Moment, chance: random.Random) -> float | None:
    if moment in CLOCKS:
        return chance.choice(SKEWS_S)
    return chance.choice(LASTS_S) if moment in _LASTING else None


def _applies(saga: Saga, moment: Moment, operation: str, style: str) -> bool:
    if moment in BROKEN_PROMISES | ONLY_IN_TRACES or moment in STYLES[style].moments_without:
        return False
    return moment is not Moment.REFUSED or operation in saga.refusable


def _delays(saga: Saga, chance: random.Random, orders: int) -> list[Fault]:
    """Some messages take their time; the others none, and come in any order."""
    found = []
    for order in range(orders):
        for _ in range(chance.choice((0, 0, 1, 2, 4))):
            lasts_s = SHORTEST_DELAY_S * (LONGEST_DELAY_S / SHORTEST_DELAY_S) ** chance.random()
            found.append(
                Fault(
                    orders=(order,),
                    operation=chance.choice((*saga.forward, *saga.operations)),
                    moment=chance.choice(_DELAYS),
                    attempts=(chance.choice((1, 1, 2)),),
                    for_s=float(f"{lasts_s:.2g}"),
                )
            )
    return found
