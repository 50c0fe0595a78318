"""A finished run opened again, so that an operator can repair what it left parked; then it is judged again.

Its databases and its engine's history go on where they stood, over the backends of today. No fault strikes any more: the
cause counts as repaired.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from kernel.alone import alone
from kernel.clock import SystemClock
from kernel.environment import Environment
from kernel.errors import UsageError
from kernel.guards import Guards
from kernel.loading import DEFAULT, load_saga
from kernel.policy import Policy
from kernel.ports import Parked, SagaSystem, Settlement
from kernel.scratch import scratch
from kernel.tracing import OtelTracer
from orchestration.engine.errors import HistoryDamaged
from scenarios.catalog.any_ending import SCENARIO as ANY_ENDING
from scenarios.catalog.index import scenarios_of
from scenarios.faults.plan import FaultPlan
from scenarios.faults.planned import PlannedFaults, without_effect
from scenarios.faults.record import Injection
from scenarios.judge.judgement import judge
from scenarios.judge.verdict import Verdict
from scenarios.runs.artifacts import OPERATOR, SERVICE_LOG, acts_of, discarded, redriven
from scenarios.runs.customers import Customer
from scenarios.runs.environment import Backends, RunEnvironment
from scenarios.runs.folder import (
    RunFolder,
    as_lines,
    leave_lines,
    read_json,
    read_lines,
    verdict_document,
)
from scenarios.runs.saved_state import STATE, drop, fetch, keep
from scenarios.styles.index import STYLES


async def repair(
    folder: Path, backends: Backends, *, action: str, parked_ids: list[str]
) -> tuple[list[Parked], Verdict]:
    """Redrive or discard these in a finished run; what was moved, and the new verdict, which replaces the old one.

    Raise UsageError if the run has nothing parked, if its state is damaged, or if another operator is at work on it.
    The run folder is written when the sagas have ended; until then it is as it was.
    """
    if not (folder / STATE).exists():
        raise UsageError(f"{folder} has nothing parked: there is nothing to {action}")
    with alone(folder / ".lock", busy=f"another operator is at work on {folder}: try again later"):
        try:
            repairing = _Repair(folder, read_json(folder / "run.json"), backends)
            return await repairing.run(action, parked_ids)
        except (sqlite3.DatabaseError, HistoryDamaged) as error:
            raise UsageError(f"the kept state of {folder} is damaged: {error}") from error


class _Repair:
    """One finished run, open again."""

    def __init__(self, folder: Path, about: dict[str, Any], backends: Backends) -> None:
        self._folder, self._about, self._backends = RunFolder(folder), about, backends
        self._saga = load_saga(about.get("saga", DEFAULT))
        self._policy, self._guards = Policy(**about["policy"]), Guards.parse(about["guards"])
        self._customers = [
            Customer.of_line(line, self._saga) for line in read_lines(folder / "orders.jsonl")
        ]
        self._clock, self._tracer = SystemClock(), OtelTracer()

    async def run(self, action: str, parked_ids: list[str]) -> tuple[list[Parked], Verdict]:
        with scratch("repair") as work:
            restored = fetch(self._folder.path, work)
            async with AsyncExitStack() as stack:
                system = await self._open(stack, work)
                await system.restore(restored)
                act: Callable[[list[str]], Awaitable[list[Parked]]]
                act = system.redrive if action == "redrive" else system.discard
                sagas = await act(parked_ids)
                settlement = await self._settle(system, sagas)
                verdict = await self._judge(system, action, sagas, settlement)
                still = await system.kept() if await system.parked() else None
            if still is None:
                drop(self._folder.path)
            else:
                keep(work, self._folder.path, still)
        return sagas, verdict

    async def _open(self, stack: AsyncExitStack, work: Path) -> SagaSystem:
        about = self._about
        faults = PlannedFaults(
            FaultPlan(),
            [],
            saga=self._saga,
            seed=about["seed"],
            policy=self._policy,
            clock=self._clock,
        )
        core = Environment(
            saga=self._saga,
            variant=about["step_order"],
            policy=self._policy,
            guards=self._guards,
            faults=faults,
            tracer=self._tracer,
            clock=self._clock,
            durability=about["durability"],
        )
        environment = await stack.enter_async_context(
            RunEnvironment.open(
                work, core, run_id=about["run_id"], backends=self._backends, faults=faults
            )
        )
        return (await stack.enter_async_context(STYLES[about["style"]].open(environment))).system

    async def _settle(self, system: SagaSystem, sagas: list[Parked]) -> Settlement:
        known = {customer.order.order_id for customer in self._customers}
        ids = {saga.order_id for saga in sagas} & known
        return await system.settle(ids, deadline_s=2 * self._policy.saga_s() + 3)

    async def _judge(
        self, system: SagaSystem, action: str, sagas: list[Parked], settlement: Settlement
    ) -> Verdict:
        """Judge the run again and write it down."""
        folder, about = self._folder, self._about
        acts = acts_of(action, sagas)
        if (folder.path / OPERATOR).exists():
            acts = [*read_lines(folder.path / OPERATOR), *acts]
        touched = {act["order_id"] for act in acts}
        for customer in self._customers:
            if customer.order.order_id in touched:
                customer.told.append(await system.outcome(customer.order.order_id))
        ledgers, parked = await system.ledgers(), await system.parked()
        injections = [Injection(**line) for line in read_lines(folder.path / "faults.jsonl")]
        verdict = judge(
            saga=self._saga,
            variant=about["step_order"],
            scenario=scenarios_of(self._saga).get(about["scenario"], ANY_ENDING),
            asked=[customer.asked() for customer in self._customers],
            ledgers=ledgers,
            parked=parked,
            injections=injections,
            policy=self._policy,
            run_ended_mono_s=self._clock.mono_s(),
            never_struck=_never_struck(about, injections),
            still_changing=settlement.still_changing,
            guards=self._guards,
            conducted=STYLES[about["style"]].conducted,
            redriven=redriven(acts),
            finished=redriven(acts),
            discarded=discarded(acts),
        )
        lines = [customer.line(index) for index, customer in enumerate(self._customers)]
        folder.write_lines("orders.jsonl", lines)
        leave_lines(folder, ledgers, parked)
        folder.write_lines(OPERATOR, acts)
        for source, rows in (await system.evidence()).items():
            name = f"evidence/{source}.jsonl"
            # What the broker of the first life heard stays.
            before = (
                read_lines(folder.path / name)
                if source == STYLES[about["style"]].kept_evidence
                else []
            )
            folder.write_lines(name, [*before, *rows])
        folder.append("trace.jsonl", as_lines(self._tracer.take()))
        folder.append(SERVICE_LOG, as_lines(self._tracer.take_log()))
        folder.write("verdict.json", verdict_document(verdict))
        return verdict


def _never_struck(about: dict[str, Any], injections: list[Injection]) -> list[str]:
    plan = FaultPlan.from_json(about["plan"])
    found = {(i.operation, i.moment) for i in injections if i.struck}
    struck = {
        number
        for number, fault in enumerate(plan.faults)
        if (fault.operation, str(fault.moment)) in found
    }
    return without_effect(plan, struck)
