"""What changes touch, as a table: a line for each change and style."""

from collections.abc import Sequence

from bench.changes.cost import Touched
from report.text_table import Row

COLUMNS = ("change", "style", "services touched", "files", "lines", "deploy again, in this order", "old and new at once")  # fmt: skip


def lines(words: str, each: Sequence[Touched]) -> list[Row]:
    """`words`: what the change is."""
    return [
        (
            words if one is each[0] else "",
            one.style,
            f"{len(one.services)}: {', '.join(one.services)}" if one.services else "0",
            len(one.files),
            "+{} -{}".format(*one.lines),
            ", ".join(one.redeploy),
            f"no: {one.pause}" if one.pause else "yes",
        )
        for one in each
    ]
