"""One order in six pictures: what its customer wanted, what struck, and where it ended."""

from collections.abc import Sequence
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from report.replay import Step, held, steps
from report.saga_in_run import SagaInRun

PANELS = 6
_COLOUR = {
    "done": "#1f7a45",
    "undone": "#8a6d1d",
    "refused": "#8a6d1d",
    "failed": "#b3261e",
    "fault": "#b3261e",
    "told": "#1b4f8f",
}
_ACROSS = 3


def six(shown: Sequence[Step]) -> list[Step]:
    """The steps that tell most of an order, in their order: its beginning, what was struck, the fault, what followed there, and its end.

    Steps between them fill up what is missing.
    """
    chosen = {0, len(shown) - 1}
    struck = next((at for at, step in enumerate(shown) if step.mark == "fault"), None)
    if struck is not None:
        node = shown[struck].node
        same = [at for at, step in enumerate(shown) if step.node == node and at != struck]
        chosen |= {struck, *[at for at in same if at < struck][-1:], *[at for at in same if at > struck][:1]}  # fmt: skip
    rest = [at for at, step in enumerate(shown) if at not in chosen]
    late_first = sorted(rest, key=lambda at: (shown[at].mark == "told", -at))
    chosen |= set(late_first[: PANELS - len(chosen)])
    return [shown[at] for at in sorted(chosen)][:PANELS]


def cartoon(saga: SagaInRun) -> Figure:
    """Six panels with who, what, and what everybody holds afterwards; what the ledgers show to be wrong is red."""
    shown = six(steps(saga))
    down = -(-len(shown) // _ACROSS)
    figure = Figure(figsize=(11, 0.5 + 2.5 * down), layout="constrained")
    panels = figure.subplots(down, _ACROSS, squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
        axes.set(xlim=(0, 1), ylim=(0, 1))
    names = held(saga)
    for number, (step, axes) in enumerate(zip(shown, panels.flat, strict=False), 1):
        _panel(axes, number, step, names, wrong=step.node in saga.wrong and step.mark == "done")
    figure.suptitle(f"{saga.order_id}, {saga.row.scenario}, {saga.row.label}: {saga.order_class}", fontsize=11)  # fmt: skip
    return figure


def _panel(axes: Axes, number: int, step: Step, names: Sequence[str], *, wrong: bool) -> None:
    colour = _COLOUR["failed"] if wrong else _COLOUR.get(step.mark, "#444")
    axes.add_patch(
        FancyBboxPatch(
            (0.02, 0.03),
            0.96,
            0.94,
            boxstyle="round,pad=0,rounding_size=0.04",
            fc="white",
            ec=colour,
            lw=2,
        )
    )
    axes.text(0.06, 0.9, f"{number}", fontsize=17, fontweight="bold", color=colour, va="top")
    axes.text(0.16, 0.89, step.actor, fontsize=9, color="#555", va="top")
    axes.text(0.16, 0.79, fill(step.title, 34), fontsize=11, fontweight="bold", color=colour, va="top")  # fmt: skip
    axes.text(0.06, 0.58, fill(step.text, 48), fontsize=9, va="top")
    holds = [f"{name}: {value}" for name, value in zip(names, step.holds, strict=True)]
    axes.text(0.06, 0.09, "\n".join(holds), fontsize=8, color="#555", va="bottom")
