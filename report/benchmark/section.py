"""A part of the benchmark report: a table, how to read it, and the estimates in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.experiment import Done, Result
from bench.intervals import BOOTSTRAP_FROM, Estimate, Sample, clustered, ratio
from bench.latency import LEAST_N_FOR_INTERVAL
from report.text_table import Row

NOT_ENOUGH = "too few"
"""Instead of a quantile for which there are too few observations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """`estimates`: name -> what another run should agree with."""

    title: str
    columns: tuple[str, ...]
    lines: Sequence[Row]
    reading: str
    estimates: dict[str, Estimate] = field(default_factory=dict)


def by_arm(done: Iterable[Done]) -> dict[str, dict[int, Result]]:
    """Arm -> round -> what was measured."""
    found: dict[str, dict[int, Result]] = {}
    for trial in done:
        found.setdefault(trial.arm, {})[trial.round] = trial.result
    return found


def in_rounds(over: dict[int, Result], under: dict[int, Result], what: str) -> Estimate | None:
    """The ratio of a figure of two arms, round by round; None if they share no round."""
    pairs = [(over[n][what], under[n][what]) for n in sorted(over.keys() & under.keys())]
    return ratio(pairs) if pairs else None


def of_trials(rounds: dict[int, Result], what: str) -> Estimate:
    """The geometric mean of a figure over trials."""
    return ratio([(result[what], 1.0) for result in rounds.values()])


def quantile_ms(rounds: dict[int, Result], what: str, q: float) -> Estimate | None:
    """A quantile of all trials' times together, in ms, with an interval over trials; None of too few observations."""
    samples = [np.asarray(result[what]) for result in rounds.values() if result[what]]
    least = LEAST_N_FOR_INTERVAL[q]
    if sum(map(len, samples)) < least:
        return None

    def log_of(drawn: Sample) -> float:
        return float(np.log(1000 * np.quantile(np.concatenate(drawn), q)))

    if len(samples) < BOOTSTRAP_FROM and min(map(len, samples)) < least:
        return Estimate(log_of(samples)).exp()  # no trial has this quantile by itself
    return clustered(log_of, samples).exp()


def told(estimate: Estimate | None, digits: int = 1) -> str:
    """For a cell."""
    return NOT_ENOUGH if estimate is None else estimate.told(digits)


def mean_of(rounds: dict[int, Result], what: str) -> dict[str, float]:
    """The mean over trials of a figure that each trial has per process."""
    names = {name for result in rounds.values() for name in result[what]}
    return {
        name: float(np.mean([result[what].get(name, 0.0) for result in rounds.values()]))
        for name in sorted(names)
    }


def per_process(figures: dict[str, float], digits: int = 1, least: float = 0.05) -> str:
    """`client and services 3.0, RabbitMQ 1.6`."""
    largest = sorted(figures.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {x:.{digits}f}" for name, x in largest if x >= least)
