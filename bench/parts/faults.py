"""How soon a failure is noticed, and how long it takes until all is well again: read from ledgers alone."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.experiment import Effort, Lab, Result, Trial
from bench.open_loop import rows_by_order
from kernel.errors import Failure, ParticipantCrashed
from scenarios.catalog.index import scenarios_of
from scenarios.evidence.evidence import read_evidence
from scenarios.evidence.traced import began_s, ended_s, is_hop
from scenarios.faults.plan import DISTURBANCES
from scenarios.runs.folder import read_json, read_lines
from scenarios.runs.runner import run
from scenarios.runs.spec import RunSpec
from scenarios.runs.workload import NO_TIME
from scenarios.styles.index import STYLES
from shared_domain.order.saga import SAGA

NOTICED = ("lost_reply", "crash_before_commit", "crash_after_commit", "flaky_participant")
"""Scenarios in which a saga is struck and must go on."""
RECOVERED = ("coordinator_killed", "frozen", "cut_off")
"""Scenarios in which the coordinator is struck, and every saga in flight with it."""
TIME_SCALE = 0.2
ORDERS, RATE_PER_S = {NOTICED: 60, RECOVERED: 300}, 30.0
"""Customers keep coming for longer than RabbitMQ takes to start."""
BEGINS_WITHIN_S = 0.5
"""The silence that a struck coordinator causes begins so soon after it was struck."""
FAILED = ("LambdaFunctionFailed", "LambdaFunctionTimedOut")


class Faults:
    """Detection and recovery."""

    name = "faults"

    def trials(self, effort: Effort, *, real: bool) -> Iterable[Trial]:
        """See Part."""
        del real
        for number in range(max(3, effort.rounds // 2)):
            for scenario in (*NOTICED, *RECOVERED):
                for style in STYLES:
                    yield Trial(
                        part=self.name,
                        arm=f"{style}, {scenario}",
                        round=number,
                        about_s=9.0,
                        settings={"style": style, "scenario": scenario},
                    )

    async def run(self, lab: Lab, trial: Trial, folder: Path) -> Result:
        """See Part: `noticed_s`, `on_again_s` per struck saga; `silent_s`, `recovered_s` of a struck coordinator. Not scaled back."""
        spec = RunSpec(
            saga=SAGA,
            variant=SAGA.variant,
            scenario=scenarios_of(SAGA)[trial.settings["scenario"]],
            style=trial.settings["style"],
            orders=next(
                n for scenarios, n in ORDERS.items() if trial.settings["scenario"] in scenarios
            ),
            seed=1000 * lab.seed + trial.round,
            backends=lab.backends(),
            rate_per_s=RATE_PER_S,
            time_scale=TIME_SCALE,
            durability=lab.durability,
            evidence=trial.settings["scenario"] in NOTICED,
            service_times=NO_TIME,
        )
        result = await run(spec, runs=folder, facts={})
        if not result.verdict.as_expected:
            why = "; ".join(result.verdict.problems) or str(result.verdict.counts())
            raise Failure(f"the run did not end as expected: {why}")
        return {**trial.settings, **measured(result.folder)}


def measured(folder: Path) -> Result:
    """What a run's ledgers, its evidence and its record of faults say."""
    rows = rows_by_order(folder)
    struck = [f for f in read_lines(folder / "faults.jsonl") if f["struck"]]
    disturbed = [f for f in struck if f["moment"] in DISTURBANCES]
    if disturbed:
        first = min(disturbed, key=lambda f: f["at_mono_s"])
        return _recovery(folder, rows, first["at_mono_s"], first["operation"])
    first_at: dict[str, float] = {}
    for fault in struck:
        at = fault["at_mono_s"]
        first_at[fault["order_id"]] = min(at, first_at.get(fault["order_id"], at))
    evidence = read_evidence(folder, list(first_at)).by_order
    found: Result = {"noticed_s": [], "on_again_s": []}
    for order_id, at in first_at.items():
        wall_s = at + rows[order_id][0]["wall_s"] - rows[order_id][0]["mono_s"]
        found["noticed_s"] += [s - wall_s for s in noticed(evidence[order_id]) if s > wall_s][:1]
        found["on_again_s"] += [r["mono_s"] - at for r in rows[order_id] if r["mono_s"] > at][:1]
    return found


def noticed(evidence: dict[str, list[dict[str, Any]]]) -> list[float]:
    """When whoever coordinates learnt or did something about the saga: since the epoch, ascending.

    A conductor: its history has a failed call, or an answer. A service that reacts: a delivery has begun, or a call of it
    has failed; one that crashed notices nothing itself, the broker's next delivery does.
    """
    events = [e for history in evidence.get("histories", []) for e in history["events"]]
    if events:
        told = [e["timestamp"] for e in events if e["type"] in (*FAILED, "LambdaFunctionSucceeded")]
    else:
        spans = evidence["trace"]
        told = [began_s(span) for span in spans if is_hop(span)]
        told += [ended_s(span) for span in spans if _failed(span)]
    return sorted(told)


def _failed(span: dict[str, Any]) -> bool:
    status = span["status"]
    died = status.get("description", "").startswith((ParticipantCrashed.__name__, "CancelledError"))
    return bool(status["status_code"] == "ERROR" and not died)


def _recovery(folder: Path, rows: dict[str, list[Result]], at: float, operation: str) -> Result:
    """How long the struck part did nothing, and until all had ended that were in flight meanwhile or whose customers came meanwhile.

    Of a coordinator that is cut off from one participant, that participant's rows count; else everybody's.
    """
    cut = read_json(folder / "run.json")["scenario"] == "cut_off"
    served = SAGA.served_by[operation]
    times = sorted(
        row["mono_s"]
        for of in rows.values()
        for row in of
        if row["mono_s"] >= at and (not cut or SAGA.served_by[row["operation"]] == served)
    )
    gaps = [
        (after - before, after)
        for before, after in zip([at, *times], times, strict=False)
        if before <= at + BEGINS_WITHIN_S
    ]
    silent_s, moved_again = max(gaps, default=(0.0, at))
    timings = {t["order_id"]: t for t in read_json(folder / "verdict.json")["timing"]["orders"]}
    ends = []
    for line in read_lines(folder / "orders.jsonl"):
        latency = timings[line["order"]["order_id"]]["latency_s"]
        intended = line["intended_mono_s"]
        if latency is None:
            raise Failure(f"{line['order']['order_id']} never ended")
        if intended <= moved_again and intended + latency > at:
            ends.append(intended + latency - at)
    return {"silent_s": silent_s, "recovered_s": max(ends, default=0.0), "concerned": len(ends)}
