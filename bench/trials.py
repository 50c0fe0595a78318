"""What is measured of one contender, over several trials."""

import statistics
from dataclasses import dataclass, field


@dataclass(slots=True)
class Trials:
    """`rates`: work done per second, one per trial. `seconds`: what each piece of work took, of all trials together."""

    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Work per second: the median of the trials."""
        return statistics.median(self.rates)

    @property
    def p50_s(self) -> float:
        """Median time of a piece of work."""
        return statistics.median(self.seconds)
