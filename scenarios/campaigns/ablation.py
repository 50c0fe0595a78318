"""Every safeguard off, one at a time, under every scenario: what each of them prevents, and in which style."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kernel.guards import OFF
from kernel.loading import load_saga
from kernel.saga import Saga
from scenarios.campaigns.jobs import Job, run_jobs
from scenarios.campaigns.outcome import SEVERITY, Outcome
from scenarios.catalog.index import scenarios_of
from scenarios.judge.verdict import BROKEN_LAW, LIED, Judgement, OrderClass
from scenarios.runs.backends import as_options, which_options
from scenarios.runs.environment import Backends
from scenarios.runs.scenario import Scenario
from scenarios.styles.index import STYLES

ALL, NONE = "all", "none"
NO_DAMAGE = ""
ANYTHING = "any_ending"
WRONG_SHARE = "otherwise than told"
"""Every order ended in a class that its scenario allows, but not all of them together."""
DAMAGES = (*map(str, SEVERITY), WRONG_SHARE)
"""From the worst on."""
_WELL_ENDED: dict[str, str] = {
    OrderClass.COMPENSATED: "compensated in vain",
    OrderClass.COMMITTED: "committed all the same",
}


def telling(saga: Saga) -> list[str]:
    """The scenarios that can show a damage: one in which anything may happen shows none."""
    return [name for name in scenarios_of(saga) if name != ANYTHING]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablated:
    """One cell of the matrix: a scenario in one style without a guard ("none" = without any, "all" = with all of them).

    `damage`: the worst thing that the scenario does not expect, in the order of SEVERITY; "" = nothing. `k` of `n` orders have it.
    """

    guard: str
    scenario: str
    style: str
    counterpart: bool
    damage: str = NO_DAMAGE
    k: int = 0
    n: int = 0
    rules: tuple[str, ...] = ()
    replay: str = ""
    unknown: bool = False
    """Whether a run of it failed, hung, or lacked a fault, so that nothing may be concluded from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """What decides the runs."""

    saga: str
    styles: list[str]
    scenarios: list[str]
    broker: str
    engine: str
    orders: int
    seeds: list[int]
    rate_per_s: float
    time_scale: float

    def command(self) -> str:
        """What runs the same again."""
        every = self.scenarios == telling(load_saga(self.saga))
        parts = ["saga ablate", *([] if every else self.scenarios)]
        parts.append(f"--orders {self.orders} --seed {min(self.seeds)} --repeat {len(self.seeds)}")
        parts.append(f"--rate {self.rate_per_s:g} --time-scale {self.time_scale:g}")
        parts.append(as_options(self.broker, self.engine))
        return " ".join(parts + which_options(self.styles, self.saga))


def jobs_of(ablation: Ablation) -> list[Job]:
    """Every run; a guard without counterpart in a style is not run there. "all" is the control."""
    saga = load_saga(ablation.saga)
    scenarios = scenarios_of(saga)
    return [
        Job(
            saga=ablation.saga,
            key=_key(guard, scenario, style, seed),
            scenario=scenario,
            style=style,
            orders=ablation.orders,
            seed=seed,
            time_scale=ablation.time_scale,
            rate_per_s=ablation.rate_per_s,
            guards=guard if guard in (ALL, NONE) else f"-{guard}",
        )
        for guard in (ALL, *OFF, NONE)
        for scenario in ablation.scenarios
        for style in ablation.styles
        for seed in ablation.seeds
        if _has_counterpart(guard, scenarios[scenario], style, ablation.orders)
    ]


def run_ablation(ablation: Ablation, folder: Path, *, done: Callable[[], None]) -> list[Ablated]:
    """The whole matrix. Runs with damage keep their folders."""
    outcomes: dict[str, Outcome] = {}
    jobs = {job.key: job for job in jobs_of(ablation)}
    scenarios = scenarios_of(load_saga(ablation.saga))

    def note(outcome: Outcome) -> None:
        outcomes[outcome.key] = outcome
        done()

    pair = Backends(broker=ablation.broker, engine=ablation.engine).pair
    run_jobs(
        list(jobs.values()),
        broker=ablation.broker,
        engine=ablation.engine,
        at_once=8 if pair == "embedded" else 1,
        runs=folder / "runs",
        keep=lambda outcome: (
            damage_of(scenarios[jobs[outcome.key].scenario], outcome)[0] != NO_DAMAGE
            or _unknown(outcome)
        ),
        done=note,
    )
    return [
        _cell(load_saga(ablation.saga), guard, scenario, style, [
            outcomes[key]
            for seed in ablation.seeds
            if (key := _key(guard, scenario, style, seed)) in outcomes
        ])
        for guard in (ALL, *OFF, NONE)
        for scenario in ablation.scenarios
        for style in ablation.styles
    ]  # fmt: skip


