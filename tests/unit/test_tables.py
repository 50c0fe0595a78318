"""What users and strangers wrote is shown as it is, and obeyed by nobody."""

import io

from rich.console import Console
from rich.table import Table

from report.text_table import plain


def test_markup_and_control_characters_in_a_cell_are_only_text():
    table = Table("order")
    table.add_row(plain("[/red][bold]o1\x1b]8;;http://evil\x07"))
    printed = io.StringIO()
    Console(file=printed, width=80).print(table)
    assert "[/red][bold]o1\\x1b]8;;http://evil\\x07" in printed.getvalue()
