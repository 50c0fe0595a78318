"""The sections of the report: each a question, its answer, a chart, the chart's data, and how to read it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from matplotlib.figure import Figure

from bench.critical_path import PARTS
from bench.latency import Proportion, proportion, quantile
from kernel.guards import OFF
from report import traceability
from report.again import command_of
from report.breakdown import breakdown_bars, inconsistency_bars
from report.charts import by_scenario, latency_ecdf, outcome_bars
from report.found import Found
from report.guard_matrix import guard_matrix, guards_in_words
from report.heat_map import heat_map
from report.map_figure import map_figure
from report.saga_in_run import with_counterparts
from report.sweep_tables import bad_cells, what
from report.text_table import Row, TextTable
from scenarios.campaigns.ablation import ALL, NONE
from scenarios.campaigns.sweep import NOT_RUN
from scenarios.judge.verdict import BAD
from scenarios.styles.index import STYLES

MOST_LINES = 200
"""Longest table of cells in the page; the rest is in the files that it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """`answer`: what the data say, in a sentence. `reading`, `not_reading`: how to read the chart, and how not. `command`: what makes the data."""

    name: str
    title: str
    answer: str
    reading: str
    not_reading: str
    command: str
    figure: Figure | None
    table: TextTable


def sections(found: Found) -> Iterator[Section]:
    """All that there are data for."""
    makers: tuple[Callable[[Found], Section | None], ...] = (
        _outcomes, _latency, _breakdown, _inconsistency, _traceability, _by_scenario, _evidence_costs, _map, _faults, _guards,
    )  # fmt: skip
    for make in makers:
        if section := make(found):
            yield section


def _bad(found: Found) -> Proportion:
    bad = sum(
        v["order_class"] in BAD or v["lied"] for row in found.rows for v in row.verdict["orders"]
    )
    return proportion(bad, sum(row.orders for row in found.rows))


def _outcomes(found: Found) -> Section:
    lines: list[Row] = []
    for runs in by_scenario(found.rows).values():
        for run in runs:
            for name, k in run.classes().items():
                lines.append((run.scenario, run.style, name, str(proportion(k, run.orders))))
    wrong = [row for row in found.rows if not row.verdict["as_expected"]]
    told = (
        "every run ended as its description says"
        if not wrong
        else f"{len(wrong)} of {len(found.rows)} runs did not end as their scenario says"
    )
    return Section(
        name="outcomes",
        title="What became of the orders?",
        answer=f"Inconsistent: {_bad(found)} orders; {told}.",
        reading="Each bar is one run: the shares of its orders by verdict. To the right, the share that ended inconsistent, with its 95 % interval.",
        not_reading="No bar says how often such faults happen to you: they were injected. None of n is a bound (3/n), not zero.",
        command=command_of(found, "saga run all"),
        figure=outcome_bars(found.rows),
        table=(("scenario", "style", "verdict", "orders (95 % interval)"), lines),
    )


def _latency(found: Found) -> Section | None:
    rows = [row for row in found.rows if row.comparable and row.times("latency_s")]
    figure = latency_ecdf(found.rows)
    if figure is None:
        return None
    lines = [
        (
            row.scenario, row.style, str(len(row.times("latency_s"))),
            *(f"{1000 * (row.latency_s(q) or 0.0):.1f}" for q in (0.5, 0.95, 0.99)),
            str(row.orders - len(row.times("latency_s"))),
        )
        for row in rows
    ]  # fmt: skip
    return Section(
        name="latency",
        title="How long did orders take?",
        answer=_faster(found),
        reading="Each curve is one run: the share of ended orders (up) that took at most so many ms (right, log scale), from the intended start to the order's last ledger row.",
        not_reading="Retry waits are scaled and part of it; orders that did not end are not in the curve but in the last column. An emulated engine's time is not AWS's time. Full tracing costs the choreography more (docs/traceability.md).",
        command=command_of(found, "saga run all"),
        figure=figure,
        table=(("scenario", "style", "ended", "p50 ms", "p95 ms", "p99 ms", "not ended"), lines),
    )


