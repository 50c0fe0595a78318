"""The service map as a picture: services on a circle, arrows between them."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from bench.service_map import CONDUCTOR, Edge

WORST_RATIO = 0.5
"""Error ratio at which an arrow has the full colour."""
_SHADES = LinearSegmentedColormap.from_list("errors", ["#b9a44a", "#777a78", "#00204d"])


def map_figure(edges: Mapping[str, Sequence[Edge]]) -> Figure:
    """One panel per arm: width = calls, colour = share without an answer, label = calls and p95."""
    shown = {arm: some for arm, some in edges.items() if some}
    across = min(2, len(shown))
    down = -(-len(shown) // across)
    figure = Figure(figsize=(5.0 * across + 0.6, 4.8 * down), layout="constrained")
    panels = list(figure.subplots(down, across, squeeze=False).flat)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    for axes, (arm, some) in zip(panels, shown.items(), strict=False):
        _panel(axes, some)
        axes.set_title(arm, fontsize=10)
    scale = ScalarMappable(Normalize(0, WORST_RATIO), _SHADES)
    bar = figure.colorbar(scale, ax=panels, shrink=0.6 / down, extend="max", ticks=[0, 0.25, 0.5])
    bar.ax.set_yticklabels(["0 %", "25 %", "50 %"], fontsize=8)
    bar.set_label("calls without an answer", fontsize=8)
    return figure


def _panel(axes: Axes, edges: Sequence[Edge]) -> None:
    services = list(dict.fromkeys(name for edge in edges for name in (edge.caller, edge.callee)))
    middle = [name for name in services if name == CONDUCTOR]
    around = sorted(name for name in services if name != CONDUCTOR)
    places = dict.fromkeys(middle, (0.0, 0.0))
    for number, name in enumerate(around):
        angle = math.pi / 2 - 2 * math.pi * number / len(around)
        places[name] = (math.cos(angle), math.sin(angle))
    most = max(edge.calls for edge in edges)
    boxes = {
        name: axes.text(
            x, y, name, ha="center", va="center", fontsize=9, zorder=5,
            bbox={"boxstyle": "round,pad=0.4", "facecolor": "#eef2f7", "edgecolor": "#55606e"},
        )
        for name, (x, y) in places.items()
    }  # fmt: skip
    for edge in edges:
        (x0, y0), (x1, y1) = places[edge.caller], places[edge.callee]
        if edge.caller == edge.callee:
            axes.text(x0, y0 - 0.17, f"to itself: {edge.calls:,}, {1000 * edge.p95_s:.0f} ms", ha="center", fontsize=6.5)  # fmt: skip
            continue
        ratio = edge.errors / edge.calls
        axes.annotate(
            "", (x1, y1), (x0, y0), zorder=2,
            arrowprops={
                "arrowstyle": "-|>", "mutation_scale": 12, "patchA": boxes[edge.caller].get_bbox_patch(),
                "patchB": boxes[edge.callee].get_bbox_patch(), "shrinkA": 1, "shrinkB": 1,
                "connectionstyle": "arc3,rad=0.18", "color": _SHADES(min(1.0, ratio / WORST_RATIO)),
                "linewidth": 0.8 + 3.2 * edge.calls / most,
            },
        )  # fmt: skip
        # Nearer to the caller, so that what crosses in the middle stays readable; the arc bends to the right of its way.
        x, y = x0 + 0.36 * (x1 - x0) + 0.085 * (y1 - y0), y0 + 0.36 * (y1 - y0) - 0.085 * (x1 - x0)
        axes.text(
            x, y, f"{edge.calls:,}\n{1000 * edge.p95_s:.0f} ms", ha="center", va="center", fontsize=6.5, zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8},
        )  # fmt: skip
    axes.set_xlim(-1.35, 1.35)
    axes.set_ylim(-1.25, 1.25)
    axes.set_aspect("equal")
    axes.set_axis_off()
