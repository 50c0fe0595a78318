"""Retry and Catch: which error matches what, and how long to wait.

Source: Amazon States Language, "Errors"; defaults 1 s, 3 attempts, rate 2.0.
"""

import random
from collections.abc import Callable
from typing import Any

from kernel.policy import backoff_s
from orchestration.engine.errors import Ended, Fault, StatesError
from orchestration.engine.limits import MAX_RETRY_DELAY_S

NEVER_BY_ALL = frozenset({"States.Runtime", "States.DataLimitExceeded"})
"""Errors that States.ALL does not match."""
_NOT_A_TASK_FAILURE = NEVER_BY_ALL | {"States.Timeout"}


def matches(names: list[str], failure: StatesError) -> bool:
    """Whether an ErrorEquals list matches a failure."""
    error = failure.error
    if isinstance(failure, Fault) and error == "States.Runtime":
        return False  # whoever names it does not catch it either
    if error in names or (failure.heartbeat and "States.HeartbeatTimeout" in names):
        return True
    if "States.TaskFailed" in names and error not in _NOT_A_TASK_FAILURE:
        return True
    return "States.ALL" in names and error not in NEVER_BY_ALL


class Retries:
    """How often each retrier of one state has been used since the state was entered.

    `chance`: what jitter is drawn from; a replay has to draw the same.
    """

    def __init__(
        self, retriers: list[dict[str, Any]], *, chance: Callable[[], random.Random]
    ) -> None:
        self._retriers, self._chance = retriers, chance
        self._used = [0] * len(retriers)
        self.total = 0

    def next_delay_s(self, failure: StatesError) -> float | None:
        """Unscaled seconds to wait before the next attempt, or None if there is none."""
        if isinstance(failure, Ended):
            return None
        for position, retrier in enumerate(self._retriers):
            if not matches(retrier["ErrorEquals"], failure):
                continue
            if self._used[position] >= retrier.get("MaxAttempts", 3):
                return None
            self._used[position] += 1
            self.total += 1
            delay_s = backoff_s(
                attempt=self._used[position],
                interval_s=retrier.get("IntervalSeconds", 1),
                rate=retrier.get("BackoffRate", 2.0),
                cap_s=retrier.get("MaxDelaySeconds", MAX_RETRY_DELAY_S),
            )
            full = retrier.get("JitterStrategy") == "FULL"
            return self._chance().uniform(0, delay_s) if full else delay_s
        return None


def catcher(catchers: list[dict[str, Any]], failure: StatesError) -> dict[str, Any] | None:
    """The first Catch entry that matches, or None."""
    if isinstance(failure, Ended):
        return None
    return next((c for c in catchers if _catches(c["ErrorEquals"], failure)), None)


def _catches(names: list[str], failure: StatesError) -> bool:
    """Unlike Retry, Catch takes States.DataLimitExceeded for States.ALL: so AWS recorded it."""
    too_big = failure.error == "States.DataLimitExceeded"
    return matches(names, failure) or ("States.ALL" in names and too_big)
