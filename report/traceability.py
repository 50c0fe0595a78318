"""How right each kind of evidence is, as tables and as a chart."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from matplotlib.figure import Figure

from bench.latency import Proportion, proportion
from report.charts import looks_of
from report.section import few
from report.text_table import Cell, Number, Row, TextTable
from scenarios.evidence.scores import KINDS, Score, together

INTACT, BROKEN = "intact", "broken"
MOST_NAMED = 4
READING = (
    "native = what the coordinator keeps by itself: RabbitMQ's dead letters, Step Functions' history. audited = choreography with an audit"
    " queue and the services' plain logs, which have to be set up; for orchestration, the history again. correlated = logs with"
    " message ids. traced = spans. Over the scenarios that every arm has, or if there is none over those of each arm. Exact = the share of sagas whose operations were all rebuilt, with their answers and causes, as the ledgers have them"
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
    arm: str
    context: str
    scores: Mapping[str, Score]

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "scenario": self.scenario,
            "style": self.style,
            "arm": self.arm,
            "context": self.context,
            "scores": {
                kind: asdict(s) | {"precision": s.precision, "recall": s.recall, "f1": s.f1}
                for kind, s in self.scores.items()
            },
        }


def summary(scored: Sequence[Scored]) -> TextTable:
    """Columns and lines: a line per arm, kind and context, over all scenarios."""
    columns = (
        "arm", "evidence", "context", "rebuilt exactly", "causes: precision", "recall", "F1", "where and why",
        "fault in top 1", "in top 3", "spans astray",
    )  # fmt: skip
    lines: list[Row] = [
        (
            arm, kind, context,
            proportion(score.exact, score.sagas),
            Number(score.precision, 3), Number(score.recall, 3), Number(score.f1, 3),
            proportion(score.where, score.sagas),
            _found(score.top_1, score), _found(score.top_3, score),
            proportion(score.orphans, score.spans) if score.spans else "",
        )
        for arm, kind, context, score in _groups(scored)
    ]  # fmt: skip
    return columns, lines


def _found(k: int, score: Score) -> Cell:
    return proportion(k, score.harmed) if score.harmed else "no fault to find"


def costs(scored: Sequence[Scored]) -> TextTable:
    """Columns and lines: what an answer about one saga costs, by arm and kind."""
    columns = ("arm", "evidence", "sources opened", "records", "kB", "ms to rebuild", "s for 1,000 sagas at AWS's 20 requests/s")  # fmt: skip
    lines: list[Row] = []
    for arm, kind, context, score in _groups(scored):
        if context == INTACT and score.sagas:
            n = score.sagas
            wait = Number(1000 * score.aws_s / n if score.requests else None, 0)
            lines.append(
                (
                    arm, kind, score.sources, Number(score.records / n, 0), Number(score.bytes / n / 1000),
                    Number(score.ms / n, 2), wait,
                )
            )  # fmt: skip
    return columns, lines


def costs_in_words(scored: Sequence[Scored]) -> str:
    """What an answer costs from native evidence, in each arm."""
    told = [
        f"{arm}: {score.sources} store{'s' if score.sources > 1 else ''}, {score.records / score.sagas:.0f} records, {score.bytes / score.sagas / 1000:.0f} kB"
        for arm, kind, context, score in _groups(scored)
        if (kind, context) == ("native", INTACT) and score.sagas
    ]
    if not told:
        return "No run had its trace context intact."
    return f"To read for one saga, from the coordinator alone: {few(told)}."


def by_scenario(scored: Sequence[Scored]) -> TextTable:
    """Columns and lines: a line per scenario, arm, context and kind."""
    columns = (
        "scenario", "arm", "context", "evidence", "rebuilt exactly", "F1", "where and why", "fault in top 1", "in top 3",
    )  # fmt: skip
    lines: list[Row] = []
    for one in sorted(scored, key=lambda o: (o.scenario, o.arm, o.context != INTACT)):
        for kind in KINDS:
            score = one.scores[kind]
            lines.append(
                (
                    one.scenario, one.arm, one.context, kind,
                    proportion(score.exact, score.sagas), Number(score.f1, 3), proportion(score.where, score.sagas),
                    _found(score.top_1, score), _found(score.top_3, score),
                )
            )  # fmt: skip
    return columns, lines


def worst_scenarios(scored: Sequence[Scored]) -> str:
    """Where evidence with ids or spans does not answer where an order is, in a sentence."""
    blind = {
        (one.scenario, one.arm, kind)
        for one in scored
        for kind in ("correlated", "traced")
        if one.context == INTACT and one.scores[kind].where < one.scores[kind].sagas
    }
    n = len({(one.scenario, one.arm) for one in scored if one.context == INTACT})
    if not blind:
        return f"With ids or with traces 'where and why' was answered for every saga in all {n} runs whose context was intact."
    told = "; ".join(
        f"{scenario} ({arm}, {kind})" for scenario, arm, kind in sorted(blind)[:MOST_NAMED]
    )
    more = f" and {len(blind) - MOST_NAMED} more" if len(blind) > MOST_NAMED else ""
    return f"Not everywhere: 'where and why' was not answered for every saga in {told}{more}, of {n} runs."


def _groups(scored: Sequence[Scored]) -> Iterable[tuple[str, str, str, Score]]:
    """Arm, kind, context, and the score over those scenarios that every arm has."""
    arms = dict.fromkeys(one.arm for one in scored)
    had = [{(one.scenario, one.context) for one in scored if one.arm == arm} for arm in arms]
    # Arms of different sagas or scenarios have none in common: then each is shown over its own.
    shared = set.intersection(*had) or set.union(*had)
    for arm in arms:
        for kind in KINDS:
            for context in (INTACT, BROKEN):
                mine = [
                    one.scores[kind]
                    for one in scored
                    if (one.arm, one.context) == (arm, context)
                    and (one.scenario, context) in shared
                ]
                if mine:
                    yield arm, kind, context, together(mine)


def parts_of(scored: Sequence[Scored], kind: str) -> dict[str, str]:
    """Arm -> right answers to where and why from one kind of evidence, with intact context."""
    return {
        arm: str(proportion(score.where, score.sagas))
        for arm, known, context, score in _groups(scored)
        if (known, context) == (kind, INTACT)
    }


def score_chart(scored: Sequence[Scored]) -> Figure:
    """Shares of sagas, with 95 % intervals: rebuilt exactly, where and why, fault in top 1; by style, kind and context."""
    groups = list(_groups(scored))
    looks = looks_of((one.arm, one.style) for one in scored)
    names = [
        f"{kind}{'' if context == INTACT else ', context broken'}" for _, kind, context, _ in groups
    ]
    ticks = list(dict.fromkeys(names))
    figure = Figure(figsize=(10, 1.6 + 0.3 * len(set(names))), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    measures: tuple[tuple[str, Callable[[Score], Proportion]], ...] = (
        ("rebuilt exactly", lambda s: proportion(s.exact, s.sagas)),
        ("where and why answered", lambda s: proportion(s.where, s.sagas)),
        ("fault is the first suspect", lambda s: proportion(s.top_1, s.harmed)),
    )
    for axes, (title, measure) in zip(panels, measures, strict=True):
        for (arm, _, _, score), name in zip(groups, names, strict=True):
            share = measure(score)
            if not share.n:
                continue
            look = looks[arm]
            shift = 0.28 - 0.56 * (list(looks).index(arm) + 0.5) / len(looks)
            at, middle = -ticks.index(name) + shift, share.k / share.n if share.n else 0.0
            axes.plot([share.low_ratio, share.high_ratio], [at, at], color=look.colour, lw=2.2)
            axes.plot(middle, at, marker=look.marker, color=look.colour, ms=5, ls="")
        axes.set_title(title, fontsize=10)
        axes.set_xlim(-0.03, 1.03)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25", "50", "75", "100 %"], fontsize=8)
        axes.grid(axis="x", alpha=0.3)
    panels[0].set_yticks([-i for i in range(len(ticks))], ticks, fontsize=9)
    handles = [
        panels[0].plot([], [], color=look.colour, marker=look.marker, label=arm)[0]
        for arm, look in looks.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure
