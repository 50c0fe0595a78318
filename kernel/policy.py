"""One retry budget and one set of deadlines, for the ASL fields and the RabbitMQ delay queues alike."""

from dataclasses import dataclass
from enum import StrEnum

from kernel.guards import Guards


def backoff_s(*, attempt: int, interval_s: float, rate: float, cap_s: float) -> float:
    """Wait before retry number `attempt` (1 = first retry), in seconds, never above `cap_s`.

    interval_s * rate ** (attempt - 1).  Source: Amazon States Language, Retry.
    """
    try:
        return float(min(interval_s * rate ** (attempt - 1), cap_s))
    except OverflowError:
        return cap_s


class OnDeadline(StrEnum):
    """What becomes of a saga that is open past its deadline."""

    COMPENSATE = "compensate"
    """It is undone as far as it has come."""
    REPORT = "report"
    """It is left as it is and shown to an operator, who may have it compensated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Unscaled seconds; `time_scale` multiplies every one of them in both styles."""

    max_retries: int = 3
    interval_s: float = 1
    backoff_rate: float = 2
    max_delay_s: float = 8
    step_deadline_s: float = 5
    saga_deadline_s: float = 60
    time_scale: float = 1.0
    on_deadline: str = OnDeadline.COMPENSATE
    settled_after_s: float | None = None
    """Quiet time after which a run counts as settled; None = twice the longest wait. Less is safe where no fault can wake a saga again."""

    def retries(self, *, compensation: bool, guards: Guards) -> int:
        """Retries after the first attempt, with the run's safeguards."""
        allowed = guards.compensation_retries if compensation else guards.retries
        return self.max_retries if allowed else 0

    def delays_s(self) -> list[float]:
        """The wait before each retry, scaled, one entry per retry."""
        return [
            self.time_scale
            * backoff_s(
                attempt=attempt,
                interval_s=self.interval_s,
                rate=self.backoff_rate,
                cap_s=self.max_delay_s,
            )
            for attempt in range(1, self.max_retries + 1)
        ]

    def step_s(self) -> float:
        """The step deadline, scaled."""
        return self.step_deadline_s * self.time_scale

    def saga_s(self) -> float:
        """The saga deadline, scaled."""
        return self.saga_deadline_s * self.time_scale

    def budget_s(self) -> float:
        """The longest that one step can take: every attempt to its deadline, and the waits in between."""
        return (self.max_retries + 1) * self.step_s() + sum(self.delays_s())

    def quiet_s(self) -> float:
        """How long ledgers must stay unchanged before a run counts as settled, scaled."""
        if self.settled_after_s is not None:
            return self.settled_after_s * self.time_scale
        return 2 * max(self.delays_s(), default=self.time_scale * self.interval_s)
