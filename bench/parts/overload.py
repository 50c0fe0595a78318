"""More customers than a style can serve: what it still ends well, and how long what was left takes."""

from collections.abc import Iterable
from pathlib import Path

from bench.experiment import Effort, Lab, Result, Trial
from bench.parts.saturation import ramp, window
from scenarios.styles.index import STYLES

TIMES = (1.0, 1.2, 1.5, 2.0)
"""Of the saturation point."""
MEASURE_S = 8.0


class Overload:
    """Windows at and beyond the saturation point that the same trial found."""

    name = "overload"

    def trials(self, effort: Effort, *, real: bool) -> Iterable[Trial]:
        """See Part."""
        del real
        for number in range(max(2, effort.rounds // 3)):
            for style in STYLES:
                yield Trial(part=self.name, arm=style, round=number, about_s=150.0)

    async def run(self, lab: Lab, trial: Trial, folder: Path) -> Result:
        """See Part: `loads`, one for each of TIMES. Rates per second, `drain_s` in seconds."""
        saturation, _ = await ramp(lab, trial, folder)
        loads = []
        for times in TIMES:
            found = await window(
                lab, trial, times * saturation, MEASURE_S, folder / f"over-{times:g}"
            )
            loads.append(
                {
                    "times": times,
                    "came_per_s": found.came / MEASURE_S,
                    "ended_per_s": found.ended / MEASURE_S,
                    "good_per_s": found.good / MEASURE_S,
                    "drain_s": found.drain_s,
                    "not_as_expected": found.not_as_expected,
                    "never_ended": found.censored,
                    "cores_busy": found.cores_busy,
                }
            )
        return {"style": trial.arm, "saturation_per_s": saturation, "loads": loads}
