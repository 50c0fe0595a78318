"""What a sweep found, as tables: counts by style, and every cell that is not consistent with the command that replays it."""

from collections import Counter
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from bench.latency import proportion
from scenarios.campaigns.outcome import SEVERITY
from scenarios.campaigns.sweep import NOT_RUN, NOT_STRUCK, CellResult
from scenarios.judge.verdict import BROKEN_LAW

MOST_ROWS = 500
"""Most lines of what did not happen."""
_NAMES = (*SEVERITY, NOT_STRUCK, NOT_RUN)


def counts(results: Sequence[CellResult]) -> Table:
    """How many cells ended how, by style."""
    table = Table("worst in the cell", title="Cells of the sweep", title_justify="left")
    styles = list(dict.fromkeys(result.style for result in results))
    for style in styles:
        table.add_column(style, justify="right")
    counted = {style: Counter(r.worst for r in results if r.style == style) for style in styles}
    for name in _NAMES:
        if any(counted[style][name] for style in styles):
            table.add_row(str(name), *(str(counted[style][name]) for style in styles))
    return table


def bad_cells(results: Sequence[CellResult]) -> list[CellResult]:
    """The cells of which something is to be told: not consistent, unknown, or without occasion."""
    told = [r for r in results if r.inconsistent or r.unexpected or r.worst == NOT_STRUCK]
    return sorted(told, key=lambda result: (_NAMES.index(result.worst), result.key))


def what(result: CellResult) -> str:
    """The faults of a cell, in words."""
    return " + ".join(f"{s['moment']} at {s['operation']}, {s['when']}" for s in result.strikes)


def how_many(result: CellResult) -> str:
    """At how many orders it is as bad as that; a law is broken by the run."""
    return "the run" if result.worst == BROKEN_LAW else f"{result.bad} of {result.orders}"


def remark(result: CellResult) -> str:
    """Why, and whether that was to be expected."""
    if result.expected:
        return f"{result.why} (a broken promise: {result.expected} is expected)".strip()
    return result.why


def cells_table(results: Sequence[CellResult], *, most: int) -> Table:
    """The bad cells for a terminal, `most` of them."""
    table = Table(
        "style", "fault", "worst", "orders", "why", title="Cells to look at", title_justify="left"
    )
    for result in bad_cells(results)[:most]:
        table.add_row(
            result.style, what(result), result.worst, how_many(result),
            Text(remark(result)),
        )  # fmt: skip
    return table


def markdown(results: Sequence[CellResult], *, title: str) -> str:
    """table.md of a sweep: every bad cell with its replay, and what was not run."""
    lines = [f"# {title}", "", summary(results), ""]
    if found := bad_cells(results):
        lines += ["| style | fault | worst | orders | why | again |", "|---|---|---|---|---|---|"]
        lines += [
            f"| {r.style} | {what(r)} | {r.worst} | {how_many(r)} | {remark(r)} | `{r.replay}` |"
            for r in found
        ]
    if idle := [r for r in results if 0 in r.struck]:
        lines += ["", "## Faults without occasion", "", "| style | faults | why |", "|---|---|---|"]
        lines += [f"| {r.style} | {what(r)} | {r.why} |" for r in idle[:MOST_ROWS]]
        lines += _left_out(idle)
    if not_run := [r for r in results if r.worst == NOT_RUN]:
        lines += ["", "## Not run", "", "| style | fault | why |", "|---|---|---|"]
        lines += [f"| {r.style} | {what(r)} | {r.why} |" for r in not_run[:MOST_ROWS]]
        lines += _left_out(not_run)
    return "\n".join(lines) + "\n"


def _left_out(results: Sequence[CellResult]) -> list[str]:
    more = len(results) - MOST_ROWS
    return [f"\n... and {more:,} more in cells.jsonl"] if more > 0 else []


def summary(results: Sequence[CellResult]) -> str:
    """The sweep in one sentence for each style."""
    told = []
    for style in dict.fromkeys(result.style for result in results):
        run = [r for r in results if r.style == style and r.worst != NOT_RUN]
        known = [r for r in run if r.worst not in ("unknown", NOT_STRUCK)]
        kept = [r for r in known if not r.expected]
        bad = sum(r.inconsistent for r in kept)
        orders = sum(r.orders for r in kept)
        told.append(
            f"{style}: {proportion(bad, len(kept))} cells with a promise-keeping coordinator are inconsistent,"
            f" {orders:,} orders; {sum(r.inconsistent for r in known) - bad} of {len(known) - len(kept)} with a broken promise;"
            f" {len(run) - len(known)} unknown or never injected;"
            f" no occasion for the fault in {sum(0 in r.struck for r in run)} cells"
        )
    return ". ".join(told) + "."
