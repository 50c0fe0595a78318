"""A run on disk: everything needed to judge it again, to replay it and to report on it.

Every file is written whole or not at all; run.json says whether the run is complete.
"""

import json
import math
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from kernel.errors import UsageError
from kernel.ports import Ledgers, Parked
from scenarios.judge.verdict import Verdict

SCHEMA = 1
LOCK = ".lock"
"""Held by who runs a run, or repairs it."""
WORK = "work"
"""What a run works with while it lives: databases, logs, the journal; it goes when the run is complete."""


class RunFolder:
    """One folder `<utc>-<scenario>-<style>-s<seed>-<suffix>`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, runs: Path, *, scenario: str, style: str, seed: int) -> "RunFolder":
        """A new folder under `runs`. Raise UsageError if it cannot be made."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        path = runs / f"{stamp}-{scenario}-{style}-s{seed}-{secrets.token_hex(3)}"
        try:
            (path / "evidence").mkdir(parents=True)
        except OSError as error:
            raise UsageError(
                f"cannot write to {runs} ({error.strerror}): choose another folder with --out"
            ) from error
        return cls(path)

    def write(self, name: str, document: Any) -> None:
        """Write one JSON document."""
        self._replace(name, json.dumps(document, indent=1, sort_keys=True) + "\n")

    def write_lines(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write one JSON object per line."""
        self._replace(name, as_lines(rows))

    def append(self, name: str, text: str) -> None:
        """Add whole lines to a file that `write_lines` made."""
        with (self.path / name).open("a", encoding="utf-8") as file:
            file.write(text)

    def _replace(self, name: str, text: str) -> None:
        target = self.path / name
        draft = target.with_name(f".{target.name}.tmp")
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)


def as_lines(rows: Iterable[Mapping[str, Any]]) -> str:
    """One JSON object per line."""
    return "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows)


def leave_lines(folder: RunFolder, ledgers: Ledgers, parked: Iterable[Parked]) -> None:
    """Write what the judge reads: ledgers.jsonl, without what it reads of inboxes and parked messages, and the register of what is parked."""
    rows = [
        {"participant": name, "table": table, **row}
        for name, tables in ledgers.items()
        for table, found in tables.items()
        if table not in ("inbox", "parked")
        for row in found
    ]
    folder.write_lines("ledgers.jsonl", rows)
    folder.write_lines("evidence/parked.jsonl", [asdict(saga) for saga in parked])


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """verdict.json: all times under `timing`, so that the rest is the same bytes for the same seed."""
    return {
        "schema": SCHEMA,
        "judgement": verdict.judgement,
        "as_expected": verdict.as_expected,
        "exit_code": verdict.exit_code(),
        "classes": verdict.counts(),
        "lied": sum(order.lied for order in verdict.orders),
        "orders": [asdict(order) for order in verdict.orders],
        "laws": [asdict(law) for law in verdict.laws],
        "problems": verdict.problems,
        "isolation": verdict.isolation,
        "timing": {
            "clocks_ahead_s": {
                name: [_finite(s) for s in pair] for name, pair in verdict.clocks.items()
            },
            "orders": [asdict(timing) for timing in verdict.timings],
            "load": verdict.load.to_json() if verdict.load else None,
        },
    }


def _finite(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) else None


def is_run(path: Path) -> bool:
    """Whether a run.json is one of ours, of whatever version: other programs call their files so, too."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True  # read_json says what is wrong with it
    return isinstance(document, dict) and {"status", "style", "scenario"} <= document.keys()


def read_json(path: Path) -> dict[str, Any]:
    """A JSON document of this schema. Raise UsageError if there is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}): is it a run folder?"
        ) from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: the run folder is damaged") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        found = document.get("schema") if isinstance(document, dict) else None
        raise UsageError(
            f"{path} has schema {found!r}, this version reads {SCHEMA}: use the version that wrote it"
        )
    return document


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON-lines file. Raise UsageError if it is missing or damaged."""
    try:
        return [orjson.loads(line) for line in path.read_bytes().splitlines()]
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: the run folder is damaged ({error})") from error
