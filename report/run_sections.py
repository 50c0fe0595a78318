"""The sections about runs: outcomes, damage, latency, course, and where the time went."""

from collections.abc import Mapping

from bench.critical_path import PARTS
from bench.latency import Proportion, proportion
from report import forest
from report.again import command_of
from report.breakdown import breakdown_bars, inconsistency_bars
from report.charts import by_scenario, latency_ecdf, outcome_bars
from report.forest import COLUMNS as FOREST_COLUMNS
from report.forest import forest_plot, ratios
from report.found import Found
from report.map_figure import map_figure
from report.over_time import COLUMNS as COURSE_COLUMNS
from report.over_time import course_of, lines, over_time, telling_runs
from report.section import Section, few
from report.text_table import Number, Row


def _bad(found: Found) -> Proportion:
    meaningful = [row for row in found.rows if not row.no_counterpart]
    return proportion(
        sum(len(row.bad) for row in meaningful), sum(row.orders for row in meaningful)
    )


def outcomes(found: Found) -> Section:
    """How the orders ended."""
    lines: list[Row] = [
        (run.scenario, run.label, name, proportion(k, run.orders))
        for runs in by_scenario(found.rows).values()
        for run in runs
        for name, k in run.classes().items()
    ]
    bad = _bad(found)
    wrong = [row for row in found.rows if not row.verdict["as_expected"]]
    told = (
        "every run ended as its scenario says"
        if not wrong
        else f"{len(wrong)} of {len(found.rows)} runs did not end as their scenario says"
    )
    hurt = sum(bool(row.bad) for row in found.rows)
    start = f"No order of {bad.n} ended inconsistent ({bad.interval()})"
    if bad.k:  # runs with and without safeguards have no rate in common
        start = f"{bad.k} of {bad.n} orders ended inconsistent, in {hurt} of {len(found.rows)} runs"
    if full := sum(bool(row.load.get("saturated")) for row in found.rows):
        start = f"{full} of {len(found.rows)} runs are saturated, so that nothing follows from them. {start}"
    return Section(
        name="outcomes",
        title="How did the orders end?",
        answer=f"{start}; {told}.",
        reading="Each bar is one run: the shares of its orders by verdict. To the right, the share that ended inconsistent, with its 95 % interval.",
        not_reading="No bar says how often such faults happen to you: they were injected. None of n is a bound (3/n), not zero.",
        command=command_of(found.rows),
        figure=outcome_bars(found.rows),
        table=(("scenario", "arm", "verdict", "orders"), lines),
    )


def latency(found: Found) -> Section | None:
    """How long orders took."""
    rows = [row for row in found.rows if row.comparable and row.times("latency_s")]
    figure = latency_ecdf(found.rows)
    if figure is None:
        return None
    lines: list[Row] = [
        (
            row.scenario, row.label, len(row.times("latency_s")),
            *(Number(1000 * (row.latency_s(q) or 0.0)) for q in (0.5, 0.95, 0.99)),
            row.orders - len(row.times("latency_s")),
        )
        for row in rows
    ]  # fmt: skip
    medians = [1000 * (row.latency_s(0.5) or 0.0) for row in rows]
    return Section(
        name="latency",
        title="How long did orders take?",
        answer=f"The median order took {min(medians):.0f} to {max(medians):.0f} ms, depending on scenario and arm: about, as measured on this machine.",
        reading="Each curve is one run: the share of ended orders (vertical) that took at most the given time (horizontal, log scale), from the intended start to the order's last ledger row.",
        not_reading="Retry waits are scaled and part of it; orders that did not end are not in the curve but in the last column. An emulated engine's time is not AWS's time. Full tracing costs choreography more (docs/traceability.md).",
        command=command_of(rows),
        figure=figure,
        table=(("scenario", "arm", "ended", "p50 ms", "p95 ms", "p99 ms", "not ended"), lines),
    )


def compared(found: Found) -> Section | None:
    """How the styles' medians compare."""
    pairs = ratios(found.rows)
    if not pairs:
        return None
    return Section(
        name="ratios",
        title="In which style did the median order take less time?",
        answer=forest.in_words(pairs),
        reading="One line for each pair of runs that differ in their style alone: the ratio of their medians over the same customers, with its 95 % bootstrap interval (2,000 resamples of orders).",
        not_reading="The interval is about the orders of one run of each style on this machine: another run may lie outside of it. Runs with inconsistent orders are left out: an order that is done twice ends when it was done last. For a claim about a style repeat runs (saga bench).",
        command=command_of([row for row in found.rows if row.comparable]),
        figure=forest_plot(pairs),
        table=(FOREST_COLUMNS, [pair.line() for pair in pairs]),
    )


