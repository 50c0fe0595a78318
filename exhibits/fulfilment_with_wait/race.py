"""The race that a Wait only hides: which share of orders is shipped before the payment has answered, as payment gets slower."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from bench.exhibits.exhibit import Played, Shown
from bench.latency import proportion
from kernel.ledger import Effect
from scenarios.campaigns.jobs import Job
from scenarios.campaigns.simulation.cores import over_cores
from scenarios.campaigns.simulation.simulated import simulate
from scenarios.runs.environment import Backends
from scenarios.runs.workload import ServiceTime, ServiceTimes

WAIT_S = 10.0
MEDIANS_S = (2.0, 5.0, 10.0, 20.0)
P99_OVER_MEDIAN = 4.0
ORDERS, SEED, TIME_SCALE, RATE_PER_S = 500, 1, 0.05, 100.0
SLOWEST_GUARDS = "-timeouts"
"""The published payment has no deadline."""


def payment_takes(median_s: float) -> ServiceTime:
    """How long a payment takes: lognormal."""
    return ServiceTime(median_s=median_s, p99_s=P99_OVER_MEDIAN * median_s)


def predicted_ratio(median_s: float) -> float:
    """The share of payments that take longer than the Wait, from the distribution alone."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if payment_takes(median_s).drawn_s(middle) < WAIT_S else (low, middle)  # fmt: skip
    return 1 - low


def shipped_unpaid(address: str, scenario: str, style: str, median_s: float) -> int:
    """How many of ORDERS orders had a parcel before the payment had answered."""
    job = Job(
        key="",
        scenario=scenario,
        style=style,
        orders=ORDERS,
        seed=SEED,
        time_scale=TIME_SCALE,
        rate_per_s=RATE_PER_S,
        saga=address,
        guards=SLOWEST_GUARDS,
    )
    spec = job.spec(Backends())
    slow = ServiceTimes({"payment": payment_takes(median_s)})
    found = simulate(replace(spec, service_times=slow), turns=None, redrive=False)
    assert found.ended is not None, found.failure
    ledgers = found.ended.ledgers
    answered = {r["order_id"]: r["mono_s"] for r in ledgers["payment"]["ledger"]}
    booked = {
        r["order_id"]: r["mono_s"]
        for r in ledgers["shipping"]["ledger"]
        if r["effect"] == Effect.DONE
    }
    return sum(at_s < answered.get(order_id, at_s + 1) for order_id, at_s in booked.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """The shares agree with the distribution of the payment times in the described edition, and are nothing in the corrected one."""

    kind: ClassVar[str] = "measurement"
    scenario: str
    style: str

    def commands(self, address: str) -> Sequence[str]:
        """See Proof."""
        return [
            f"saga run {self.scenario} --saga {address} --style {self.style} --orders {ORDERS} --guards={SLOWEST_GUARDS}"
            f" --service-times payment={payment_takes(median_s)}"
            for median_s in MEDIANS_S
        ]

    def jobs(self, address: str) -> Sequence[Job]:
        """See Proof: it counts under virtual time in any case."""
        return []

    def attempt(self, address: str, played: Mapping[str, Played]) -> Sequence[Shown]:
        """See Proof."""
        pieces = [(address, self.scenario, self.style, median_s) for median_s in MEDIANS_S]
        hurt = list(over_cores(shipped_unpaid, pieces))
        lines, agrees = [], True
        for median_s, k in zip(MEDIANS_S, hurt, strict=True):
            measured, theory = proportion(k, ORDERS), predicted_ratio(median_s)
            agrees = agrees and measured.low_ratio <= theory <= measured.high_ratio
            lines.append(
                f"payment median {median_s:g} s: {measured} shipped before the payment had answered; payments above {WAIT_S:g} s: {100 * theory:.1f} %"
            )
        counted = ", ".join(
            f"{k} at a payment median of {median_s:g} s"
            for median_s, k in zip(MEDIANS_S, hurt, strict=True)
        )
        return [
            Shown(
                style=self.style,
                shown=agrees and any(hurt),
                clean=not any(hurt),
                found=f"shipped before the payment had answered, of {ORDERS}: {counted}",
                witnesses=tuple(lines),
            )
        ]
