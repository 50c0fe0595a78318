"""A table: for a terminal, a document or a page as texts, for a spreadsheet or a program as numbers."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from bench.latency import Proportion


@dataclass(frozen=True, slots=True)
class Number:
    """A measured number, shown with so many digits after the point; None = there is none."""

    value: float | None
    digits: int = 1

    def __str__(self) -> str:
        return "-" if self.value is None else f"{self.value:.{self.digits}f}"


Cell = str | int | Number | Proportion
Row = tuple[Cell, ...]
TextTable = tuple[tuple[str, ...], Sequence[Row]]
"""Columns and lines. A column of numbers has its unit in its name."""


def rich_table(title: str, columns: Sequence[str], lines: Iterable[Row]) -> Table:
    """For a terminal."""
    table = Table(*columns, title=title, title_justify="left")
    for line in lines:
        table.add_row(*map(str, line))
    return table


def markdown(columns: Sequence[str], lines: Iterable[Row]) -> str:
    """For a document."""
    rows = [columns, tuple("---" for _ in columns), *lines]
    return "".join(f"| {' | '.join(_flat(str(cell)) for cell in row)} |\n" for row in rows)


def comma_separated(columns: Sequence[str], lines: Iterable[Row]) -> str:
    """For a spreadsheet: numbers, and of a proportion k, n and the bounds of its interval in columns of their own."""
    text = io.StringIO()
    objects = as_objects(columns, lines)
    writer = csv.DictWriter(text, list(dict.fromkeys(name for one in objects for name in one)) or columns, lineterminator="\n")  # fmt: skip
    writer.writeheader()
    writer.writerows(objects)
    return text.getvalue()


def as_objects(columns: Sequence[str], lines: Iterable[Row]) -> list[dict[str, Any]]:
    """For a program: an object per line, with numbers as numbers."""
    return [
        {
            name: value
            for column, cell in zip(columns, line, strict=True)
            for name, value in _values(column, cell).items()
        }
        for line in lines
    ]


def _values(column: str, cell: Cell) -> dict[str, Any]:
    if isinstance(cell, Number):
        return {column: cell.value}
    if isinstance(cell, Proportion):
        return {
            f"{column}: k": cell.k,
            f"{column}: n": cell.n,
            f"{column}: low ratio": cell.low_ratio,
            f"{column}: high ratio": cell.high_ratio,
        }
    return {column: cell}


def _flat(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
