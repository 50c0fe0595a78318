"""How right each kind of evidence is: every saga of a run rebuilt from it, and compared with its ledgers."""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kernel.saga import Saga
from kernel.timeline import Evidence, Timeline
from scenarios.evidence.correlated import correlated_timeline
from scenarios.evidence.diagnosis import answer
from scenarios.evidence.evidence import RunEvidence, rows_of
from scenarios.evidence.ranked_causes import suspects, usual_waits
from scenarios.evidence.traced import in_trace, traced_timeline
from scenarios.evidence.truth import true_timeline
from scenarios.faults.plan import DISTURBANCES, ONLY_IN_TRACES
from scenarios.runs.folder import read_lines
from scenarios.styles.index import STYLES

KINDS = ("native", "audited", "correlated", "traced")
"""native: the coordinator alone (RabbitMQ's dead letters; Step Functions' history). audited: with an audit queue and plain service
logs, which somebody has to set up. correlated: service logs with message ids. traced: spans."""
HISTORIES_PER_S = 20.0
"""What AWS lets an account ask: GetExecutionHistory, refill rate. Source: Step Functions quotas, see docs/traceability.md."""


@dataclass(slots=True, kw_only=True)
class Score:
    """What one kind of evidence of one run was worth. Counts are over `sagas`.

    `exact`: rebuilt with exactly the right calls, answers and causes. `edges`: (right, told, true) causes. `where`: right
    answers to where an order is and why. `harmed`: sagas with an injected fault that changed something; `top_1`, `top_3`: those of
    them in which the first suspect, or one of the first three, was an operation that was struck.
    """

    kind: str
    sagas: int = 0
    exact: int = 0
    edges: list[int] = field(default_factory=lambda: [0, 0, 0])
    where: int = 0
    harmed: int = 0
    top_1: int = 0
    top_3: int = 0
    spans: int = 0
    orphans: int = 0
    """Spans that are not in the trace of their saga."""
    sources: int = 0
    records: int = 0
    bytes: int = 0
    requests: int = 0
    """GetExecutionHistory calls."""
    ms: float = 0.0

    def add(self, other: "Score") -> None:
        """Another run's, too."""
        for name in (
            "sagas", "exact", "where", "harmed", "top_1", "top_3", "spans", "orphans", "records", "bytes", "requests", "ms",
        ):  # fmt: skip
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.sources = max(self.sources, other.sources)
        self.edges = [a + b for a, b in zip(self.edges, other.edges, strict=True)]

    @property
    def precision(self) -> float:
        """The share of told causes that are right, 0..1; 1 if none is told."""
        return self.edges[0] / self.edges[1] if self.edges[1] else 1.0

    @property
    def recall(self) -> float:
        """The share of true causes that are told, 0..1."""
        return self.edges[0] / self.edges[2] if self.edges[2] else 1.0

    @property
    def aws_s(self) -> float:
        """How long AWS's quota makes one wait for these histories, in seconds."""
        return self.requests / HISTORIES_PER_S

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def score(folder: Path, evidence: RunEvidence) -> dict[str, Score]:
    """Kind of evidence -> its score, over those orders of the evidence that the run's ledgers know of.

    Where traces are sampled, only those that were recorded count.
    """
    saga = evidence.saga
    truths = _truths(saga, folder, evidence.by_order)
    struck = _struck(folder)
    reactions = saga.reacting(evidence.about["step_order"])
    sampled = evidence.about["tracing"]["sampling"] < 1
    found = {}
    for kind in KINDS:
        timelines, took_s = _rebuilt(kind, evidence)
        usual = usual_waits(timelines.values())
        total = Score(kind=kind, ms=1000 * took_s)
        for order_id, timeline in timelines.items():
            truth, spans = truths.get(order_id), evidence.by_order[order_id].get("trace", [])
            if truth is None or (kind == "traced" and not spans and sampled):
                continue
            total.add(_one(kind, timeline, truth))
            total.where += answer(timeline, reactions) == answer(truth, reactions)
            if hit := struck.get(order_id):
                suspected = suspects(timeline, usual)
                total.harmed += 1
                total.top_1 += not hit.isdisjoint(suspected[:1])
                total.top_3 += not hit.isdisjoint(suspected[:3])
            if kind == "traced":
                total.spans += len(spans)
                total.orphans += len(spans) - len(in_trace(spans))
        found[kind] = total
    return found


def timelines_of(saga: Saga, order_id: str, style: str, evidence: Evidence) -> dict[str, Timeline]:
    """Kind -> the saga of an order as it tells it."""
    return {kind: _reader(kind, style)(saga, order_id, evidence) for kind in KINDS}


def _reader(kind: str, style: str) -> Callable[[Saga, str, Evidence], Timeline]:
    own = STYLES[style]
    readers = {"native": own.native, "audited": own.audited, "correlated": correlated_timeline}
    return readers.get(kind, traced_timeline)


def _rebuilt(kind: str, evidence: RunEvidence) -> tuple[dict[str, Timeline], float]:
    read, begun_s = _reader(kind, evidence.style), time.perf_counter()
    timelines = {
        order_id: read(evidence.saga, order_id, rows)
        for order_id, rows in evidence.by_order.items()
    }
    return timelines, time.perf_counter() - begun_s


def _one(kind: str, timeline: Timeline, truth: Timeline) -> Score:
    told, true = timeline.edges(), truth.edges()
    return Score(
        kind=kind,
        sagas=1,
        exact=int(timeline.nodes() == truth.nodes() and told == true),
        edges=[len(told & true), len(told), len(true)],
        sources=timeline.read["sources"],
        records=timeline.read["records"],
        bytes=timeline.read["bytes"],
        requests=timeline.read.get("requests", 0),
    )


def _truths(saga: Saga, folder: Path, wanted: Collection[str]) -> dict[str, Timeline]:
    """Order -> its saga, for every order of these that left a row in any ledger."""
    rows = rows_of(folder / "ledgers.jsonl", "ledger", wanted)
    parked = {
        row["order_id"]: row["operation"]
        for row in read_lines(folder / "evidence/parked.jsonl")
        if not row["reported"]
    }
    return {
        order_id: true_timeline(saga, order_id, mine, parked_at=parked.get(order_id, ""))
        for order_id, every in rows.items()
        if (mine := [row for row in every if row["table"] == "ledger"])
    }


def _struck(folder: Path) -> dict[str, set[str]]:
    """Order -> the operations at which faults struck it that changed something.

    What is done to the coordinator of everybody is no fault of one operation, and a lost context changes nothing.
    """
    found: dict[str, set[str]] = {}
    for row in read_lines(folder / "faults.jsonl"):
        if row["struck"] and row["changed"] and row["moment"] not in DISTURBANCES | ONLY_IN_TRACES:
            found.setdefault(row["order_id"], set()).add(row["operation"])
    return found


def together(scores: Iterable[Score]) -> Score:
    """Several runs' scores of one kind, as one."""
    first, *others = scores
    both = Score(kind=first.kind)
    for one in (first, *others):
        both.add(one)
    return both
