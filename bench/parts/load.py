"""Open loops at given rates: latency from the intended start, time to compensate, and where the time goes."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.contenders import CHOREOGRAPHY
from bench.critical_path import PARTS, critical_path
from bench.experiment import Effort, Lab, Result, Trial
from bench.open_loop import Load, loaded
from bench.parts.peers import AGAIN
from kernel.errors import Failure
from scenarios.evidence.evidence import order_ids as orders_in
from scenarios.evidence.evidence import read_evidence
from scenarios.runs.workload import NO_TIME, ServiceTimes
from scenarios.styles.index import STYLES

BASE, BARE, FAILING, TRACED = "base mix", "no service times", "10 % fail", "base mix, 10 % traced"
MIXES = (BASE, BARE, FAILING, TRACED)
TRACED_SHARE = 0.1
AROUND_S = 2.5
"""To open a system, to settle, and to judge."""


class OpenLoops:
    """Open loops."""

    name = "load"

    def trials(self, effort: Effort, *, real: bool) -> Iterable[Trial]:
        """See Part: both styles, and an identical second arm, at every rate; special mixes at the first rate only."""
        del real
        special = (BARE, TRACED) if effort.name == "full" else ()
        for number in range(effort.rounds):
            for rate in effort.rates_per_s:
                for mix in (BASE, FAILING, *(special if rate == effort.rates_per_s[0] else ())):
                    for style in STYLES:
                        twice = mix == BASE and (style == CHOREOGRAPHY or effort.name == "full")
                        for again in ("", AGAIN) if twice else ("",):
                            yield self._trial(effort, number, rate, mix, style + again)

    def _trial(self, effort: Effort, number: int, rate: float, mix: str, arm: str) -> Trial:
        return Trial(
            part=self.name,
            arm=f"{arm}, {rate:g}/s, {mix}",
            round=number,
            about_s=1.5 * effort.measure_s + AROUND_S,
            settings={
                "label": arm,
                "style": arm.removesuffix(AGAIN),
                "rate_per_s": rate,
                "mix": mix,
                "measure_s": effort.measure_s,
                "arrivals": effort.arrivals,
                "service_times": effort.service_times,
            },
        )

    async def run(self, lab: Lab, trial: Trial, folder: Path) -> Result:
        """See Part."""
        of = trial.settings
        load = _load(of)
        # The same customers in every arm of a round.
        found, ran = await loaded(
            load,
            backends=lab.backends(),
            seed=1000 * lab.seed + trial.round,
            durability=lab.durability,
            folder=folder,
        )
        if not found.as_expected:
            raise Failure(
                "not every order ended as its description says: the rate is too high for a latency"
            )
        parts_ms = _parts_ms(ran) if load.trace_sampling else {}
        return {**of, **found.to_json(), "parts_ms": parts_ms}


def _load(of: Mapping[str, Any]) -> Load:
    times = ServiceTimes.parse(of["service_times"]) if of["service_times"] else None
    return Load(
        style=of["style"],
        rate_per_s=of["rate_per_s"],
        warm_s=of["measure_s"] / 4,
        measure_s=of["measure_s"],
        cool_s=of["measure_s"] / 4,
        arrivals=of["arrivals"],
        service_times=NO_TIME if of["mix"] == BARE else times,
        failing=of["mix"] == FAILING,
        trace_sampling=TRACED_SHARE if of["mix"] == TRACED else 0.0,
    )


def _parts_ms(folder: Path) -> dict[str, list[float]]:
    """Part of the critical path -> milliseconds, of each traced saga."""
    found: dict[str, list[float]] = {part: [] for part in PARTS}
    for evidence in read_evidence(folder, orders_in(folder)).by_order.values():
        segments = critical_path(evidence)
        if segments:
            for part in PARTS:
                found[part].append(1000 * sum(s.lasted_s for s in segments if s.part == part))
    return found
