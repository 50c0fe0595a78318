"""What a run with parked sagas leaves behind, so that an operator can still repair them: its `state/` folder.

The participants' databases, the engine's history, and what the style keeps of what is parked (dead letters with headers
and bodies). The coordinator that serves them later may be another one.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from scenarios.runs.folder import read_lines

STATE = "state"
_PARKED = "parked.jsonl"
_BROKERS_OWN = "broker.sqlite"


def keep(work: Path, folder: Path, kept: list[dict[str, Any]]) -> None:
    """Copy what lies in the run's working folder into the run folder, in place of what was kept before.

    Everybody who writes to it must have ended; SQLite's logs are copied with their databases.
    """
    draft = folder / f".{STATE}.tmp"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for file in work.glob("*.sqlite*"):
        if not file.name.startswith(_BROKERS_OWN):
            shutil.copy2(file, draft)
    lines = "".join(json.dumps(row) + "\n" for row in kept)
    (draft / _PARKED).write_text(lines, encoding="utf-8")
    shutil.rmtree(folder / STATE, ignore_errors=True)
    draft.rename(folder / STATE)


def fetch(folder: Path, work: Path) -> list[dict[str, Any]]:
    """Copy the kept databases into a working folder; the rest of what was kept. Raise UsageError if it is damaged."""
    for file in (folder / STATE).glob("*.sqlite*"):
        shutil.copy2(file, work)
    return read_lines(folder / STATE / _PARKED)


def drop(folder: Path) -> None:
    """Forget what was kept: nothing is parked any more."""
    shutil.rmtree(folder / STATE, ignore_errors=True)