def course(found: Found) -> Section | None:
    """How one scenario went over time."""
    shown = telling_runs(found.rows)
    if not shown:
        return None
    courses = [course_of(row) for row in shown]
    longest = max(one.lasted_s() for one in courses)
    disturbed = any(one.shaded for one in courses)
    faulty = any(row.about["plan"]["faults"] for row in shown)
    what = "under its faults" if faulty else "without a fault"
    what = "with its coordinator disturbed" if disturbed else what
    every = sum(row.scenario == shown[0].scenario and not row.no_counterpart for row in found.rows)
    left = f" {len(shown)} of its {every} runs are shown." if every > len(shown) else ""
    return Section(
        name="over_time",
        title=f"What happened over time in {shown[0].scenario}?",
        answer=f"{shown[0].scenario} {what}: from the first customer to the last order about {longest:.1f} s.{left}",
        reading="Above, customers who came, orders that were accepted and orders that ended, per second. Below, a dot per order that ended: when its customer came, how long it took, and how it ended. Shaded: the coordinator was down, frozen or cut off.",
        not_reading="An order that did not end has no dot. The shading ends when the fault does, not when the system has recovered.",
        command=command_of(shown),
        figure=over_time(courses),
        table=(COURSE_COLUMNS, lines(courses)),
    )


def _shares(parts: Mapping[tuple[str, str], Mapping[str, float]]) -> str:
    """Where each arm's time went, as shares without backoff."""
    told = []
    for arm in dict.fromkeys(arm for _, arm in parts):
        sums = {p: sum(spent[p] for (_, a), spent in parts.items() if a == arm) for p in PARTS[:-1]}
        whole = sum(sums.values()) or 1.0
        told.append(
            f"{arm} {', '.join(f'{100 * ms / whole:.0f} % {part}' for part, ms in sums.items())}"
        )
    return f"Backoff apart, over all scenarios, about: {few(told)}."


def breakdown(found: Found) -> Section | None:
    """Where the time went."""
    parts_of = found.parts()
    if not parts_of:
        return None
    lines: list[Row] = [
        (scenario, arm, *(Number(parts[part], 2) for part in PARTS), Number(sum(parts.values()), 2))
        for (scenario, arm), parts in parts_of.items()
    ]
    return Section(
        name="breakdown",
        title="Where did the time go?",
        answer=_shares(parts_of),
        reading="Each bar is the mean critical path of a run's first sagas, in parts that do not overlap: body = a participant at work; queue wait = a message or an invocation on its way; backoff = before a retry; coordination = all else, waiting for a deadline included. Measured on the first traced sagas of each run, until the last call of each, repeated ones included.",
        not_reading="Backoff belongs to the retry policy, which is the same on both sides, not to a style. What a fault holds back shows as coordination or queue wait.",
        command=command_of(found.rows),
        figure=breakdown_bars(parts_of),
        table=(("scenario", "arm", *(f"{part} ms" for part in PARTS), "sum ms"), lines),
    )


def inconsistency(found: Found) -> Section:
    """For how long ended orders contradicted their effects."""
    rows = [row for row in found.rows if not row.no_counterpart]
    lines: list[Row] = [
        (
            row.scenario, row.label,
            Number(row.inconsistency_s(still_open=False), 3),
            row.still_open("inconsistency"),
            Number(row.inconsistency_s(still_open=True), 3),
        )
        for row in rows
    ]  # fmt: skip
    total = sum(row.inconsistency_s(still_open=False) for row in rows)
    still = sum(row.still_open("inconsistency") for row in rows)
    told = "At no time in any of these runs."
    if total:
        told = f"For about {total:.2f} s, all orders together."
    if still:
        told = f"{told if total else ''} {still} orders still did when their run ended.".lstrip()
    return Section(
        name="inconsistency",
        title="For how long did ended orders contradict their effects?",
        answer=told,
        reading="Seconds from the moment an order was over, or was shown to be, until its effects agreed with that, summed over the run's orders. Hatched: still so when the run ended.",
        not_reading="Hatched time is cut off by the end of the run: it is a lower bound. Waits are scaled by the run's time scale.",
        command=command_of(rows),
        figure=inconsistency_bars(rows) if total or still else None,
        table=(("scenario", "arm", "seconds", "orders still so", "their seconds so far"), lines),
    )


def calls(found: Found) -> Section | None:
    """Who calls whom."""
    if not any(found.edges.values()):
        return None
    lines: list[Row] = [
        (
            arm, edge.caller, edge.callee, edge.calls, proportion(edge.errors, edge.calls),
            Number(1000 * edge.average_s), Number(1000 * edge.p95_s),
        )
        for arm, edges in found.edges.items()
        for edge in edges
    ]  # fmt: skip
    counted = few([f"{len(edges)} in {arm}" for arm, edges in found.edges.items()], by=", ")
    return Section(
        name="service_map",
        title="Who calls whom?",
        answer=f"Pairs of services that talk to each other: {counted}, over the traced sagas of all runs.",
        reading="An arrow's width is the number of calls, its colour the share that brought no answer. Latency: from the message's sending to the end of its handling.",
        not_reading="Every scenario is in it, faults and all: it describes these runs, not a healthy system.",
        command=command_of(found.rows),
        figure=map_figure(found.edges),
        table=(
            ("arm", "from", "to", "calls", "without answer", "average ms", "p95 ms"),
            lines,
        ),
    )