def _faster(found: Found) -> str:
    """How the styles' medians compare, over pairs of runs that differ in nothing else."""
    rows = [row for row in found.rows if row.comparable]
    first, second = list(STYLES)[:2]
    ratios = []
    for row in rows:
        if row.style == first:
            middle = {run.style: run.latency_s(0.5) for run in with_counterparts(row, rows)}
            if (a := middle[first]) and (b := middle.get(second)):
                ratios.append(a / b)
    if not ratios:
        return "Only one style is comparable here."
    less = sum(ratio < 1 for ratio in ratios)
    return (
        f"The median order took less time in {first} in {less} of {len(ratios)} pairs of runs; its median was"
        f" {min(ratios):.2f} to {max(ratios):.2f} times that of {second}, {quantile(ratios, 0.5) or 0:.2f} times in the middle."
    )


def _shares(parts: Mapping[tuple[str, str], Mapping[str, float]]) -> str:
    """Where each style's time went, as shares without backoff."""
    told = []
    for style in dict.fromkeys(style for _, style in parts):
        sums = {
            p: sum(spent[p] for (_, s), spent in parts.items() if s == style) for p in PARTS[:-1]
        }
        whole = sum(sums.values()) or 1.0
        told.append(
            f"{style} {', '.join(f'{100 * ms / whole:.0f} % {part}' for part, ms in sums.items())}"
        )
    return f"Backoff apart, over all scenarios: {'; '.join(told)}."


def _breakdown(found: Found) -> Section | None:
    parts_of = found.parts()
    if not parts_of:
        return None
    lines = [
        (scenario, style, *(f"{parts[part]:.2f}" for part in PARTS), f"{sum(parts.values()):.2f}")
        for (scenario, style), parts in parts_of.items()
    ]
    return Section(
        name="breakdown",
        title="Where did the time go?",
        answer=_shares(parts_of),
        reading="Each bar is the mean critical path of a run's first sagas, in parts that do not overlap: body = a participant at work; queue wait = a message or an invocation on its way; backoff = before a retry; coordination = all else, waiting for a deadline included. Measured on the first traced sagas of each run.",
        not_reading="Backoff belongs to the retry policy, which is the same on both sides, not to a style. What a fault holds back shows as coordination or queue wait.",
        command=command_of(found, "saga run all"),
        figure=breakdown_bars(parts_of),
        table=(("scenario", "style", *(f"{part} ms" for part in PARTS), "sum ms"), lines),
    )


def _inconsistency(found: Found) -> Section:
    lines = [
        (
            row.scenario, row.style,
            f"{row.inconsistency_s(still_open=False):.3f}",
            str(row.still_open("inconsistency")),
            f"{row.inconsistency_s(still_open=True):.3f}",
        )
        for row in found.rows
        if not row.no_counterpart
    ]  # fmt: skip
    total = sum(row.inconsistency_s(still_open=False) for row in found.rows)
    still = sum(row.still_open("inconsistency") for row in found.rows)
    return Section(
        name="inconsistency",
        title="For how long did ended orders contradict their effects?",
        answer=f"{total:.2f} s over all orders together, and {still} orders for which it had not ended when their run did.",
        reading="Seconds from the moment an order was over, or was told to be, until its effects agreed with that, summed over the run's orders. Hatched: still so when the run ended.",
        not_reading="Hatched time is cut off by the end of the run; it is no duration. Waits are scaled by the run's time scale.",
        command=command_of(found, "saga run all"),
        figure=inconsistency_bars(found.rows),
        table=(("scenario", "style", "seconds", "orders still so", "their seconds so far"), lines),
    )


def _traceability(found: Found) -> Section | None:
    if not found.scored:
        return None
    parts = traceability.parts_of(found.scored)
    told = (
        "; ".join(f"{style} {share}" for style, share in parts.items())
        or "no run had its trace context intact"
    )
    return Section(
        name="traceability",
        title="Can one see what happened, and why?",
        answer=f"Where an order is and why, answered rightly from what an operator has for free: {told}.",
        reading=traceability.READING,
        not_reading=traceability.NOT_READING,
        command=command_of(found, "saga traceability"),
        figure=traceability.score_chart(found.scored),
        table=traceability.summary(found.scored),
    )


