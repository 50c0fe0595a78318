"""Changes as saga folders: each is a list of edits over the saga that `saga new` makes, or over another change."""

import shutil
import tomllib
from pathlib import Path
from typing import Any

from kernel.errors import UsageError, nearest

EDITS = Path(__file__).with_name("edits")


def changes() -> list[str]:
    """The names of all changes."""
    return sorted(path.stem for path in EDITS.glob("*.toml"))


def described(name: str) -> dict[str, Any]:
    """`words`, `base` (another change, "" = none), `edit` and `file` of a change. Raise UsageError if there is none of that name."""
    if name not in changes():
        raise UsageError(
            f"there is no change {name!r}{nearest(name, changes())}: changes are {', '.join(changes())}"
        )
    return tomllib.loads((EDITS / f"{name}.toml").read_text(encoding="utf-8"))


def make(name: str, *, template: Path, into: Path) -> Path:
    """The saga folder after a change ("" = before any), made as `into`. Raise UsageError if an edit does not fit what it edits."""
    if not name:
        return Path(shutil.copytree(template, into, ignore=shutil.ignore_patterns("__pycache__")))
    change = described(name)
    make(change["base"], template=template, into=into)
    for edit in change.get("edit", ()):
        path = into / edit["file"]
        text = path.read_text(encoding="utf-8")
        if (times := text.count(edit["old"])) != 1:
            raise UsageError(
                f"change {name}: {edit['old'][:40]!r} stands {times} times in {edit['file']}"
            )
        path.write_text(text.replace(edit["old"], edit["new"]), encoding="utf-8")
    for file in change.get("file", ()):
        (into / file["file"]).write_text(file["text"], encoding="utf-8")
    return into
