"""The evidence of a run, by order: read from its folder, or asked of a living run."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from scenarios.aftermath import SERVICE_LOG
from scenarios.run_folder import read_json, read_lines
from shared_domain.errors import UsageError

_SOURCES: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "audit": ("evidence/audit.jsonl", lambda row: str(row["order_id"])),
    "dead_letters": ("evidence/dead_letters.jsonl", lambda row: str(row["order_id"])),
    "histories": ("evidence/histories.jsonl", lambda row: str(row["order_id"])),
    "service_log": (SERVICE_LOG, lambda row: str(row["order_id"])),
    "trace": ("trace.jsonl", lambda row: str(row["attributes"].get("order_id", ""))),
}
"""Source -> its file, and whose a row of it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvidence:
    """What a run has left. `scanned`: source -> (records, bytes) that have to be read to find one order in it."""

    about: dict[str, Any]
    by_order: dict[str, dict[str, list[dict[str, Any]]]]
    scanned: dict[str, tuple[int, int]]

    @property
    def style(self) -> str:
        """The run's style."""
        return str(self.about["style"])


def order_ids(folder: Path) -> list[str]:
    """The orders of a run, as they came."""
    return [line["order"]["order_id"] for line in read_lines(folder / "orders.jsonl")]


def read_evidence(folder: Path, wanted: Collection[str]) -> RunEvidence:
    """What a finished run has left about these orders. Raise UsageError if it kept nothing."""
    about = read_json(folder / "run.json")
    definition = folder / "evidence/definition.jsonl"
    if not definition.exists():
        raise UsageError(f"{folder} kept no evidence, or was made by an earlier version")
    known = read_lines(definition)
    by_order: dict[str, dict[str, list[dict[str, Any]]]] = {
        order_id: {"definition": known} for order_id in wanted
    }
    scanned = {}
    for source, (name, whose) in _SOURCES.items():
        path = folder / name
        if not path.exists():
            continue
        for evidence in by_order.values():
            evidence[source] = []
        n = 0
        for row in _rows(path):
            n += 1
            if (mine := by_order.get(whose(row))) is not None:
                mine[source].append(row)
        scanned[source] = n, path.stat().st_size
    return RunEvidence(about=about, by_order=by_order, scanned=scanned)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            yield orjson.loads(line)
