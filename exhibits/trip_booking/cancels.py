"""How many trips stay unfinished when cancels fail at four attempts of ten: measured, beside what the arithmetic says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bench.exhibits.exhibit import DESCRIBED, Played, Shown
from bench.latency import proportion
from exhibits.trip_booking.scenarios.index import FAILING_RATIO
from kernel.policy import Policy
from scenarios.campaigns.jobs import Job
from scenarios.campaigns.simulation.cores import over_cores
from scenarios.campaigns.simulation.simulated import simulate
from scenarios.judge.verdict import OrderClass
from scenarios.runs.environment import Backends
from scenarios.styles.index import STYLES

ORDERS, SEED, TIME_SCALE, RATE_PER_S = 1000, 1, 0.05, 100.0
_OPEN = (OrderClass.PARKED, OrderClass.STUCK, OrderClass.STUCK_IN_THE_OPEN)


def predicted_ratio(cancels: int) -> float:
    """The share of trips of which at least one of so many cancels fails at every attempt."""
    attempts = Policy().max_retries + 1
    return float(1 - (1 - FAILING_RATIO**attempts) ** cancels)


def left_unfinished(address: str, scenario: str, style: str, redriven: bool) -> int:  # noqa: FBT001 - work for another process
    """How many of ORDERS trips have not ended. `redriven`: after the cancels have recovered and an operator has sent on what was parked."""
    job = Job(
        key="",
        scenario=scenario,
        style=style,
        orders=ORDERS,
        seed=SEED,
        time_scale=TIME_SCALE,
        rate_per_s=RATE_PER_S,
        saga=address,
        redrive=redriven,
    )
    found = simulate(job.spec(Backends()), turns=None, redrive=redriven)
    assert found.again is not None, found.failure
    counts = found.again.verdict.counts()
    return sum(counts[kind] for kind in _OPEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """The share of unfinished trips agrees with theory in the described edition; in the corrected one an operator redrives them, and none is left."""

    kind: ClassVar[str] = "measurement"
    scenario: str
    cancels: int

    def commands(self, address: str) -> Sequence[str]:
        """See Proof."""
        return [f"saga run {self.scenario} --saga {address} --orders {ORDERS}"]

    def jobs(self, address: str) -> Sequence[Job]:
        """See Proof: it counts under virtual time in any case."""
        return []

    def attempt(self, address: str, played: Mapping[str, Played]) -> Sequence[Shown]:
        """See Proof."""
        redriven = not address.endswith(f".{DESCRIBED}")
        pieces = [(address, self.scenario, style, redriven) for style in STYLES]
        return [
            self._in(style, left, redriven=redriven)
            for style, left in zip(STYLES, over_cores(left_unfinished, pieces), strict=True)
        ]

    def _in(self, style: str, left: int, *, redriven: bool) -> Shown:
        measured, theory = proportion(left, ORDERS), predicted_ratio(self.cancels)
        when = "unfinished once what was parked is redriven" if redriven else "unfinished"
        return Shown(
            style=style,
            shown=left > 0 and measured.low_ratio <= theory <= measured.high_ratio,
            clean=left == 0,
            found=f"{left} of {ORDERS} trips {when}: {_share(measured.low_ratio)}-{_share(measured.high_ratio)} %"
            f" at 95 % confidence; theory without a redrive: {_share(theory)} %",
        )


def _share(ratio: float) -> str:
    return f"{100 * ratio:.2f}"
