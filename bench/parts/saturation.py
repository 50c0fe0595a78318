"""More and more customers until a style cannot keep up, then at its saturation point (the knee) for longer, with evidence of what holds it back."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.experiment import Effort, Lab, Result, Trial
from bench.latency import LEAST_N_FOR_INTERVAL, quantile
from bench.open_loop import Load, Loaded, loaded
from bench.profile import profile
from bench.usage import python_processes
from kernel.errors import Failure
from scenarios.styles.index import STYLES

START_PER_S, LEAST_PER_S, STEP, MOST_STEPS = 100.0, 5.0, 1.3, 14
BISECTIONS = 2
KEEPS_UP = 0.95
"""A style keeps up with a rate if as many sagas end within the window as this share of those who were meant to come, and none
is given up for lack of time. A rate is too high if two windows say so."""
WARM_S, MEASURE_S, COOL_S = 1.5, 4.0, 0.5
HOLD_S, PROFILED_S, PROFILE_S = 15.0, 8.0, 6
GOLDEN = 0.618
"""Rounds begin at different rates, so that their saturation points do not lie on the same few."""
HELD_SHARE = 0.9
"""The saturation point is held, and profiled, a little below: at it, half of all windows fall short by chance."""


class Saturation:
    """Ramps."""

    name = "saturation"

    def trials(self, effort: Effort, *, real: bool) -> Iterable[Trial]:
        """See Part."""
        del real
        for number in range(max(2, effort.rounds // 3)):
            for style in STYLES:
                yield Trial(part=self.name, arm=style, round=number, about_s=110.0)

    async def run(self, lab: Lab, trial: Trial, folder: Path) -> Result:
        """See Part: the steps of the ramp, the saturation point, and how it was held."""
        saturation, steps = await ramp(lab, trial, folder)
        held = await window(lab, trial, HELD_SHARE * saturation, HOLD_S, folder / "held")
        profiling = asyncio.create_task(_profiles(folder))
        try:
            await window(lab, trial, HELD_SHARE * saturation, PROFILED_S, folder / "profiled")
        finally:
            profile_of = await profiling
        return {
            "style": trial.arm,
            "steps": sorted(steps, key=lambda step: step["came_per_s"]),
            "saturation_per_s": saturation,
            "held": _step(held, HOLD_S)
            | {"sagas": held.came, "censored": held.censored, "keeps_up": keeps_up(held)},
            "profile": profile_of,
        }


async def ramp(lab: Lab, trial: Trial, folder: Path) -> tuple[float, list[Result]]:
    """The saturation point of a style in sagas per second, and every step on the way to it. Raise Failure if there is none."""
    steps: list[Result] = []

    async def goes_well(rate: float) -> bool:
        for attempt in range(2):
            found = await window(lab, trial, rate, MEASURE_S, folder / f"{rate:g}-{attempt}")
            if keeps_up(found):
                break
        steps.append(_step(found) | {"keeps_up": keeps_up(found)})
        return keeps_up(found)

    rate, saturation = START_PER_S * (1 + trial.round * GOLDEN % 1 * (STEP - 1)), 0.0
    while rate > LEAST_PER_S and not await goes_well(rate):  # a slower machine
        rate /= 2
    if rate > LEAST_PER_S:
        saturation, rate = rate, rate * STEP
    while saturation and len(steps) < MOST_STEPS and await goes_well(rate):
        saturation, rate = rate, rate * STEP
    if not saturation:
        raise Failure(f"it does not keep up with {LEAST_PER_S:g} sagas/s")
    for _ in range(BISECTIONS):
        between = (saturation + rate) / 2
        if await goes_well(between):
            saturation = between
        else:
            rate = between
    return saturation, steps


def keeps_up(found: Loaded) -> bool:
    """Whether the style kept up with its customers in the window."""
    return found.as_expected and not found.censored and found.ended >= KEEPS_UP * found.came


async def window(lab: Lab, trial: Trial, rate: float, measure_s: float, folder: Path) -> Loaded:
    """The base mix at `rate` customers a second; `measure_s` of it counted, after a warm-up."""
    load = Load(
        style=trial.arm,
        rate_per_s=rate,
        warm_s=WARM_S,
        measure_s=measure_s,
        cool_s=COOL_S,
    )
    found, _ = await loaded(
        load,
        backends=lab.backends(),
        seed=1000 * lab.seed + trial.round,
        durability=lab.durability,
        folder=folder,
    )
    return found


def _step(found: Loaded, measured_s: float = MEASURE_S) -> dict[str, Any]:
    keep = ("waiting", "cpu_ms_per_saga", "cores_busy")
    told = {name: value for name, value in found.to_json().items() if name in keep}
    enough = len(found.latency_s) >= LEAST_N_FOR_INTERVAL[0.99]
    quantiles = {"p50": 0.5} | ({"p99": 0.99} if enough else {})
    return told | {
        "came_per_s": found.came / measured_s,
        "ended_per_s": found.ended / measured_s,
        "latency_ms": {n: 1000 * (quantile(found.latency_s, q) or 0) for n, q in quantiles.items()},
        "lateness_p99_ms": 1000 * (quantile(found.lateness_s, 0.99) or 0),
    }


async def _profiles(folder: Path) -> dict[str, dict[str, float]]:
    """Process -> package -> share of its samples, a while into the run."""
    await asyncio.sleep(WARM_S + 1)
    watching = {
        name: profile(process.pid, seconds=PROFILE_S, folder=folder)
        for process, name in python_processes()
    }
    return dict(zip(watching, await asyncio.gather(*watching.values()), strict=True))
