"""Which guard prevents what: a matrix for each style, and the same as a table."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from rich.table import Table

from bench.latency import proportion
from kernel.guards import OFF
from report.heat_map import COLOURS, LETTER, ink
from scenarios.campaigns.ablation import (
    ALL,
    DAMAGES,
    NONE,
    WRONG_SHARE,
    Ablated,
    in_words,
    prevented,
)
from scenarios.styles.index import STYLES

_ROWS = (ALL, *OFF, NONE)
_SHORT = {**LETTER, "parked": "P", "late": "late", "compensated": "c", "committed": "C", "rejected": "R", WRONG_SHARE: "W"}  # fmt: skip
_COLOURS = COLOURS | {WRONG_SHARE: "#c9b6dd", "": "#ffffff"}


def guard_matrix(cells: Sequence[Ablated]) -> Figure:
    """One panel per style: rows = the guard that is off, columns = scenarios, colour and letter = the worst damage, with its count."""
    styles = list(dict.fromkeys(cell.style for cell in cells))
    scenarios = list(dict.fromkeys(cell.scenario for cell in cells))
    figure = Figure(figsize=(max(9.0, 2.4 + 0.46 * len(scenarios)), 1.6 + 3.5 * len(styles)), layout="constrained")  # fmt: skip
    panels = figure.subplots(len(styles), 1, sharex=True, squeeze=False)[:, 0]
    for axes, style in zip(panels, styles, strict=True):
        for cell in (c for c in cells if c.style == style):
            row, column = _ROWS.index(cell.guard), scenarios.index(cell.scenario)
            axes.add_patch(
                Rectangle(
                    (column - 0.5, row - 0.5),
                    1,
                    1,
                    facecolor=_COLOURS[_shown(cell)],
                    edgecolor="#c8c8c8",
                    linewidth=0.5,
                    hatch="" if cell.counterpart else "////",
                )
            )
            if cell.damage or cell.unknown:
                axes.text(
                    column,
                    row,
                    _letter(cell),
                    ha="center",
                    va="center",
                    fontsize=7,
                    color=ink(cell.damage),
                )
        axes.set_title(style, fontsize=11)
        axes.set_xlim(-0.5, len(scenarios) - 0.5)
        axes.set_ylim(len(_ROWS) - 0.5, -0.5)
        names = ["nothing off", *OFF, "everything off"]
        axes.set_yticks(range(len(_ROWS)), names, fontsize=8)
        axes.set_xticks(range(len(scenarios)), scenarios, rotation=55, ha="right", fontsize=8)
        axes.tick_params(length=0, labelbottom=axes is panels[-1])
        axes.spines[:].set_visible(False)
    found = set(map(_shown, cells))
    shown = [name for name in DAMAGES if name in found]
    patches = [
        Patch(color=_COLOURS[n], label=n if _SHORT[n] == n else f"{_SHORT[n]}  {in_words(n)}")
        for n in shown
    ]
    patches.append(Patch(facecolor="white", edgecolor="#888888", label="as the scenario says"))
    patches.append(Patch(facecolor="white", edgecolor="#888888", hatch="////", label="no counterpart"))  # fmt: skip
    figure.legend(handles=patches, loc="outside lower center", ncols=5, frameon=False)
    figure.suptitle("What happens without a safeguard: the worst that the scenario does not expect", fontsize=11)  # fmt: skip
    return figure


def _shown(cell: Ablated) -> str:
    return "unknown" if cell.unknown else cell.damage


def _letter(cell: Ablated) -> str:
    short = _SHORT[_shown(cell)]
    return f"{short}{' ' if len(short) > 1 and cell.k else ''}{cell.k or ''}"


def guard_table(cells: Sequence[Ablated]) -> Table:
    """For a terminal: a line per guard, what it prevents in each style and which scenarios show it."""
    styles = list(dict.fromkeys(cell.style for cell in cells))
    table = Table("guard off", *styles, title="What each guard prevents", title_justify="left")
    for guard in (*OFF, NONE):
        table.add_row(guard, *(guards_in_words(cells, guard, style, most=2) for style in styles))
        table.add_section()
    return table


def guard_markdown(cells: Sequence[Ablated]) -> str:
    """table.md of an ablation."""
    styles = list(dict.fromkeys(cell.style for cell in cells))
    lines = [
        "# What each guard prevents",
        "",
        f"| guard off | {' | '.join(styles)} |",
        f"|---|{'---|' * len(styles)}",
    ]
    lines += [
        f"| `{guard}` | {' | '.join(guards_in_words(cells, guard, style, most=20) for style in styles)} |"
        for guard in (*OFF, NONE)
    ]
    lines += ["", "## Every cell with damage", "", "| guard off | scenario | style | damage | orders | rules | again |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    lines += [
        f"| {c.guard} | {c.scenario} | {c.style} | {in_words(c.damage)} | {proportion(c.k, c.n) if c.k else ''} |"
        f" {'; '.join(c.rules)} | `{c.replay}` |"
        for c in cells
        if c.damage
    ]
    return "\n".join(lines) + "\n"


def guards_in_words(cells: Sequence[Ablated], guard: str, style: str, *, most: int = 20) -> str:
    """What the guard prevents in a style, and the scenarios that show it."""
    if guard in STYLES[style].guards_without:
        return "no counterpart"
    found = prevented(cells, guard, style)
    return "; ".join(
        f"{in_words(damage)} ({', '.join(scenarios[:most])}{', ...' if len(scenarios) > most else ''})"
        for damage, scenarios in found.items()
    )
