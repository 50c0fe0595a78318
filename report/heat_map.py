"""The fault space as a picture: rows = where and when, columns = what, one panel per style, colour = the worst that happened."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from kernel.saga import Saga
from report.charts import COLOUR
from scenarios.campaigns.outcome import INCONSISTENT, SEVERITY
from scenarios.campaigns.sweep import NOT_RUN, NOT_STRUCK, CellResult
from scenarios.faults.plan import ONLY_IN_TRACES, Moment
from scenarios.faults.space import ALWAYS, ONCE

COLOURS: dict[str, str] = {
    **{str(name): colour for name, colour in COLOUR.items()},
    "committed": "#bfe3cc",
    "compensated": "#d5e9f5",
    "rejected": "#e4e7ec",
    "late": "#f6e3a1",
    "parked": "#f2b877",
    "broken law": "#d98880",
    "lied": "#7f8c2a",
    "unknown": "#9aa0a8",
    NOT_STRUCK: "#ffffff",
    NOT_RUN: "#ffffff",
}
LETTER = {
    "duplicated": "D",
    "half-done": "H",
    "stuck": "S",
    "stuck-in-the-open": "O",
    "lied": "L",
    "broken law": "B",
    "unknown": "?",
}
"""What is not consistent also has a letter, for eyes and printers that know no colours."""
COLUMNS = [str(moment) for moment in Moment if moment not in ONLY_IN_TRACES]
PALEST, HALF = 0.25, 0.5
"""The colour of what is the worst in one of many combinations, and where white letters begin."""
_ORDER = (*SEVERITY, NOT_STRUCK, NOT_RUN)


def worst_of(found: Sequence[CellResult]) -> CellResult:
    """The worst of several results."""
    return min(found, key=lambda result: _ORDER.index(result.worst))


def heat_map(saga: Saga, results: Sequence[CellResult], *, title: str) -> Figure:
    """One panel per style. A result with several faults stands in the cell of each of them.

    Such a cell tells how many of its combinations are as bad as the worst; the larger their share, the fuller the colour.
    """
    styles = list(dict.fromkeys(result.style for result in results))
    figure = Figure(figsize=(1.8 + 4.9 * len(styles), 7.6), layout="constrained")
    panels = figure.subplots(1, len(styles), sharey=True, squeeze=False)[0]
    for axes, style in zip(panels, styles, strict=True):
        _panel(axes, saga, [result for result in results if result.style == style])
        axes.set_title(style, fontsize=11)
    rows = _rows(saga)
    panels[0].set_yticks(
        range(len(rows)),
        [f"{operation}   first attempt" if when == ONCE else when for operation, when in rows],
        fontsize=8,
    )
    shown = _shown(results)
    patches = [
        Patch(
            facecolor=COLOURS[name],
            edgecolor="#888888",
            hatch="////" if name == NOT_RUN else "",
            label=f"{LETTER[name]}  {name}" if name in LETTER else name,
        )
        for name in shown
    ]
    figure.legend(
        handles=patches,
        loc="outside lower center",
        ncols=min(2 + 2 * len(styles), len(patches)),
        frameon=False,
        fontsize=8,
    )
    figure.suptitle(title, fontsize=11)
    return figure


def _cells(results: Sequence[CellResult]) -> dict[tuple[str, str, str], list[CellResult]]:
    """(operation, when, moment) -> every result that has this fault in it."""
    cells: dict[tuple[str, str, str], list[CellResult]] = {}
    for result in results:
        for strike in result.strikes:
            place = strike["operation"], strike["when"], strike["moment"]
            cells.setdefault(place, []).append(result)
    return cells


def _shown(results: Sequence[CellResult]) -> list[str]:
    """What is the worst in any cell, from the worst on."""
    found = set()
    for style in {result.style for result in results}:
        cells = _cells([result for result in results if result.style == style])
        found |= {worst_of(inside).worst for inside in cells.values()}
    return [name for name in _ORDER if name in found]


def _rows(saga: Saga) -> list[tuple[str, str]]:
    return [(operation, when) for operation in saga.operations for when in (ONCE, ALWAYS)]


def _panel(axes: Axes, saga: Saga, results: Sequence[CellResult]) -> None:
    rows = _rows(saga)
    for (operation, when, moment), found in _cells(results).items():
        row, column = rows.index((operation, when)), COLUMNS.index(moment)
        worst = worst_of(found)
        share = _share(found, worst)
        bad = worst.worst in INCONSISTENT or worst.worst == "unknown"
        axes.add_patch(
            Rectangle(
                (column - 0.5, row - 0.5),
                1,
                1,
                facecolor=to_rgba(COLOURS[worst.worst], share),
                edgecolor="#222222" if bad else "#c8c8c8",
                linewidth=1.1 if bad else 0.4,
                hatch="////" if worst.worst == NOT_RUN else "",
                zorder=2 if bad else 1,
            )
        )
        axes.text(
            column,
            row,
            _text(found, worst),
            ha="center",
            va="center",
            fontsize=7,
            fontweight="bold" if bad else "normal",
            color=ink(worst.worst) if share > HALF else "#333333",
            zorder=3,
        )
    axes.set_xlim(-0.5, len(COLUMNS) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.axhline(2 * len(saga.forward) - 0.5, color="#222222", linewidth=1.2, zorder=4)
    axes.set_xticks(range(len(COLUMNS)), COLUMNS, rotation=60, ha="right", fontsize=7)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _share(found: Sequence[CellResult], worst: CellResult) -> float:
    """How full the colour is: of combinations, how many are as bad as that."""
    if len(found[0].strikes) == 1:
        return 1.0
    share = sum(result.worst == worst.worst for result in found) / len(found)
    return PALEST + (1 - PALEST) * share


def _text(found: Sequence[CellResult], worst: CellResult) -> str:
    if worst.worst in (NOT_RUN, NOT_STRUCK):
        return ""
    if len(found[0].strikes) == 1:
        n = worst.bad
    else:  # combinations: how many of them are as bad as that
        n = sum(result.worst == worst.worst for result in found)
    return f"{LETTER.get(worst.worst, '')}{n or ''}"


def ink(worst: str) -> str:
    """The colour of a text on COLOURS[worst]."""
    return (
        "white"
        if worst in ("duplicated", "half-done", "stuck", "stuck-in-the-open", "lied")
        else "#333333"
    )
