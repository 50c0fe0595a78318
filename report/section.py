"""A section of the report: a question, its answer, a chart, the chart's data, and how to read it."""

from dataclasses import dataclass

from matplotlib.figure import Figure

from report.text_table import TextTable


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

    def numbers(self) -> TextTable:
        """The table that a program reads."""
        return self.data or self.table
