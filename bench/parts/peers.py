"""The baseline, the peers and both styles over one closed loop: with one order in flight, and with 64."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from bench.closed_loop import check_ledgers, loop
from bench.contenders import CHOREOGRAPHY, CONTENDERS, ORCHESTRATION, Place
from bench.experiment import Effort, Lab, Result, Trial
from bench.usage import watched
from kernel.errors import UsageError

AGAIN = " again"
"""The second of two identical arms: whatever differs between them is noise."""
MANY, WARM_UP, WARMING = 64, 60, 10
ALONE_SHARE, LEAST_ALONE, SLOW_ALONE = 0.1, 30, 6
DRAIN_S = 0.3
"""What a style does a little later (marks, audit) counts to its CPU as well."""


class Peers:
    """Closed loops."""

    name = "peers"

    def trials(self, effort: Effort, *, real: bool) -> Iterable[Trial]:
        """See Part."""
        here = {
            name: contender for name, contender in CONTENDERS.items() if not contender.missing()
        }
        arms = {name: name for name, contender in here.items() if real or not contender.rabbit}
        arms |= {name + AGAIN: name for name in (CHOREOGRAPHY, ORCHESTRATION) if name in arms}
        for number in range(effort.rounds):
            for arm, contender in arms.items():
                about_s = 12.0 if CONTENDERS[contender].slow else 1.0 + effort.closed_orders / 250
                yield Trial(
                    part=self.name,
                    arm=arm,
                    round=number,
                    about_s=about_s,
                    settings={"contender": contender, "orders": effort.closed_orders},
                )

    async def run(self, lab: Lab, trial: Trial, folder: Path) -> Result:
        """See Part: `alone_s` of each order alone; `rate_per_s`, `many_s`, CPU and memory with 64 in flight."""
        contender = CONTENDERS[trial.settings["contender"]]
        many = trial.settings["orders"] * contender.quick
        alone, warm_up = max(LEAST_ALONE, round(ALONE_SHARE * many)), WARM_UP
        if contender.slow:
            alone, warm_up, many = SLOW_ALONE, 2, MANY
        at = Place(
            url=lab.url if contender.rabbit else "",
            folder=folder,
            prefix=lab.prefix(),
            durability=lab.durability,
        )
        try:
            async with contender.opened(at) as place:
                await loop(place, folder, prefix="w", orders=warm_up, in_flight=WARMING)
                one = await loop(place, folder, prefix="a", orders=alone, in_flight=1)
                async with watched() as used:
                    found = await loop(place, folder, prefix="m", orders=many, in_flight=MANY)
                    await asyncio.sleep(DRAIN_S)
        except Exception as error:
            if not contender.is_not:
                raise
            raise UsageError(f"the peer failed: {error!r}") from error
        check_ledgers(folder, orders=warm_up + alone + many)
        mine = (
            used.cpu_s
            if contender.rabbit
            else {k: v for k, v in used.cpu_s.items() if k != "RabbitMQ"}
        )
        return {
            "alone_s": one.seconds,
            "rate_per_s": found.rate_per_s,
            "many_s": found.seconds,
            "cpu_ms_per_saga": {name: 1000 * spent / many for name, spent in mine.items()},
            "memory_mib": {name: used.memory_mib[name] for name in mine},
        }
