"""An open loop of customers over one run, read from its ledgers: latency from the intended start, nobody left out."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.usage import Usage, watched
from kernel.errors import Failure
from kernel.ledger import Effect
from kernel.policy import Policy
from scenarios.catalog.index import scenarios_of
from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.judge.verdict import Judgement
from scenarios.runs.arrivals import offsets_s
from scenarios.runs.environment import Backends
from scenarios.runs.folder import read_json, read_lines
from scenarios.runs.runner import run
from scenarios.runs.scenario import COMPENSATED, every
from scenarios.runs.spec import RunSpec
from scenarios.runs.workload import ServiceTimes
from shared_domain.order.saga import SAGA

QUIET_S = 0.4
"""Nothing is broken here, so nothing wakes up late: a run is over when nothing is under way, and this long after."""
FAILING = FaultPlan(
    faults=(Fault(orders={"every": 10}, operation=SAGA.turning().name, moment=Moment.REFUSED),)
)
"""Every tenth order turns back at the last step that can refuse: three compensations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One open loop. `warm_s`, `measure_s`, `cool_s`: only customers meant to come in the middle window count."""

    style: str
    rate_per_s: float
    warm_s: float
    measure_s: float
    cool_s: float
    scenario: str = "base_mix"
    service_times: ServiceTimes | None = None
    arrivals: str = "poisson"
    failing: bool = False
    trace_sampling: float = 0.0

    def offsets_s(self, seed: int) -> list[float]:
        """When customers come, in all three windows: at least one."""
        lasts_s = self.warm_s + self.measure_s + self.cool_s
        many = int(2 * self.rate_per_s * lasts_s) + 50
        drawn = offsets_s(self.arrivals, many, rate_per_s=self.rate_per_s, seed=seed)
        return [at for at in drawn if at < lasts_s] or drawn[:1]


@dataclass(slots=True, kw_only=True)
class Loaded:
    """What became of those who were meant to come in the measured window. All in seconds, from ledgers."""

    offered_per_s: float
    as_expected: bool = True
    """Whether every order ended as its description says: none late, none given up for lack of time."""
    came: int = 0
    """Customers who meant to come within the window."""
    ended: int = 0
    """Sagas that ended within it, whenever they began."""
    good: int = 0
    """Those of them that ended as their description says: not given up for lack of time."""
    not_as_expected: int = 0
    """Orders of the whole run that did not end so, or not at all."""
    drain_s: float = 0.0
    """From the last customer until the last order had ended."""
    latency_s: list[float] = field(default_factory=list)
    """Intended start to final row, of those that ended."""
    censored: int = 0
    """Not ended when the run was."""
    compensation_s: list[float] = field(default_factory=list)
    """The refusal to the last undo."""
    lateness_s: list[float] = field(default_factory=list)
    """How much later than intended customers began: the client's own lack of time."""
    waiting: dict[str, int] = field(default_factory=dict)
    """Operation -> sagas for which it came next at the end of the window, or that were in it."""
    cpu_ms_per_saga: dict[str, float] = field(default_factory=dict)
    """Process -> CPU within the window, by sagas that ended in it."""
    cores_busy: dict[str, float] = field(default_factory=dict)
    """Process -> cores that it kept busy within the window."""
    memory_mib: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For the journal."""
        return asdict(self)


async def loaded(
    load: Load, *, backends: Backends, seed: int, durability: str, folder: Path
) -> tuple[Loaded, Path]:
    """Carry it out; what was found, and the run's folder. Raise Failure if the run is not consistent to the last saga."""
    scenario = scenarios_of(SAGA)[load.scenario]
    extra = FaultPlan()
    if load.failing:
        scenario = replace(scenarios_of(SAGA)["any_ending"], expects=every(10, COMPENSATED))
        extra = FAILING
    offsets = load.offsets_s(seed)
    spec = RunSpec(
        saga=SAGA,
        variant=SAGA.variant,
        scenario=scenario,
        style=load.style,
        orders=len(offsets),
        seed=seed,
        backends=backends,
        rate_per_s=load.rate_per_s,
        time_scale=1.0,
        durability=durability,
        extra_plan=extra,
        evidence=load.trace_sampling > 0,
        trace_sampling=load.trace_sampling,
        arrivals=load.arrivals,
        customers_apart=backends.pair == "real",
        service_times=load.service_times,
        rules=Policy(settled_after_s=QUIET_S),
    )
    async with watched() as used:
        result = await run(spec, runs=folder, facts={})
    if result.verdict.judgement != Judgement.CONSISTENT and not result.verdict.overloaded():
        why = "; ".join(result.verdict.problems) or str(result.verdict.counts())
        raise Failure(f"the run was {result.verdict.judgement}: {why}")
    found = read_load(load, result.folder, used, first_s=offsets[0], expects=scenario.expects)
    found.as_expected = result.verdict.as_expected
    return found, result.folder


