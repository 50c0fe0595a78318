"""Finished runs, read back from their folders: the rows that tables and charts are made of."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.latency import quantile
from kernel.errors import UsageError
from kernel.loading import DEFAULT, load_saga
from kernel.saga import Saga
from scenarios.evidence.evidence import rows_of
from scenarios.faults.plan import ONLY_IN_TRACES
from scenarios.judge.verdict import BAD
from scenarios.runs.artifacts import OPERATOR
from scenarios.runs.folder import is_run, read_json, read_lines
from scenarios.runs.interrupted import INTERRUPTED, status_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run as one line. Times in seconds. `variation`, `number`: how it differs from others beside it, see arms.py."""

    folder: Path
    about: dict[str, Any]
    verdict: dict[str, Any]
    variation: str = ""
    number: str = ""

    @property
    def scenario(self) -> str:
        """The scenario's name."""
        return str(self.about["scenario"])

    @property
    def style(self) -> str:
        """The style's name."""
        return str(self.about["style"])

    @property
    def arm(self) -> str:
        """What it is called beside others: its style, and how it differs."""
        return f"{self.style}, {self.variation}" if self.variation else self.style

    @property
    def label(self) -> str:
        """The arm, and which of its runs this is if it has several."""
        return f"{self.arm}, {self.number}" if self.number else self.arm

    @property
    def load(self) -> dict[str, Any]:
        """Offered and achieved load, see judge/load.py; empty for a run that was not judged, or is of an earlier version."""
        return self.verdict["timing"].get("load") or {}

    @property
    def bad(self) -> list[dict[str, Any]]:
        """The verdicts on the orders that ended inconsistent, or whose customer was shown what is not so."""
        return [o for o in self.verdict["orders"] if o["order_class"] in BAD or o["lied"]]

    @property
    def saga(self) -> Saga:
        """Which saga was run."""
        return load_saga(self.about.get("saga", DEFAULT))

    @property
    def comparable(self) -> bool:
        """Whether its latency may be set beside the other style's: not if an operator or a queue decided it."""
        usual = bool(self.about["comparable"]) and not self.no_counterpart
        return usual and not self.repaired and not self.load.get("saturated")

    @property
    def repaired(self) -> bool:
        """Whether an operator sent sagas on: then times contain how long he took."""
        return (self.folder / OPERATOR).exists()

    @property
    def no_counterpart(self) -> bool:
        """Whether what makes this run what it is means nothing in its style: then its numbers say nothing."""
        return bool(self.about.get("no_counterpart"))

    @property
    def context_broken(self) -> bool:
        """Whether trace context was lost on purpose."""
        return any(f["moment"] in ONLY_IN_TRACES for f in self.about["plan"]["faults"])

    @property
    def orders(self) -> int:
        """How many orders were judged."""
        return len(self.verdict["orders"])

    def classes(self) -> dict[str, int]:
        """Orders per class, without the classes that did not occur."""
        return {name: k for name, k in self.verdict["classes"].items() if k}

    def times(self, what: str) -> list[float]:
        """`latency_s`, `money_exposure_s` or `stock_exposure_s` of every order that has one and is closed."""
        interval = what.removesuffix("_exposure_s")
        return [
            t[what]
            for t in self.verdict["timing"]["orders"]
            if t[what] is not None and interval not in t["open"]
        ]

    def still_open(self, interval: str) -> int:
        """Orders whose interval (`money`, `stock`, `inconsistency`) was still open at the end: censored."""
        return sum(interval in t["open"] for t in self.verdict["timing"]["orders"])

    def latency_s(self, q: float) -> float | None:
        """A quantile of the latency of the orders that ended."""
        return quantile(self.times("latency_s"), q)

    def inconsistency_s(self, *, still_open: bool) -> float:
        """The sum over the orders whose interval is closed, or over those for which it was open at the end."""
        return float(
            sum(
                t["inconsistency_s"]
                for t in self.verdict["timing"]["orders"]
                if ("inconsistency" in t["open"]) is still_open
            )
        )

    def faults(self) -> dict[str, Counter[str]]:
        """Moment at operation -> how many were planned, reached, struck, and changed anything."""
        counted: dict[str, Counter[str]] = {}
        for fault in read_lines(self.folder / "faults.jsonl"):
            name = f"{fault['moment']} at {fault['operation']}"
            counts = counted.setdefault(name, Counter())
            counts["planned"] += 1
            counts.update(key for key in ("reached", "struck", "changed") if fault[key])
        return counted

    def ledger(self, order_id: str) -> list[dict[str, Any]]:
        """All ledger rows of one order, oldest first."""
        rows = rows_of(self.folder / "ledgers.jsonl", "ledgers", [order_id])[order_id]
        return sorted((r for r in rows if r["table"] == "ledger"), key=lambda row: row["mono_s"])

    def order(self, order_id: str) -> dict[str, Any]:
        """The order's line of orders.jsonl."""
        (line,) = rows_of(self.folder / "orders.jsonl", "orders", [order_id])[order_id]
        return line


def read_run(folder: Path) -> RunRow:
    """One complete run. Raise UsageError if it is none."""
    if not is_run(folder / "run.json"):
        raise UsageError(f"{folder / 'run.json'} is none of this testbed's runs")
    about = read_json(folder / "run.json")
    if (status := status_of(folder, about)) != "complete":
        raise UsageError(f"{_incomplete(folder, status)}: only complete runs can be reported on")
    return RunRow(folder=folder, about=about, verdict=read_json(folder / "verdict.json"))


def find_runs(folder: Path) -> tuple[list[RunRow], list[str]]:
    """Every complete run at or below `folder`, in order of name, and what was left out and why.

    Raise UsageError if there is none, or one of another schema.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder: give a run folder, or a folder of run folders")
    rows, left_out = [], []
    for path in sorted(folder.rglob("run.json")):
        if not is_run(path):
            left_out.append(f"{path} is none of this testbed's runs")
        elif (status := status_of(path.parent, read_json(path))) == "complete":
            rows.append(read_run(path.parent))
        else:
            left_out.append(_incomplete(path.parent, status))
    if not rows:
        others = "".join(f"; {line}" for line in left_out[:1])
        raise UsageError(f"{folder} holds no complete run: make one with saga run{others}")
    return rows, left_out


def _incomplete(folder: Path, status: str) -> str:
    if status == INTERRUPTED:
        return f"{folder.name} was interrupted (saga run --resume {folder})"
    return f"{folder.name} is {status}"
