"""Proofs from a run: a rule that it breaks, the class in which its orders end, the way that one of them goes."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bench.exhibits.exhibit import Played, Shown
from bench.exhibits.files import MOST_WITNESSES
from kernel.ledger import Effect
from kernel.loading import load_saga
from scenarios.campaigns.jobs import Job
from scenarios.judge.oracle import witness
from scenarios.judge.rules import Rule
from scenarios.judge.verdict import Judgement, LawVerdict, OrderClass, OrderVerdict, Verdict
from scenarios.runs.folder import read_lines
from scenarios.styles.index import STYLES

SEED, RATE_PER_S, TIME_SCALE = 1, 10.0, 0.05
_BOTH = tuple(STYLES)
_CARRIED_OUT = (Effect.DONE, Effect.UNDONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runs(ABC):
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

    def attempt(self, address: str, played: Mapping[str, Played]) -> Sequence[Shown]:
        """See Proof."""
        return [self._in(style, played[self.job(address, style).key]) for style in self.styles]

    @abstractmethod
    def _in(self, style: str, played: Played) -> Shown:
        """What it finds in the run of one style."""


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
