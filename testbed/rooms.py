"""The map of the rooms: which package imports which, read from the code, as a picture in Mermaid."""

import ast
from collections import Counter
from pathlib import Path

ROOMS = (
    "testbed",
    "report",
    "exhibits",
    "bench",
    "shared_domain",
    "scenarios",
    "choreography",
    "orchestration",
    "kernel",
)
"""From the top floor to the ground: imports go down only."""
_SAYS = {
    "kernel": "a saga as a value; inbox, outbox, ledger, database, policy, ports",
    "choreography": "brokers, consumer, relay",
    "orchestration": "engine, tasks, boto3 client",
    "scenarios": "what breaks, who judges, runs and campaigns",
    "shared_domain": "the sagas, one folder each",
    "exhibits": "published systems, as described and corrected",
    "bench": "load, latency, peers, claims",
    "report": "tables, charts, pages",
    "testbed": "the command line",
}
_PICTURE = """# The rooms

Each box is a package, with the number of its modules and its rooms inside; an arrow means *imports*, with the number of
imports. Made by `make docs` from the code; import-linter (`make check`) keeps the arrows going down.

```mermaid
flowchart TD
{boxes}
{arrows}
```

| package | what it is | rooms inside |
|---|---|---|
{rows}
"""


def rooms(root: Path) -> str:
    """The map of the checkout at `root`, as Markdown."""
    modules = {room: sorted((root / room).rglob("*.py")) for room in ROOMS}
    arrows: Counter[tuple[str, str]] = Counter()
    for room, paths in modules.items():
        for path in paths:
            found = {name.partition(".")[0] for name in _imported(path)}
            arrows.update((room, other) for other in found & set(ROOMS) - {room})
    boxes = [f'    {room}["{room}<br/>{len(paths)} modules"]' for room, paths in modules.items()]
    lines = [f"    {a} -- {n} --> {b}" for (a, b), n in sorted(arrows.items(), key=_floors)]
    rows = [f"| `{room}` | {_SAYS[room]} | {_inside(root / room)} |" for room in ROOMS]
    return _PICTURE.format(boxes="\n".join(boxes), arrows="\n".join(lines), rows="\n".join(rows))


def _floors(arrow: tuple[tuple[str, str], int]) -> tuple[int, int]:
    (above, below), _ = arrow
    return ROOMS.index(above), ROOMS.index(below)


def _imported(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)]
    plain = [node for node in tree.body if isinstance(node, ast.Import)]
    return names + [alias.name for node in plain for alias in node.names]


def _inside(folder: Path) -> str:
    packages = sorted(path.parent.name for path in folder.glob("*/__init__.py"))
    return ", ".join(f"`{name}`" for name in packages)
