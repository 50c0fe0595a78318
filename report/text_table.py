"""A table of texts, for a terminal, a document, a page or a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence

from rich.table import Table

Row = tuple[str, ...]
TextTable = tuple[Row, Sequence[Row]]
"""Columns and lines."""


def rich_table(title: str, columns: Row, lines: Iterable[Row]) -> Table:
    """For a terminal."""
    table = Table(*columns, title=title, title_justify="left")
    for line in lines:
        table.add_row(*line)
    return table


def markdown(columns: Row, lines: Iterable[Row]) -> str:
    """For a document."""
    rows = [columns, tuple("---" for _ in columns), *lines]
    return "".join(f"| {' | '.join(_cell(text) for text in row)} |\n" for row in rows)


def comma_separated(columns: Row, lines: Iterable[Row]) -> str:
    """For a spreadsheet."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *lines])
    return text.getvalue()


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
