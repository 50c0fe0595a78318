"""The usual proofs: something that `saga check` says, a rule that a run breaks, a cell of the sweep."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bench.exhibits.exhibit import Played, Shown
from kernel.errors import UsageError
from kernel.ledger import Effect
from kernel.loading import load_saga, read_saga
from scenarios.campaigns.jobs import Job
from scenarios.campaigns.outcome import INCONSISTENT
from scenarios.campaigns.simulation.cores import over_cores
from scenarios.campaigns.simulation.outcomes import simulated_outcomes
from scenarios.campaigns.sweep import PIECE, Sweep, result_of
from scenarios.checks.index import findings_of
from scenarios.faults.plan import Moment
from scenarios.faults.space import ALWAYS, Cell, Strike, singles
from scenarios.judge.oracle import witness
from scenarios.judge.rules import Rule
from scenarios.judge.verdict import Judgement, LawVerdict, OrderClass, OrderVerdict, Verdict
from scenarios.runs.folder import read_lines
from scenarios.styles.index import STYLES

ROOT = Path(__file__).parents[2]
SEED, RATE_PER_S, TIME_SCALE = 1, 10.0, 0.05
MOST_WITNESSES = 8
_BOTH = tuple(STYLES)
_CARRIED_OUT = (Effect.DONE, Effect.UNDONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """`saga check` has a finding that this regular expression matches."""

    kind: ClassVar[str] = "check"
    says: str

    def commands(self, address: str) -> Sequence[str]:
        """See Proof."""
        return [f"saga check {address}"]

    def jobs(self, address: str) -> Sequence[Job]:
        """See Proof: it runs nothing."""
        return []

    def attempt(self, address: str, played: Mapping[str, Played]) -> Sequence[Shown]:
        """See Proof."""
        found = [f for f in findings_of(read_saga(address)) if re.search(self.says, f.says)]
        if not found:
            return [Shown(shown=False, clean=True, found="nothing of the kind in its files")]
        places = tuple(below_root(str(finding)) for finding in found)
        return [
            Shown(
                shown=True,
                clean=False,
                found=f"visible in its files; price: {found[0].costs}",
                witnesses=places[:MOST_WITNESSES],
            )
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The files of an edition of their own are refused with a line that this regular expression matches; those of the edition are not."""

    kind: ClassVar[str] = "check"
    edition: str
    says: str
    described: str

    def commands(self, address: str) -> Sequence[str]:
        """See Proof."""
        return [f"saga check {self._refused(address)}"]

    def jobs(self, address: str) -> Sequence[Job]:
        """See Proof: it runs nothing."""
        return []

    def attempt(self, address: str, played: Mapping[str, Played]) -> Sequence[Shown]:
        """See Proof."""
        try:
            load_saga(self._refused(address))
        except UsageError as error:
            line = below_root(str(error))
            if re.search(self.says, line):
                return [
                    Shown(
                        shown=True, clean=False, found="refused before it runs", witnesses=(line,)
                    )
                ]
            return [Shown(shown=False, clean=False, found=line)]
        return [Shown(shown=False, clean=True, found="its files are read")]

    def _refused(self, address: str) -> str:
        exhibit, _, edition = address.partition(".")
        return f"{exhibit}.{self.edition}" if edition == self.described else address


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runs:
    """A scenario in some styles."""

    kind: ClassVar[str] = "run"
    scenario: str
    styles: tuple[str, ...] = _BOTH
    variant: str = ""
    guards: str = "all"
    orders: int = 4

    def commands(self, address: str) -> Sequence[str]:
        """See Proof."""
        usual = load_saga(address).variant
        parts = [f"saga run {self.scenario} --saga {address}"]
        if self.styles != _BOTH:
            parts.append(f"--style {','.join(self.styles)}")
        parts.append(f"--orders {self.orders}")
        if self.guards != "all":
            parts.append(f"--guards={self.guards}")
        if self.variant not in ("", usual):
            parts.append(f"--step-order {self.variant}")
        return [" ".join(parts)]

    def jobs(self, address: str) -> Sequence[Job]:
        """See Proof."""
        return [self.job(address, style) for style in self.styles]

    def job(self, address: str, style: str) -> Job:
        """The run in one style."""
        return Job(
            key=f"{address} {self.scenario} {style} {self.variant} {self.guards} {self.orders}",
            scenario=self.scenario,
            style=style,
            orders=self.orders,
            seed=SEED,
            time_scale=TIME_SCALE,
            rate_per_s=RATE_PER_S,
            guards=self.guards,
            saga=address,
            variant=self.variant if self.variant in load_saga(address).variants else "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran(_Runs):
    """A run breaks a rule. `why`: what the judge must say of it; `done`: an operation that the order in question has carried out; `never`:
    those that it has not.
    """

    rule: Rule
    why: str = ""
    done: str = ""
    never: tuple[str, ...] = ()

    @property
    def of_order(self) -> bool:
        """Whether it is about what one order has done, and not about a law of the run."""
        return bool(self.done or self.never)

    def attempt(self, address: str, played: Mapping[str, Played]) -> Sequence[Shown]:
        """See Proof."""
        return [self._in(style, played[self.job(address, style).key]) for style in self.styles]

    def _in(self, style: str, played: Played) -> Shown:
        verdict = played.verdict
        broken = next(self._broken(verdict.orders, verdict.laws), None)
        if broken is None:
            clean = verdict.judgement is Judgement.CONSISTENT and verdict.as_expected
            found = f"{verdict.judgement}: {_ended(verdict)}"
            if not clean and verdict.problems:
                found += f"; {verdict.problems[0]}"
            order_id = _decisive(verdict.orders)
            return Shown(
                style=style,
                shown=False,
                clean=clean,
                found=found,
                witnesses=tuple(_ledger(played, order_id)),
                order_id=order_id,
                folder=played.folder,
            )
        order_id, why, rows = broken
        rows = rows or _ledger(played, order_id)
        return Shown(
            style=style,
            shown=True,
            clean=False,
            found=f"{order_id}: {why}" if order_id not in why else why,
            witnesses=tuple(rows[:MOST_WITNESSES]),
            order_id=order_id,
            folder=played.folder,
        )

    def _broken(
        self, orders: Sequence[OrderVerdict], laws: Sequence[LawVerdict]
    ) -> Iterator[tuple[str, str, Sequence[Mapping[str, Any]]]]:
        """(order, why, rows) of everything that breaks the rule in the way that is meant."""
        for order in orders:
            did = {r.get("operation") for r in order.witnesses if r.get("effect") in _CARRIED_OUT}
            meant = not did & set(self.never) and did >= {self.done} - {""}
            if meant and self.rule in order.rules and self.why in order.why:
                yield order.order_id, order.why, order.witnesses
        for law in laws:
            if law.law == self.rule and not law.held and self.why in law.why and not self.of_order:
                why = law.why.partition("; ")[0]
                known = (r["order_id"] for r in law.witnesses if "order_id" in r)
                first = next(known, why.partition(": ")[0])
                yield first, why, _of(first, law.witnesses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends(_Runs):
    """A run is consistent, and every order of it ends in this class."""

    order_class: OrderClass

    def attempt(self, address: str, played: Mapping[str, Played]) -> Sequence[Shown]:
        """See Proof."""
        return [self._in(style, played[self.job(address, style).key]) for style in self.styles]

    def _in(self, style: str, played: Played) -> Shown:
        verdict = played.verdict
        order_id = _decisive(verdict.orders)
        sound = verdict.judgement is Judgement.CONSISTENT
        so = sound and {o.order_class for o in verdict.orders} == {self.order_class}
        return Shown(
            style=style,
            shown=so,
            clean=sound,
            found=f"{self.scenario}: {verdict.judgement}: {_ended(verdict)}",
            witnesses=tuple(_ledger(played, order_id)),
            order_id=order_id,
            folder=played.folder,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Goes(_Runs):
    """A run is consistent, and the decisive order has these effects of these operations, each once, in this order."""

    path: tuple[tuple[str, Effect], ...]

    def attempt(self, address: str, played: Mapping[str, Played]) -> Sequence[Shown]:
        """See Proof."""
        return [self._in(style, played[self.job(address, style).key]) for style in self.styles]

    def _in(self, style: str, played: Played) -> Shown:
        verdict = played.verdict
        order_id = _decisive(verdict.orders)
        rows = _ledger(played, order_id)
        named = {operation for operation, _ in self.path}
        went = tuple((r["operation"], r["effect"]) for r in rows if r["operation"] in named)
        sound = verdict.judgement is Judgement.CONSISTENT
        words = ", ".join(f"{operation} {effect}" for operation, effect in went)
        return Shown(
            style=style,
            shown=sound and went == self.path,
            clean=sound,
            found=f"{verdict.judgement}; {order_id}: {words}",
            witnesses=tuple(rows),
            order_id=order_id,
            folder=played.folder,
        )


def _ended(verdict: Verdict) -> str:
    return ", ".join(f"{n} {name}" for name, n in verdict.counts().items() if n)


def _decisive(orders: Sequence[OrderVerdict]) -> str:
    """The order to look at where nothing is wrong: the first that was not simply carried out."""
    other = [o.order_id for o in orders if o.order_class != OrderClass.COMMITTED]
    return next(iter(other or [o.order_id for o in orders]), "")


def _ledger(played: Played, order_id: str) -> list[Mapping[str, Any]]:
    """The ledger rows of an order in the order of their times, without these."""
    if played.ledgers is None:
        found = read_lines(Path(played.folder) / "ledgers.jsonl")
        rows = [row for row in found if row["table"] == "ledger"]
    else:
        rows = [
            {"participant": name, **row}
            for name, tables in played.ledgers.items()
            for row in tables["ledger"]
        ]
    mine = [row for row in rows if row["order_id"] == order_id]
    return [witness(row) for row in sorted(mine, key=lambda row: row["mono_s"])]


def _of(order_id: str, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    mine = [row for row in rows if row.get("order_id", order_id) == order_id]
    return mine or list(rows)


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
        rate_per_s=100.0,
        time_scale=TIME_SCALE,
        variant=variant or load_saga(address).variant,
        saga=address,
        simulated=True,
    )


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


def below_root(text: str) -> str:
    """A text in which a path of this repository does not say where the repository lies."""
    return text.replace(f"{ROOT}/", "")
