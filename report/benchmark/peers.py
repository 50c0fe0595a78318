"""Floor, peers and styles as ratios."""

import statistics
from collections.abc import Iterable
from typing import Any

from bench.contenders import (
    CHOREOGRAPHY,
    CONTENDERS,
    FASTSTREAM,
    INSIDE_CHOREOGRAPHY,
    INSIDE_ORCHESTRATION,
    MOTO,
    NAIVE,
    ORCHESTRATION,
    RAW_HOPS,
    SINGLE,
)
from bench.experiment import Done
from bench.intervals import Estimate
from bench.parts.peers import AGAIN
from report.benchmark.section import (  # fmt: skip
    Section,
    by_arm,
    in_rounds,
    mean_of,
    of_trials,
    per_process,
    told,
)

PAIRS = (
    (CHOREOGRAPHY + AGAIN, CHOREOGRAPHY),
    (ORCHESTRATION + AGAIN, ORCHESTRATION),
    (ORCHESTRATION, CHOREOGRAPHY),
    (CHOREOGRAPHY, NAIVE),
    (CHOREOGRAPHY, FASTSTREAM),
    (CHOREOGRAPHY, RAW_HOPS),
    (ORCHESTRATION, MOTO),
    (INSIDE_ORCHESTRATION, INSIDE_CHOREOGRAPHY),
    (INSIDE_CHOREOGRAPHY, SINGLE),
    (INSIDE_ORCHESTRATION, SINGLE),
)
"""What may be divided: as many processes on both sides."""


def sections(done: Iterable[Done]) -> list[Section]:
    """Two tables."""
    arms = by_arm(done)
    for rounds in arms.values():
        for result in rounds.values():
            result["alone_p50_ms"] = 1000 * statistics.median(result["alone_s"])
    return [_ways(arms), _ratios(arms)] if arms else []


def _ways(arms: dict[str, Any]) -> Section:
    lines = []
    for arm, rounds in sorted(arms.items(), key=lambda item: (_order(item[0]), item[0])):
        contender = CONTENDERS[arm.removesuffix(AGAIN)]
        lines.append(
            (
                arm,
                str(contender.processes),
                told(of_trials(rounds, "rate_per_s"), 0),
                told(of_trials(rounds, "alone_p50_ms"), 2),
                per_process(mean_of(rounds, "cpu_ms_per_saga"), 2, least=0.005),
                per_process(mean_of(rounds, "memory_mib"), 0),
                contender.is_not,
            )
        )
    return Section(
        title="Floor, peers and both styles",
        columns=("contender", "processes", "sagas/s, 64 in flight", "p50 ms, alone", "CPU ms per saga", "memory gained, MiB", "what it does not do"),
        lines=lines,
        reading="The order saga of five steps without a fault, in a closed loop; every ledger was checked. Sagas/s while 64 are in flight (moto: one batch of 64);"
        " p50 to the order's last row or the customer's answer, whichever is later. Geometric means over rounds with 95 % intervals. They belong to this machine and this hour: read the ratios below.",
    )  # fmt: skip


def _ratios(arms: dict[str, Any]) -> Section:
    lines, estimates = [], {}
    for over, under in PAIRS:
        if over not in arms or under not in arms:
            continue
        rate = in_rounds(arms[over], arms[under], "rate_per_s")
        alone = in_rounds(arms[over], arms[under], "alone_p50_ms")
        name = f"{over} : {under}"
        aa = over == under + AGAIN
        lines.append((name, told(rate, 2), told(alone, 2), _noise(rate) if aa else ""))
        for what, estimate in (("throughput", rate), ("p50 alone", alone)):
            if estimate is not None:
                estimates[f"{name}, {what}"] = estimate
    return Section(
        title="Ratios",
        columns=("pair", "throughput at 64 in flight", "p50 alone", "two identical arms"),
        lines=lines,
        reading="Divided within each round, between contenders with as many processes. Throughput above 1: the first is faster; p50 above 1: the"
        " first is slower. The first two lines divide a style by itself: what differs there is noise.",
        estimates=estimates,
    )


def _noise(rate: Estimate | None) -> str:
    """What identical arms teach: no smaller difference means anything."""
    if rate is None or rate.low is None:
        return "too few rounds to know"
    return f"noise: up to {100 * rate.noise():.0f} %" + ("" if rate.holds(1.0) else ", and they DIFFER")  # fmt: skip


def _order(arm: str) -> int:
    return list(CONTENDERS).index(arm.removesuffix(AGAIN))
