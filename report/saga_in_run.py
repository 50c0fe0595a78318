"""One order in one run, with everything that a picture of it needs."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from bench.results import RunRow
from kernel.guards import Guards
from kernel.ledger import Effect
from kernel.orders import CONFIRMED
from kernel.saga import Saga
from kernel.timeline import Evidence, Timeline
from scenarios.evidence.evidence import read_evidence
from scenarios.evidence.scores import KINDS, timelines_of
from scenarios.evidence.truth import true_timeline
from scenarios.judge.verdict import OrderClass
from scenarios.runs.folder import read_lines


@dataclass(frozen=True)
class SagaInRun:
    """One order in one run. What is shown of it comes from its evidence; what is shown of balances, from its ledgers."""

    row: RunRow
    order_id: str

    @property
    def saga(self) -> Saga:
        """Which saga it is."""
        return self.row.saga

    @cached_property
    def evidence(self) -> Evidence:
        """All sources."""
        return read_evidence(self.row.folder, [self.order_id]).by_order[self.order_id]

    @cached_property
    def timeline(self) -> Timeline:
        """The calls, from the trace if it is whole, otherwise from the logs' ids; what is parked, from whoever sees it."""
        told = timelines_of(self.saga, self.order_id, self.row.style, self.evidence)
        return max((told[kind] for kind in reversed(KINDS)), key=lambda a: len(a.answered()))

    @cached_property
    def parked(self) -> Timeline:
        """The timeline that sees what is parked, if any does."""
        told = timelines_of(self.saga, self.order_id, self.row.style, self.evidence).values()
        return next((timeline for timeline in told if timeline.parked_now()), self.timeline)

    @cached_property
    def ledger(self) -> list[dict[str, Any]]:
        """All ledger rows, oldest first."""
        return self.row.ledger(self.order_id)

    @cached_property
    def line(self) -> dict[str, Any]:
        """Its line of orders.jsonl."""
        return self.row.order(self.order_id)

    @cached_property
    def faults(self) -> list[dict[str, Any]]:
        """The faults that struck it."""
        rows = read_lines(self.row.folder / "faults.jsonl")
        return [row for row in rows if row["order_id"] == self.order_id and row["struck"]]

    @cached_property
    def order_class(self) -> str:
        """The verdict on it."""
        verdicts = self.row.verdict["orders"]
        return next((str(v["order_class"]) for v in verdicts if v["order_id"] == self.order_id), "")

    @cached_property
    def wrong(self) -> frozenset[str]:
        """The operations that the ledgers show to be wrong: applied twice, not undone in a saga that was, or missing in one that was confirmed."""
        if not any(order["order_id"] == self.order_id for order in self.row.bad):
            return frozenset()
        saga = self.saga
        applied = Counter(
            row["operation"] for row in self.ledger if row["effect"] in (Effect.DONE, Effect.UNDONE)
        )
        twice = {operation for operation, n in applied.items() if n > 1}
        status = true_timeline(saga, self.order_id, self.ledger).status()
        if status == CONFIRMED:
            return frozenset(twice | {name for name in saga.forward if not applied[name]})
        left = {
            forward for undo, forward in saga.undoes.items() if applied[forward] > applied[undo]
        }
        return frozenset(twice | left)

    @cached_property
    def offset_s(self) -> float:
        """Seconds from the host's monotonic clock to the epoch, as the ledgers saw both."""
        return float(self.ledger[0]["wall_s"] - self.ledger[0]["mono_s"]) if self.ledger else 0.0

    @cached_property
    def begun_s(self) -> float:
        """When the customer meant to come, in seconds since the epoch: the zero of every picture.

        Never later than the first thing that is known to have happened: two clocks may differ by a little.
        """
        happened = [float(row["wall_s"]) for row in self.ledger[:1]]
        happened += [call.began_s or call.at_s for call in self.timeline.calls]
        return min([float(self.line["intended_mono_s"]) + self.offset_s, *happened])

    @cached_property
    def tries(self) -> Counter[str]:
        """Operation -> how often it was tried."""
        return Counter(call.operation for call in self.timeline.calls)


_ALIKE = (
    "scenario", "seed", "orders", "rate_per_s", "arrivals", "service_times", "guards", "saga", "step_order", "durability", "policy",
    "plan", "processes", "customers_apart", "tracing",
)  # fmt: skip


def alike(one: RunRow, other: RunRow) -> bool:
    """Whether two runs differ in their style alone: the same orders under the same faults and the same rules."""
    same = all(one.about.get(key) == other.about.get(key) for key in _ALIKE)
    backends = ("broker", "engine", "pair")
    return same and all(one.about["backends"][k] == other.about["backends"][k] for k in backends)


def with_counterparts(row: RunRow, candidates: Iterable[RunRow]) -> list[RunRow]:
    """A run, and the newest run of every other style that is alike."""
    found = {other.style: other for other in candidates if alike(row, other)} | {row.style: row}
    return [found[style] for style in sorted(found)]


def _shows(run: RunRow) -> tuple[bool, bool, bool, int]:
    """How much a run shows: orders that ended badly; by one safeguard less rather than by none at all; orders that were compensated, with all of them ended; kinds of faults."""
    classes = {verdict["order_class"] for verdict in run.verdict["orders"]}
    ended = classes <= {OrderClass.COMMITTED, OrderClass.COMPENSATED}
    kinds = {fault["moment"] for fault in run.about["plan"]["faults"]}
    some = run.about["guards"] != str(Guards.none())
    return bool(run.bad), some, ended and OrderClass.COMPENSATED in classes, len(kinds)


def telling_order(runs: list[RunRow]) -> tuple[list[RunRow], str] | None:
    """Runs that differ in style alone, and an order in them worth looking at: one that ended badly, or was compensated, or that a
    fault struck.

    None if there is no run.
    """
    if not runs:
        return None
    groups = [with_counterparts(run, runs) for run in runs]
    chosen = max(groups, key=lambda group: (len(group), *max(map(_shows, group))))
    common = set.intersection(*({v["order_id"] for v in run.verdict["orders"]} for run in chosen))
    if not common:
        return None
    return chosen, max(sorted(common), key=lambda order_id: _tells(chosen, order_id))


def _tells(runs: list[RunRow], order_id: str) -> tuple[int, int, int]:
    """In how many of the runs an order ended badly, ended otherwise than committed, and was struck by a fault."""
    bad = sum(any(o["order_id"] == order_id for o in run.bad) for run in runs)
    turned = sum(
        v["order_id"] == order_id and v["order_class"] != OrderClass.COMMITTED
        for run in runs
        for v in run.verdict["orders"]
    )
    return bad, turned, sum(order_id in _struck(run.folder) for run in runs)


@cache
def _struck(folder: Path) -> frozenset[str]:
    rows = read_lines(folder / "faults.jsonl")
    return frozenset(str(row["order_id"]) for row in rows if row["struck"])
