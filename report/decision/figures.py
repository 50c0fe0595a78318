"""The figures of `saga decide`: measured here or published, each with where it is from. Read from figures.toml."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from kernel.guards import OFF

FILE = Path(__file__).with_name("figures.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One figure of both styles. `choreography`, `orchestration`: (number, less is better; text)."""

    name: str
    what: str
    choreography: tuple[float, str]
    orchestration: tuple[float, str]
    command: str
    on: date
    pair: str
    doc: str
    quotes: tuple[str, ...]
    extra: dict[str, Any]

    def source(self) -> str:
        """Command, date and pair."""
        return f"`{self.command}`, {self.on:%Y-%m-%d}, {self.pair}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One figure of somebody else. `number`: None where it is only a fact."""

    name: str
    what: str
    text: str
    source_of: str
    year: int
    number: float | None

    def source(self) -> str:
        """Source and year."""
        return f"{self.source_of} ({self.year})"


@cache
def measured() -> dict[str, Measured]:
    """Name -> figure measured with this project."""
    known = {"what", "choreography", "orchestration", "command", "date", "pair", "doc", "quotes"}
    return {
        name: Measured(
            name=name,
            what=row["what"],
            choreography=(row["choreography"]["number"], row["choreography"]["text"]),
            orchestration=(row["orchestration"]["number"], row["orchestration"]["text"]),
            command=row["command"],
            on=row["date"],
            pair=row["pair"],
            doc=row["doc"],
            quotes=tuple(row["quotes"]),
            extra={k: v for k, v in row.items() if k not in known},
        )
        for name, row in _read().items()
        if "doc" in row
    }


@cache
def published() -> dict[str, Published]:
    """Name -> figure that somebody else has published."""
    return {
        name: Published(
            name=name,
            what=row["what"],
            text=row["text"],
            source_of=row["source"],
            year=row["year"],
            number=row.get("number"),
        )
        for name, row in _read().items()
        if "source" in row
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Prevented:
    """What a safeguard prevents: of all single faults, those that end inconsistent without it. `cells`: style -> (inconsistent, all)."""

    guard: str
    cells: dict[str, tuple[int, int]]
    otherwise: str

    def in_style(self, style: str) -> str:
        """`133 of 337`."""
        return "{} of {}".format(*self.cells[style])


@cache
def prevented() -> list[Prevented]:
    """Every safeguard, the one that prevents most first."""
    row = _read()["without_guard"]
    found = [
        Prevented(
            guard=guard,
            cells={style: (row[guard][style], cells) for style, cells in row["cells"].items()},
            otherwise=row[guard]["text"],
        )
        for guard in OFF
    ]
    return sorted(found, key=lambda one: -sum(n for n, _ in one.cells.values()))


def command_of_guards() -> str:
    """The command that counts what safeguards prevent, with its date."""
    row = _read()["without_guard"]
    return f"`{row['command']}`, {row['date']:%Y-%m-%d}"


def _read() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