def _by_scenario(found: Found) -> Section | None:
    if not found.scored:
        return None
    return Section(
        name="traceability_by_scenario",
        title="Can one see it in every scenario?",
        answer="Scenario by scenario and style by style; context: whether trace context was intact, or one service lost it.",
        reading="Each cell: sagas rebuilt exactly; F1 of the causes; right answers to where and why; struck operation is the first suspect, and one of three.",
        not_reading="A scenario without faults of its own has nothing to be found.",
        command=command_of(found, "saga traceability"),
        figure=None,
        table=traceability.by_scenario(found.scored),
    )


def _evidence_costs(found: Found) -> Section | None:
    if not found.scored:
        return None
    return Section(
        name="evidence",
        title="What does an answer cost?",
        answer=traceability.costs_in_words(found.scored),
        reading="Means per saga. AWS lets an account ask for 20 histories a second, so many sagas have to wait.",
        not_reading="The ms are those of this program on this machine; logs and queues without an index must be read whole to find one order's lines.",
        command=command_of(found, "saga traceability"),
        figure=None,
        table=traceability.costs(found.scored),
    )


def _map(found: Found) -> Section | None:
    if not any(found.edges.values()):
        return None
    lines = [
        (
            style, edge.caller, edge.callee, str(edge.calls), str(proportion(edge.errors, edge.calls)),
            f"{1000 * edge.average_s:.1f}", f"{1000 * edge.p95_s:.1f}",
        )
        for style, edges in found.edges.items()
        for edge in edges
    ]  # fmt: skip
    return Section(
        name="service_map",
        title="Who calls whom?",
        answer=f"{', '.join(f'{len(edges)} edges in the {style}' for style, edges in found.edges.items())}, over the traced sagas of all runs.",
        reading="An arrow's width is the number of calls, its colour the share that brought no answer. Latency: from the message's sending to the end of its handling.",
        not_reading="Every scenario is in it, faults and all: it describes these runs, not a healthy system.",
        command=command_of(found, "saga run all"),
        figure=map_figure(found.edges),
        table=(
            ("style", "from", "to", "calls", "without answer", "average ms", "p95 ms"),
            lines,
        ),
    )


def _faults(found: Found) -> Section | None:
    if not found.cells or found.swept is None:
        return None
    run = [cell for cell in found.cells if cell.worst != NOT_RUN]
    kept = [cell for cell in run if not cell.expected]
    bad = sum(cell.inconsistent for cell in kept)
    shown = bad_cells(found.cells)
    lines = [
        (cell.style, what(cell), cell.worst, str(proportion(cell.bad, cell.orders)), cell.why)
        for cell in shown[:MOST_LINES]
    ]
    return Section(
        name="faults",
        title="Which faults break it?",
        answer=f"{proportion(bad, len(kept))} cells of the fault space are inconsistent while the coordinator keeps its promises; {len(run) - len(kept)} cells break a promise on purpose.",
        reading="Rows are operations, columns what happens there; a cell is the worst that any order came to.",
        not_reading="A pale cell is not proof: it was tried with few orders, or under virtual time. The last column breaks a promise that no coordinator breaks.",
        command=command_of(found, "saga sweep --simulated"),
        figure=heat_map(
            found.swept, found.cells, title="The worst in each cell of the fault space"
        ),
        table=(("style", "faults", "worst", "orders", "why"), lines),
    )


def _guards(found: Found) -> Section | None:
    if not found.ablated:
        return None
    styles = list(dict.fromkeys(cell.style for cell in found.ablated))
    lines = [
        (guard, *(guards_in_words(found.ablated, guard, style) for style in styles))
        for guard in (*OFF, NONE)
    ]
    damaged = {c.guard for c in found.ablated if c.damage and c.guard not in (ALL, NONE)}
    return Section(
        name="guards",
        title="Which safeguard prevents what?",
        answer=f"{len(damaged)} of {len(OFF)} safeguards prevent damage that some scenario shows as soon as they are off.",
        reading="Rows are the safeguard that is off, columns the scenarios; a cell is the worst that the scenario does not expect.",
        not_reading="An empty row of a style means that no scenario here needs it there, not that nothing could.",
        command=command_of(found, "saga ablate"),
        figure=guard_matrix(found.ablated),
        table=(("guard off", *styles), lines),
    )


def headline(told: list[Section]) -> list[tuple[str, str]]:
    """The answers first: question and answer."""
    return [(section.title, section.answer) for section in told]