def read_load(
    load: Load,
    folder: Path,
    used: Usage,
    *,
    first_s: float,
    expects: Callable[[int], frozenset[str]],
) -> Loaded:
    """The measured window of a run, read from its folder. `first_s`: delay of the first customer after the start of the run;
    `expects`: the allowed classes of the order with this index.
    """
    lines = list(read_lines(folder / "orders.jsonl"))
    begun = min(line["intended_mono_s"] for line in lines) - first_s
    opens, closes = begun + load.warm_s, begun + load.warm_s + load.measure_s
    verdict = read_json(folder / "verdict.json")
    timings = {t["order_id"]: t for t in verdict["timing"]["orders"]}
    classes = {o["order_id"]: o["order_class"] for o in verdict["orders"]}
    rows = rows_by_order(folder)
    found, waiting = Loaded(offered_per_s=load.rate_per_s), Counter[str]()
    last_ended = last_came = 0.0
    for index, line in enumerate(lines):
        order_id, intended = line["order"]["order_id"], line["intended_mono_s"]
        latency = timings[order_id]["latency_s"]
        ended = None if latency is None else intended + latency
        within = ended is not None and opens <= ended < closes
        as_expected = classes[order_id] in expects(index)
        found.ended += within
        found.good += within and as_expected
        found.not_as_expected += not as_expected
        last_came, last_ended = max(last_came, intended), max(last_ended, ended or 0.0)
        if intended < closes and (ended is None or ended >= closes):
            waiting[_next(rows.get(order_id, []), closes)] += 1
        if not opens <= intended < closes:
            continue
        found.came += 1
        if latency is None:
            found.censored += 1
        else:
            found.latency_s.append(latency)
        if (undoing := compensation_s(rows.get(order_id, []))) is not None:
            found.compensation_s.append(undoing)
        if line["started_mono_s"] is not None:
            found.lateness_s.append(line["started_mono_s"] - intended)
    found.drain_s = max(0.0, last_ended - last_came)
    found.waiting = dict(waiting)
    found.cores_busy = used.cores_busy(opens, closes)
    spent_ms = {name: 1000 * cores * load.measure_s for name, cores in found.cores_busy.items()}
    found.cpu_ms_per_saga = {name: ms / max(1, found.ended) for name, ms in spent_ms.items()}
    found.memory_mib = used.memory_mib
    return found


def rows_by_order(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Every order's ledger rows, oldest first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in read_lines(folder / "ledgers.jsonl"):
        if row["table"] == "ledger":
            found.setdefault(row["order_id"], []).append(row)
    return {order_id: sorted(rows, key=lambda r: r["mono_s"]) for order_id, rows in found.items()}


def compensation_s(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """From the first row that says that the saga turns back to its last one; None if it did not turn back."""
    turned = [r["mono_s"] for r in rows if r["effect"] in (Effect.REFUSED, Effect.GAVE_UP)]
    return rows[-1]["mono_s"] - turned[0] if turned else None


def _next(rows: list[dict[str, Any]], at: float) -> str:
    """The operation that a saga on its way forward waited for at a moment; `compensation` if it had turned back."""
    before = [row for row in rows if row["mono_s"] < at]
    if any(row["effect"] != Effect.DONE for row in before):
        return "compensation"
    done = {row["operation"] for row in before}
    return next((step for step in SAGA.forward if step not in done), "nothing")
