"""How soon a failure is noticed, and how long it takes until all is well again: read from ledgers alone."""

from collections.abc import Iterable
from pathlib import Path

from bench.experiment import Effort, Lab, Result, Trial
from bench.open_loop import rows_by_order
from scenarios.catalog.index import SCENARIOS
from scenarios.fault_plan import DISTURBANCES
from scenarios.run_folder import read_json, read_lines
from scenarios.run_spec import RunSpec
from scenarios.runner import run
from scenarios.systems import STYLES
from scenarios.verdict import Judgement
from scenarios.workload import NO_TIME
from shared_domain.errors import Failure

NOTICED = ("lost_reply", "crash_before_commit", "crash_after_commit", "flaky_participant")
"""Stories in which a saga is struck and must go on."""
RECOVERED = ("coordinator_killed", "frozen", "cut_off")
"""Stories in which the coordinator is struck, and every saga in flight with it."""
TIME_SCALE = 0.2
ORDERS, RATE_PER_S = 60, 30.0


class Faults:
    """Detection and recovery."""

    name = "faults"

    def trials(self, effort: Effort, *, real: bool) -> Iterable[Trial]:
        """See Part."""
        del real
        for number in range(max(3, effort.rounds // 2)):
            for story in (*NOTICED, *RECOVERED):
                for style in STYLES:
                    yield Trial(
                        part=self.name,
                        arm=f"{style}, {story}",
                        round=number,
                        about_s=9.0,
                        settings={"style": style, "story": story},
                    )

    async def carry_out(self, lab: Lab, trial: Trial, folder: Path) -> Result:
        """See Part: `noticed_s` per struck saga; `silent_s` and `recovered_s` of a struck coordinator. Not scaled back."""
        spec = RunSpec(
            scenario=SCENARIOS[trial.settings["story"]],
            style=trial.settings["style"],
            orders=ORDERS,
            seed=1000 * lab.seed + trial.round,
            backends=lab.backends(),
            rate_per_s=RATE_PER_S,
            time_scale=TIME_SCALE,
            durability=lab.durability,
            evidence=False,
            service_times=NO_TIME,
        )
        result = await run(spec, runs=folder, facts={})
        if result.verdict.judgement != Judgement.CONSISTENT:
            why = "; ".join(result.verdict.problems) or str(result.verdict.counts())
            raise Failure(f"the run was {result.verdict.judgement}: {why}")
        return {**trial.settings, **measured(result.folder)}


def measured(folder: Path) -> Result:
    """What a run's ledgers and its record of faults say."""
    rows = rows_by_order(folder)
    struck = [f for f in read_lines(folder / "faults.jsonl") if f["struck"]]
    noticed: list[float] = []
    first_at: dict[tuple[str, str], float] = {}
    for fault in struck:
        key = (fault["order_id"], fault["operation"])
        if fault["moment"] not in DISTURBANCES:
            first_at[key] = min(first_at.get(key, fault["at_mono_s"]), fault["at_mono_s"])
    for (order_id, _), at in first_at.items():
        noticed += [r["mono_s"] - at for r in rows.get(order_id, []) if r["mono_s"] > at][:1]
    disturbed = [f["at_mono_s"] for f in struck if f["moment"] in DISTURBANCES]
    found: Result = {"noticed_s": noticed}
    if disturbed:
        found |= _recovery(folder, rows, min(disturbed))
    return found


def _recovery(folder: Path, rows: dict[str, list[Result]], at: float) -> Result:
    """How long no saga moved, and until all had ended that were in flight meanwhile or whose customers came meanwhile."""
    times = sorted(r["mono_s"] for of in rows.values() for r in of if r["mono_s"] >= at)
    gaps = [(b - a, b) for a, b in zip([at, *times], times, strict=False)]
    silent_s, moved_again = max(gaps, default=(0.0, at))
    timings = {t["order_id"]: t for t in read_json(folder / "verdict.json")["timing"]["orders"]}
    ends = []
    for line in read_lines(folder / "orders.jsonl"):
        latency = timings[line["order"]["order_id"]]["latency_s"]
        intended = line["intended_mono_s"]
        if latency is not None and intended <= moved_again and intended + latency > at:
            ends.append(intended + latency - at)
    return {"silent_s": silent_s, "recovered_s": max(ends, default=0.0), "concerned": len(ends)}
