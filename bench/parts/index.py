"""Every part, in the order in which they are carried out, and how much of them is done."""

from bench.experiment import Effort, Part
from bench.parts.counts import Counts
from bench.parts.faults import Faults
from bench.parts.growth import Growth
from bench.parts.load import OpenLoops
from bench.parts.overload import Overload
from bench.parts.peers import Peers
from bench.parts.saturation import Saturation

PARTS: dict[str, Part] = {
    part.name: part
    for part in (
        Counts(),
        Peers(),
        OpenLoops(),
        Faults(),
        Saturation(),
        Overload(),
        Growth(),
    )
}
QUICK = Effort(
    name="quick",
    rounds=3,
    closed_orders=400,
    measure_s=1.6,
    rates_per_s=(80.0,),
    parts=("counts", "peers", "load"),
)
FULL = Effort(
    name="full",
    rounds=10,
    closed_orders=1000,
    measure_s=4.0,
    rates_per_s=(40.0, 120.0),
    parts=tuple(PARTS),
)
