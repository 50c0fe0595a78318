"""The evidence of a run, by order: read from its folder, or asked of a living run."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from kernel.errors import UsageError
from kernel.loading import DEFAULT, load_saga
from kernel.saga import Saga
from scenarios.runs.artifacts import SERVICE_LOG
from scenarios.runs.folder import read_json, read_lines

_OWNER = re.compile(rb'"order_id": ("(?:[^"\\\\]|\\\\.)*")')
"""Whose a line is; in texts inside of it quotes are escaped, so they do not match."""
_FILES = {
    "audit": "evidence/audit.jsonl",
    "dead_letters": "evidence/dead_letters.jsonl",
    "histories": "evidence/histories.jsonl",
    "service_log": SERVICE_LOG,
    "trace": "trace.jsonl",
}
"""Source -> its file in a run folder."""
_ABOUT = {"trace": "attributes", "orders": "order"}
"""Source -> the part of a row that says whose it is; of the others the row itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvidence:
    """What a run has left."""

    about: dict[str, Any]
    by_order: dict[str, dict[str, list[dict[str, Any]]]]

    @property
    def saga(self) -> Saga:
        """The run's saga."""
        return load_saga(self.about.get("saga", DEFAULT))

    @property
    def style(self) -> str:
        """The run's style."""
        return str(self.about["style"])


def order_ids(folder: Path, *, most: int | None = None) -> list[str]:
    """The orders of a run, as they came; at most `most` of them."""
    return [line["order"]["order_id"] for line in read_lines(folder / "orders.jsonl")][:most]


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
    for source, name in _FILES.items():
        if (folder / name).exists():
            for order_id, rows in rows_of(folder / name, source, wanted).items():
                by_order[order_id][source] = rows
    return RunEvidence(about=about, by_order=by_order)


def rows_of(path: Path, source: str, wanted: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """Order -> the rows that a file of this source has about it. A line that is still being written is left out.

    Only lines about these orders are parsed: a file may be about thousands of others.
    """
    found: dict[str, list[dict[str, Any]]] = {order_id: [] for order_id in wanted}
    owners = {json.dumps(order_id).encode() for order_id in wanted}
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                owner = _OWNER.search(line)
                if owner is None or owner[1] not in owners:
                    continue
                try:
                    row = orjson.loads(line)
                    about = row[_ABOUT[source]] if source in _ABOUT else row
                    found[about["order_id"]].append(row)
                except (ValueError, KeyError) as error:
                    raise UsageError(f"{path} cannot be read: the run folder is damaged") from error
    return found
