"""A section of the report: a question, its answer, a chart, the chart's data, and how to read it."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from report.text_table import TextTable

MOST_ARMS = 2
"""Named in an answer; the others are in the table."""


def few(told: Sequence[str], *, by: str = "; ") -> str:
    """What is said of the first arms, and that there are others."""
    more = len(told) - MOST_ARMS
    others = f" ({more} more arms in the table)" if more > 0 else ""
    return by.join(told[:MOST_ARMS]) + others


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """`answer`: what the data say, in a sentence. `reading`, `not_reading`: how to read the chart, and how not. `command`: what makes the data.

    `data`: the table for a spreadsheet, where the one for a reader is not the same.
    """

    name: str
    title: str
    answer: str
    reading: str
    not_reading: str
    command: str
    figure: Figure | None
    table: TextTable
    data: TextTable | None = None
    points: Sequence[str] = ()
    """What the answer consists of, a sentence each."""

    def numbers(self) -> TextTable:
        """The table that a program reads."""
        return self.data or self.table
