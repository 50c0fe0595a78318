"""Where the time of one saga went: a line per operation, in parts that do not overlap."""

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from bench.critical_path import BACKOFF, BODY, COORDINATION, PARTS, QUEUE, Segment, critical_path
from report.saga_in_run import SagaInRun

PART_COLOUR = {BODY: "#1f4e79", QUEUE: "#a9d6f0", COORDINATION: "#86909b", BACKOFF: "#e6a23c"}
PART_HATCH = {BODY: "", QUEUE: "", COORDINATION: "", BACKOFF: "///"}


def gantt_figure(saga: SagaInRun, *, until_ms: float | None = None) -> Figure | None:
    """Time since the customer came in ms, up to `until_ms`; None if the saga was not traced."""
    segments = critical_path(saga.evidence)
    if not segments:
        return None
    operations = list(dict.fromkeys(segment.operation for segment in segments))
    figure = Figure(figsize=(9.5, 1.1 + 0.32 * len(operations)), layout="constrained")
    axes = figure.subplots()
    for segment in segments:
        axes.barh(
            -operations.index(segment.operation),
            1000 * segment.lasted_s,
            left=1000 * (segment.began_s - saga.begun_s),
            color=PART_COLOUR[segment.part],
            hatch=PART_HATCH[segment.part],
            edgecolor="white" if segment.part == BACKOFF else PART_COLOUR[segment.part],
            linewidth=0.0,
            height=0.7,
        )
    axes.set_yticks([-i for i in range(len(operations))], operations, fontsize=8)
    axes.set_xlabel("ms since the customer came", fontsize=8)
    axes.set_xlim(0, until_ms)
    axes.tick_params(axis="x", labelsize=8)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    patches = [
        Patch(facecolor=PART_COLOUR[p], hatch=PART_HATCH[p], edgecolor="white", label=f"{p} {ms:.1f} ms")
        for p, ms in spent_ms(segments).items()
    ]  # fmt: skip
    figure.legend(handles=patches, loc="outside upper center", ncols=4, frameon=False, fontsize=8)
    return figure


def lasted_ms(saga: SagaInRun) -> float:
    """How long the saga took, since the customer came, as its trace tells it."""
    return max((1000 * (s.ended_s - saga.begun_s) for s in critical_path(saga.evidence)), default=0)


def spent_ms(segments: list[Segment]) -> dict[str, float]:
    """Part -> ms spent in it, without those in which none was."""
    spent = {p: 1000 * sum(s.lasted_s for s in segments if s.part == p) for p in PARTS}
    return {part: ms for part, ms in spent.items() if ms}
