"""How right each kind of evidence is, as tables and as a chart."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from matplotlib.figure import Figure

from bench.latency import Proportion, proportion
from report.text_table import Row, TextTable
from scenarios.evidence.scores import KINDS, Score, together
from scenarios.styles.index import STYLES

INTACT, BROKEN = "intact", "broken"
READING = (
    "Over the scenarios that every style has. Exact = the share of sagas whose operations were all rebuilt, with their answers and causes, as the ledgers have them"
    " (what was done twice counts once). Where = right"
    " answers to 'where is the order, what was done last, what turned it back, what does it wait for'. Top 1 and 3 = an operation"
    " that was struck by a fault is the analyser's first suspect, or one of three."
)
NOT_READING = (
    "It measures this analyser on these logs, spans and faults, not what a person sees; and two styles differ only where the"
    " intervals do not overlap."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The scores of one run, by kind of evidence. `context`: whether trace context was propagated, INTACT or BROKEN."""

    scenario: str
    style: str
    context: str
    scores: Mapping[str, Score]

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "scenario": self.scenario,
            "style": self.style,
            "context": self.context,
            "scores": {
                kind: asdict(s) | {"precision": s.precision, "recall": s.recall, "f1": s.f1}
                for kind, s in self.scores.items()
            },
        }


def summary(scored: Sequence[Scored]) -> TextTable:
    """Columns and lines: a line per style, kind and context, over all scenarios."""
    columns = (
        "style", "evidence", "context", "rebuilt exactly", "causes: precision", "recall", "F1", "where and why",
        "fault in top 1", "in top 3", "spans astray",
    )  # fmt: skip
    lines: list[Row] = []
    for style, kind, context, score in _groups(scored):
        astray = f"{score.orphans} of {score.spans}" if kind == "traced" else ""
        lines.append(
            (
                style, kind, context,
                str(proportion(score.exact, score.sagas)),
                f"{score.precision:.3f}", f"{score.recall:.3f}", f"{score.f1:.3f}",
                str(proportion(score.where, score.sagas)),
                str(proportion(score.top_1, score.harmed)),
                str(proportion(score.top_3, score.harmed)),
                astray,
            )
        )  # fmt: skip
    return columns, lines


def costs(scored: Sequence[Scored]) -> TextTable:
    """Columns and lines: what an answer about one saga costs, by style and kind."""
    columns = ("style", "evidence", "sources opened", "records", "kB", "ms to rebuild", "1,000 sagas at AWS's 20 requests/s")  # fmt: skip
    lines: list[Row] = []
    for style, kind, context, score in _groups(scored):
        if context == INTACT and score.sagas:
            n = score.sagas
            wait = f"{1000 * score.aws_s / n:.0f} s" if score.requests else "no such quota"
            lines.append(
                (
                    style, kind, str(score.sources), f"{score.records / n:.0f}", f"{score.bytes / n / 1000:.1f}",
                    f"{score.ms / n:.2f}", wait,
                )
            )  # fmt: skip
    return columns, lines


def costs_in_words(scored: Sequence[Scored]) -> str:
    """What an answer costs from native evidence, in each style."""
    told = [
        f"{style}: {score.sources} store{'s' if score.sources > 1 else ''}, {score.records / score.sagas:.0f} records, {score.bytes / score.sagas / 1000:.0f} kB"
        for style, kind, context, score in _groups(scored)
        if (kind, context) == ("native", INTACT) and score.sagas
    ]
    if not told:
        return "No run had its trace context intact."
    return f"For one saga, from what an operator has for free: {'; '.join(told)}."


def by_scenario(scored: Sequence[Scored]) -> TextTable:
    """Columns and lines: a line per scenario, style and context. Cells: exact, F1, where, top 1 and top 3 of each kind."""
    columns = ("scenario", "style", "context", *(f"{k}: exact, F1, where, top 1/3" for k in KINDS))
    lines = []
    for one in sorted(scored, key=lambda o: (o.scenario, o.style, o.context != INTACT)):
        cells = [_cell(one.scores[kind]) for kind in KINDS]
        lines.append((one.scenario, one.style, one.context, *cells))
    return columns, lines


def _cell(score: Score) -> str:
    n, harmed = score.sagas, score.harmed
    found = f"{score.top_1}/{score.top_3} of {harmed}" if harmed else "no fault"
    return f"{score.exact} of {n}, {score.f1:.2f}, {score.where}, {found}"


def _groups(scored: Sequence[Scored]) -> Iterable[tuple[str, str, str, Score]]:
    """Style, kind, context, and the score over those scenarios that every style has."""
    styles = dict.fromkeys(one.style for one in scored)
    shared = set.intersection(
        *({(one.scenario, one.context) for one in scored if one.style == style} for style in styles)
    )
    for style in styles:
        for kind in KINDS:
            for context in (INTACT, BROKEN):
                mine = [
                    one.scores[kind]
                    for one in scored
                    if (one.style, one.context) == (style, context)
                    and (one.scenario, context) in shared
                ]
                if mine:
                    yield style, kind, context, together(mine)


def parts_of(scored: Sequence[Scored]) -> dict[str, str]:
    """Style -> right answers to where and why from native evidence, with intact context."""
    return {
        style: str(proportion(score.where, score.sagas))
        for style, kind, context, score in _groups(scored)
        if (kind, context) == ("native", INTACT)
    }


def score_chart(scored: Sequence[Scored]) -> Figure:
    """Shares of sagas, with 95 % intervals: rebuilt exactly, where and why, fault in top 1; by style, kind and context."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    groups = list(_groups(scored))
    names = [
        f"{kind}{'' if context == INTACT else ', context broken'}" for _, kind, context, _ in groups
    ]
    ticks = list(dict.fromkeys(names))
    measures: tuple[tuple[str, Callable[[Score], Proportion]], ...] = (
        ("rebuilt exactly", lambda s: proportion(s.exact, s.sagas)),
        ("where and why answered", lambda s: proportion(s.where, s.sagas)),
        ("fault is the first suspect", lambda s: proportion(s.top_1, s.harmed)),
    )
    for axes, (title, measure) in zip(panels, measures, strict=True):
        for (style, _, _, score), name in zip(groups, names, strict=True):
            share = measure(score)
            look = STYLES[style].look
            shift = 0.14 - 0.28 * list(STYLES).index(style) / max(1, len(STYLES) - 1)
            at, middle = -ticks.index(name) + shift, share.k / share.n if share.n else 0.0
            axes.plot([share.low_ratio, share.high_ratio], [at, at], color=look.colour, lw=2.2)
            axes.plot(middle, at, marker=look.marker, color=look.colour, ms=5, ls="")
        axes.set_title(title, fontsize=10)
        axes.set_xlim(-0.03, 1.03)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25", "50", "75", "100 %"], fontsize=8)
        axes.grid(axis="x", alpha=0.3)
    panels[0].set_yticks([-i for i in range(len(ticks))], ticks, fontsize=9)
    handles = [
        panels[0].plot([], [], color=s.look.colour, marker=s.look.marker, label=s.name)[0]
        for s in STYLES.values()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure
