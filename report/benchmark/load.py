"""Latency of open loops, time to compensate, and where the time goes."""

from collections.abc import Iterable
from itertools import combinations
from typing import Any

import numpy as np

from bench.critical_path import PARTS
from bench.experiment import Done
from bench.intervals import Estimate, ratio
from bench.latency import LEAST_N_FOR_INTERVAL, quantile
from bench.parts.load import BASE, FAILING, MIXES, TRACED
from bench.parts.peers import AGAIN
from report.benchmark.section import (
    Section,
    by_arm,
    mean_of,
    per_process,
    quantile_ms,
    told,
)
from scenarios.styles.index import STYLES

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
SATURATED = 0.95
LATE_SHARE = 0.1
"""A client that is later than this share of the median latency measures itself."""


def sections(done: Iterable[Done]) -> list[Section]:
    """Latency, ratios, compensation, resources, and where the time goes."""
    arms = by_arm(done)
    if not arms:
        return []
    ordered = sorted(arms.items(), key=lambda item: _order(next(iter(item[1].values()))))
    found = [_latency(ordered), _ratios(ordered), _compensation(ordered), _resources(ordered)]
    return [s for s in [*found, _parts(ordered)] if s.lines]


Arms = list[tuple[str, dict[int, dict[str, Any]]]]


def _order(result: dict[str, Any]) -> tuple[float, int, str]:
    return (result["rate_per_s"], MIXES.index(result["mix"]), result["label"])


def _latency(arms: Arms) -> Section:
    lines, estimates = [], {}
    for arm, rounds in arms:
        results = list(rounds.values())
        found = {name: quantile_ms(rounds, "latency_s", q) for name, q in QUANTILES.items()}
        ended = sum(len(r["latency_s"]) for r in results)
        censored = sum(r["censored"] for r in results)
        share = sum(r["ended"] for r in results) / max(1, sum(r["came"] for r in results))
        lines.append(
            (
                arm,
                f"{ended} in {len(results)} trials",
                str(censored),
                *(told(estimate) for estimate in found.values()),
                f"{100 * share:.0f} %" + (" SATURATED" if share < SATURATED else ""),
                _late(results),
            )
        )
        if found["p50"] is not None:
            estimates[f"{arm}, p50 ms"] = found["p50"]
    return Section(
        title="Latency of an open loop, ms",
        columns=(
            "arm",
            "sagas",
            "censored",
            *QUANTILES,
            "ended of those who came",
            "client late, p99 ms",
        ),
        lines=lines,
        reading="Open loop: customers arrive on schedule, however slow the system is; latency runs from the scheduled arrival to the order's last ledger row."
        " Intervals (95 %) draw whole trials. A p99 needs 368 sagas, a p99.9 needs 3,688, otherwise it is not shown. Censored: not ended when the run was."
        " A client that is late itself measures its own lack of time.",
        estimates=estimates,
    )


def _late(results: list[dict[str, Any]]) -> str:
    late = 1000 * (quantile([x for r in results for x in r["lateness_s"]], 0.99) or 0)
    p50 = 1000 * (quantile([x for r in results for x in r["latency_s"]], 0.5) or 0)
    return f"{late:.1f}" + (" TOO LATE" if late > max(LATE_SHARE * p50, 5) else "")


def _ratios(arms: Arms) -> Section:
    by_label: dict[tuple[float, str], dict[str, dict[int, dict[str, Any]]]] = {}
    for _, rounds in arms:
        result = next(iter(rounds.values()))
        by_label.setdefault((result["rate_per_s"], result["mix"]), {})[result["label"]] = rounds
    lines, estimates = [], {}
    for (rate, mix), of in by_label.items():
        styles = [(after, before) for before, after in combinations(STYLES, 2)]
        for over, under in (*styles, *((style + AGAIN, style) for style in STYLES)):
            if over not in of or under not in of:
                continue
            name = f"{over} : {under}, {rate:g}/s, {mix}"
            cells = []
            for quantile_name, q in (("p50", 0.5), ("p95", 0.95)):
                estimate = _quantile_ratio(of[over], of[under], q)
                cells.append(told(estimate, 2))
                if estimate is not None:
                    estimates[f"{name}, {quantile_name}"] = estimate
            lines.append((name, *cells))
    return Section(
        title="Latency, divided",
        columns=("pair", "p50", "p95"),
        lines=lines,
        reading="The same customers in both arms of a round, so each round gives one ratio; above 1: the first is slower. A style divided by itself"
        " shows the noise.",
        estimates=estimates,
    )


def _quantile_ratio(over: dict[int, Any], under: dict[int, Any], q: float) -> Estimate | None:
    pairs = []
    for number in sorted(over.keys() & under.keys()):
        both = [side[number]["latency_s"] for side in (over, under)]
        if min(map(len, both)) >= LEAST_N_FOR_INTERVAL[q]:
            a, b = (quantile(times, q) or 0 for times in both)
            pairs.append((a, b))
    return ratio(pairs) if pairs else None


def _compensation(arms: Arms) -> Section:
    lines = []
    for arm, rounds in arms:
        if not any(r["mix"] in (FAILING, BASE) for r in rounds.values()):
            continue
        n = sum(len(r["compensation_s"]) for r in rounds.values())
        cells = [told(quantile_ms(rounds, "compensation_s", QUANTILES[q])) for q in ("p50", "p95", "p99")]  # fmt: skip
        lines.append((arm, str(n), *cells))
    return Section(
        title="Time to compensate, ms",
        columns=("arm", "compensated sagas", "p50", "p95", "p99"),
        lines=lines,
        reading="From the row that says no to the last undo. With 10 % failing every tenth order is undeliverable: three compensations, no service times. If it"
        " is as short at the higher rate, compensations do not wait behind other work. In the base mix most who turn back were declined: two compensations.",
    )


def _resources(arms: Arms) -> Section:
    lines = [
        (
            arm,
            per_process(mean_of(rounds, "cpu_ms_per_saga"), 2),
            per_process(mean_of(rounds, "cores_busy"), 2, least=0.01),
            per_process(mean_of(rounds, "memory_mib"), 0),
        )
        for arm, rounds in arms
        if AGAIN not in arm
    ]
    return Section(
        title="CPU and memory",
        columns=("arm", "CPU ms per saga", "cores busy in the window", "memory gained, MiB"),
        lines=lines,
        reading="CPU within the measured window, by the sagas that ended in it. Memory: the most that a process gained during a trial; the engine is started anew for each,"
        " RabbitMQ and the client are not, so theirs is what the trial added. A broker that is merely open during the other style's trial is listed with what it uses.",
    )


def _parts(arms: Arms) -> Section:
    lines = []
    for arm, rounds in arms:
        parts = {p: [x for r in rounds.values() for x in r["parts_ms"].get(p, [])] for p in PARTS}
        if n := len(parts[PARTS[0]]):
            lines.append((arm, str(n), *(f"{np.mean(of):.2f}" for of in parts.values())))
    return Section(
        title="Where the time of a saga goes, mean ms",
        columns=("arm", "traced sagas", *PARTS),
        lines=lines,
        reading="From the spans of one trace in ten, from the customer's call on. The body is what the services do themselves (the payment's service time is in it), the same"
        f" in both styles; arms of “{TRACED}” alone.",
    )
