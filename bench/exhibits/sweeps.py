"""Proofs from the sweep at depth 1: one cell of it, or all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bench.exhibits.exhibit import Played, Shown
from bench.exhibits.files import MOST_WITNESSES, below_root
from kernel.loading import load_saga
from scenarios.campaigns.jobs import Job
from scenarios.campaigns.outcome import INCONSISTENT
from scenarios.campaigns.simulation.cores import over_cores
from scenarios.campaigns.simulation.outcomes import simulated_outcomes
from scenarios.campaigns.sweep import PIECE, Sweep, result_of
from scenarios.checks.index import findings_of
from scenarios.faults.plan import Moment
from scenarios.faults.space import ALWAYS, Cell, Strike, singles
from scenarios.judge.rules import Rule
from scenarios.styles.index import STYLES

SEED, RATE_PER_S, TIME_SCALE = 1, 100.0, 0.05
_BOTH = tuple(STYLES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """A rule that breaks in one cell of the sweep at depth 1: a fault for which there is no scenario."""

    kind: ClassVar[str] = "sweep"
    operation: str
    moment: Moment
    rule: Rule
    when: str = ALWAYS
    styles: tuple[str, ...] = _BOTH

    def commands(self, address: str) -> Sequence[str]:
        """See Proof."""
        return [_sweep(address, self.styles).command()]

    def jobs(self, address: str) -> Sequence[Job]:
        """See Proof: its runs are simulated in any case."""
        return []

    def attempt(self, address: str, played: Mapping[str, Played]) -> Sequence[Shown]:
        """See Proof."""
        sweep, saga = _sweep(address, self.styles), load_saga(address)
        strike = Strike(operation=self.operation, when=self.when, moment=self.moment)
        shown = []
        for style in self.styles:
            cell = Cell(saga=saga, style=style, strikes=(strike,))
            (outcome,) = simulated_outcomes([sweep.job(cell)], SEED)
            result = result_of(cell, outcome, variant=sweep.variant)
            broken = self.rule in {
                *outcome.laws,
                *(r for _, _, rules in outcome.orders for r in rules),
            }
            ended = f"{strike}: {result.bad} of {result.orders} orders {result.worst}"
            shown.append(
                Shown(
                    style=style,
                    shown=broken,
                    clean=result.worst not in INCONSISTENT,
                    found=f"{ended}; broken: {self.rule}" if broken else ended,
                )
            )
        return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptClean:
    """No cell of the whole sweep at depth 1 is inconsistent where a safeguard could help, and nothing is left to mend in the files."""

    kind: ClassVar[str] = "sweep"
    styles: tuple[str, ...] = _BOTH
    variant: str = ""

    def commands(self, address: str) -> Sequence[str]:
        """See Proof."""
        return [f"saga check {address}", _sweep(address, self.styles, self.variant).command()]

    def jobs(self, address: str) -> Sequence[Job]:
        """See Proof: its runs are simulated in any case."""
        return []

    def attempt(self, address: str, played: Mapping[str, Played]) -> Sequence[Shown]:
        """See Proof."""
        sweep, saga = _sweep(address, self.styles, self.variant), load_saga(address)
        if mend := [below_root(str(finding)) for finding in findings_of(saga)]:
            rows = tuple(mend[:MOST_WITNESSES])
            return [
                Shown(
                    shown=False,
                    clean=False,
                    found=f"{len(mend)} to mend in its files",
                    witnesses=rows,
                )
            ]
        cells = {c.key: c for c in singles(saga, sweep.styles) if not c.not_run()}
        jobs = [sweep.job(cell) for cell in cells.values()]
        pieces = [(jobs[at : at + PIECE], SEED) for at in range(0, len(jobs), PIECE)]
        outcomes = [one for some in over_cores(simulated_outcomes, pieces) for one in some]
        shown = []
        for style in self.styles:
            results = [
                result_of(cells[o.key], o, variant=sweep.variant)
                for o in outcomes
                if cells[o.key].style == style
            ]
            wrong = [f"{r.key}: {r.worst}, {r.why}" for r in results if r.unexpected]
            forgot = sum(bool(r.expected) for r in results)
            shown.append(
                Shown(
                    style=style,
                    shown=not wrong,
                    clean=not wrong,
                    found=f"{sweep.variant}: {len(results) - forgot - len(wrong)} of {len(results) - forgot} cells consistent,"
                    f" {forgot} more in which the coordinator forgets what it promised; nothing to mend",
                    witnesses=tuple(wrong[:MOST_WITNESSES]),
                )
            )
        return shown


def _sweep(address: str, styles: Sequence[str], variant: str = "") -> Sweep:
    return Sweep(
        depth=1,
        sample=0,
        styles=list(styles),
        guards="all",
        broker="memory",
        engine="inprocess",
        orders=4,
        seed=SEED,
        rate_per_s=RATE_PER_S,
        time_scale=TIME_SCALE,
        variant=variant or load_saga(address).variant,
        saga=address,
        simulated=True,
    )
