"""A table: for a terminal, a document or a page as texts, for a spreadsheet or a program as numbers."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

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


def plain(text: str) -> Text:
    """A text as it is, whoever wrote it: no markup is obeyed, no control character reaches the terminal."""
    return Text("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))


def rich_table(
    title: str, columns: Sequence[str], lines: Iterable[Row], *, ruled: bool = False
) -> Table:
    """For a terminal; `ruled`: with a rule between the lines, where cells have several."""
    table = Table(title=title, title_justify="left", show_lines=ruled)
    for column in columns:
        table.add_column(column, overflow="fold")
    for line in lines:
        table.add_row(*(plain(str(cell)) for cell in line))
    return table


def markdown(columns: Sequence[str], lines: Iterable[Row]) -> str:
    """For a document."""
    rows = [columns, tuple("---" for _ in columns), *lines]
    return "".join(f"| {' | '.join(_flat(str(cell)) for cell in row)} |\n" for row in rows)


def comma_separated(columns: Sequence[str], lines: Iterable[Row]) -> str:
    """For a spreadsheet: numbers, and of a proportion k, n and the bounds of its interval in columns of their own."""
    text = io.StringIO()
    objects = as_objects(columns, lines)
    writer = csv.DictWriter(text, list(objects[0]) if objects else columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(objects)
    return text.getvalue()


def as_objects(columns: Sequence[str], lines: Iterable[Row]) -> list[dict[str, Any]]:
    """For a program: an object per line, with numbers as numbers, and the same keys in each."""
    rows = list(lines)
    shares = {c for row in rows for c, cell in zip(columns, row, strict=True) if isinstance(cell, Proportion)}  # fmt: skip
    return [
        {
            name: value
            for column, cell in zip(columns, row, strict=True)
            for name, value in _values(column, cell, share=column in shares).items()
        }
        for row in rows
    ]


def _values(column: str, cell: Cell, *, share: bool) -> dict[str, Any]:
    """`share`: whether the column has proportions; whoever has none there has no numbers."""
    if share:
        known = cell if isinstance(cell, Proportion) else None
        return {
            f"{column}: k": known and known.k,
            f"{column}: n": known and known.n,
            f"{column}: low ratio": known and known.low_ratio,
            f"{column}: high ratio": known and known.high_ratio,
        }
    return {column: cell.value if isinstance(cell, Number) else cell}


def _flat(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