def damage_of(scenario: Scenario, outcome: Outcome) -> tuple[str, int]:
    """The worst thing in a run that its scenario does not expect, and at how many orders."""
    expects = scenario.expects
    surprises: list[str] = []
    if scenario.check([order_class for order_class, _, _ in outcome.orders]):
        surprises.append(WRONG_SHARE)
    for index, (order_class, lied, _) in enumerate(outcome.orders):
        if order_class not in expects(index):
            surprises.append(order_class)
        if lied:
            surprises.append(LIED)
    if outcome.laws:
        surprises.append(BROKEN_LAW)
    worst = _worst(surprises)
    return worst, 0 if worst in (NO_DAMAGE, BROKEN_LAW, WRONG_SHARE) else surprises.count(worst)


def needless(cells: Sequence[Ablated]) -> list[str]:
    """Guards, with their styles, that no scenario needs."""
    return [
        f"{guard} in {style}"
        for guard in OFF
        for style in dict.fromkeys(cell.style for cell in cells)
        if guard not in STYLES[style].guards_without
        and not any(c.damage for c in cells if (c.guard, c.style) == (guard, style))
    ]


def alarms(cells: Sequence[Ablated]) -> list[Ablated]:
    """Damage where every guard was on."""
    return [cell for cell in cells if cell.guard == ALL and cell.damage]


def prevented(cells: Sequence[Ablated], guard: str, style: str) -> dict[str, list[str]]:
    """What a guard prevents in a style: damage -> the scenarios that show it, the worst first."""
    found: dict[str, list[str]] = {}
    for cell in cells:
        if (cell.guard, cell.style) == (guard, style) and cell.damage:
            found.setdefault(cell.damage, []).append(cell.scenario)
    return {name: found[name] for name in DAMAGES if name in found}


def in_words(damage: str) -> str:
    """A damage as a reader expects it: an order that ended well, but not as it should have."""
    return _WELL_ENDED.get(damage, damage)


def to_json(cells: Sequence[Ablated]) -> list[dict[str, object]]:
    """The cells as JSON objects."""
    return [asdict(cell) for cell in cells]


def _has_counterpart(guard: str, scenario: Scenario, style: str, orders: int) -> bool:
    """Whether the guard means anything in this style, and the scenario's faults can happen there."""
    moments = {fault.moment for fault in scenario.faults(orders).faults}
    impossible = bool(moments) and moments <= STYLES[style].moments_without.keys()
    return guard not in STYLES[style].guards_without and not impossible


def _cell(saga: Saga, guard: str, scenario: str, style: str, outcomes: list[Outcome]) -> Ablated:
    if not outcomes:
        return Ablated(guard=guard, scenario=scenario, style=style, counterpart=False)
    found = [(*damage_of(scenarios_of(saga)[scenario], outcome), outcome) for outcome in outcomes]
    worst = _worst([damage for damage, _, _ in found])
    hit = [outcome for damage, _, outcome in found if damage == worst]
    rules = {rule for o in hit for _, _, rules in o.orders for rule in rules}
    return Ablated(
        guard=guard,
        scenario=scenario,
        style=style,
        counterpart=True,
        damage=worst,
        k=sum(k for damage, k, _ in found if damage == worst and worst),
        n=sum(len(outcome.orders) for outcome in outcomes),
        rules=tuple(sorted({*rules, *(law for o in hit for law in o.laws)})) if worst else (),
        replay=hit[0].replay if worst else "",
        unknown=not worst and any(map(_unknown, outcomes)),
    )


def _worst(damages: Sequence[str]) -> str:
    return next((name for name in DAMAGES if name in damages), NO_DAMAGE)


def _unknown(outcome: Outcome) -> bool:
    return outcome.judgement == Judgement.UNKNOWN


def _key(guard: str, scenario: str, style: str, seed: int) -> str:
    return f"{guard} {scenario} {style} {seed}"
