"""One run: open a style, let customers come, disturb it as planned, let it settle, judge the ledgers."""

import asyncio
import contextlib
import secrets
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kernel.clock import SystemClock
from kernel.errors import Failure, UsageError, first
from kernel.participants import Participants
from kernel.ports import Parked, SagaSystem, Settlement
from kernel.timeline import Evidence
from scenarios.campaigns.soak import SoakFigures
from scenarios.evidence.evidence import rows_of
from scenarios.faults.nemesis import Nemesis
from scenarios.faults.planned import read_record
from scenarios.judge.verdict import Judgement, Verdict
from scenarios.runs.artifacts import SERVICE_LOG, acts_of, leave, redriven
from scenarios.runs.control_socket import desk
from scenarios.runs.disk import full_disk
from scenarios.runs.driver import Driver
from scenarios.runs.environment import RunEnvironment, RunningSystem, troubles_of
from scenarios.runs.folder import RunFolder, verdict_document
from scenarios.runs.participant_config import ParticipantConfig, faults_path, log_path, spans_path
from scenarios.runs.probe import Readers
from scenarios.runs.saved_state import keep
from scenarios.runs.spec import RunSpec, about, now_utc
from scenarios.styles.index import STYLES

HOLD_POLL_S = 0.2
_BROKEN = (Failure, OSError, UsageError, sqlite3.OperationalError)
"""What ends a run without a verdict on its sagas: something that the testbed stands on is gone."""
SPANS = 100_000
"""Most spans that a run keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """Where a run lies, and what became of it."""

    folder: Path
    verdict: Verdict


Progress = Callable[[int], None]
"""Called with the number of orders placed since the last call."""


async def run(
    spec: RunSpec, *, runs: Path, facts: dict[str, Any], progress: Progress = lambda placed: None
) -> RunResult:
    """Carry out one run and leave its folder under `runs`.

    `facts`: machine and versions, for run.json. If cancelled, the folder is marked interrupted.
    """
    folder = RunFolder.create(runs, scenario=spec.scenario.name, style=spec.style, seed=spec.seed)
    run_id = secrets.token_hex(6)
    told = about(spec, facts, folder.path) | {"run_id": run_id}
    folder.write("run.json", told | {"status": "running"})
    if spec.extra_plan.faults:
        folder.write("extra_plan.json", spec.extra_plan.to_json())
    try:
        verdict = await _Run(spec, folder, progress, run_id, told).run()
    except _BROKEN as error:
        verdict = _unknown(folder, f"a part of the testbed failed: {error}")
    except BaseExceptionGroup as group:
        failed, rest = group.split(_BROKEN)
        if failed is None or rest is not None:
            folder.write("run.json", told | {"status": "failed", "error": repr(rest)})
            raise
        verdict = _unknown(folder, f"a part of the testbed failed: {first(failed)}")
    except asyncio.CancelledError:
        folder.write("run.json", told | {"status": "interrupted"})
        raise
    except BaseException as error:
        folder.write("run.json", told | {"status": "failed", "error": repr(error)})
        raise
    ended = {"status": "complete", "ended_utc": now_utc()}
    folder.write("run.json", told | ended)
    return RunResult(folder=folder.path, verdict=verdict)


def _unknown(folder: RunFolder, problem: str) -> Verdict:
    """The verdict on a run that could not be carried out, with what its folder then lacks."""
    verdict = Verdict(
        judgement=Judgement.UNKNOWN,
        as_expected=False,
        orders=[],
        laws=[],
        timings=[],
        problems=[problem],
    )
    for name in ("orders.jsonl", "ledgers.jsonl", "faults.jsonl"):
        folder.write_lines(name, [])
    folder.write("verdict.json", verdict_document(verdict))
    return verdict


class _Run:
    """The phases of one run, and what they hand to each other."""

    def __init__(
        self,
        spec: RunSpec,
        folder: RunFolder,
        progress: Progress,
        run_id: str,
        told: dict[str, Any],
    ) -> None:
        self._spec, self._folder, self._progress = spec, folder, progress
        self._run_id, self._told = run_id, told
        self._clock = SystemClock()
        self._tracer = spec.tracer(SPANS)
        self._driver = Driver(spec, clock=self._clock, tracer=self._tracer)
        self._acts: list[dict[str, Any]] = []
        """What an operator did while the run lived."""

    async def run(self) -> Verdict:
        """Every phase; the verdict."""
        with tempfile.TemporaryDirectory(prefix="saga-run-") as folder:
            work = Path(folder)
            verdict, kept = await self._run_in(work)
            for name in self._spec.saga.services:
                for path, into in (
                    (spans_path(work, name), "trace.jsonl"),
                    (log_path(work, name), SERVICE_LOG),
                ):
                    if path.exists() and self._spec.evidence:
                        self._folder.append(into, path.read_text(encoding="utf-8"))
            if kept is not None:
                await asyncio.to_thread(keep, work, self._folder.path, kept)
            self._told["notes"] += await asyncio.to_thread(self._tracer.close)
        return verdict

    async def _run_in(self, work: Path) -> tuple[Verdict, list[dict[str, Any]] | None]:
        """The verdict, and what must be kept of what is parked (None = nothing is)."""
        spec = self._spec
        async with AsyncExitStack() as stack:
            environment = await stack.enter_async_context(
                RunEnvironment.open(
                    work,
                    self._driver.environment,
                    run_id=self._run_id,
                    backends=spec.backends,
                    faults=self._driver.faults,
                    processes=spec.processes,
                    cuttable=spec.needs_wires(),
                    restart=spec.scenario.restart,
                )
            )
            await environment.participants.stock_up(spec.scenario.units(spec.saga, spec.orders))
            if spec.processes:
                self._config(environment).write(work)
            running_system = await stack.enter_async_context(STYLES[spec.style].open(environment))
            verdict = await self._serve(running_system, environment.participants, work)
            parked = await running_system.system.parked()
            return verdict, await running_system.system.kept() if parked else None

    def _config(self, environment: RunEnvironment) -> ParticipantConfig:
        core = environment.core
        return ParticipantConfig(
            prefix=environment.prefix,
            saga=core.saga.address,
            variant=core.variant,
            durability=core.durability,
            policy=core.policy,
            guards=core.guards,
            plan=self._driver.plan,
            order_ids=self._driver.order_ids,
            seed=self._spec.seed,
            trace_sampling=self._spec.trace_sampling if self._spec.evidence else 0.0,
            otlp=self._spec.otlp,
            service_times=self._spec.times(),
        )

    async def _serve(
        self, running_system: RunningSystem, participants: Participants, work: Path
    ) -> Verdict:
        system, clock, driver = running_system.system, self._clock, self._driver
        self._told["notes"] += running_system.notes
        disturber = driver.disturber(
            running_system,
            elsewhere=self._faults_elsewhere(work),
        )
        begun = await driver.start()
        trouble_maker = Nemesis(
            troubles_of(running_system),
            every_s=self._spec.trouble_every_s,
            at_once=self._spec.troubles_at_once,
            seed=self._spec.seed,
            customers=driver.customers,
            participants=participants,
            clock=clock,
        )
        readers = self._readers(system, participants)
        sitting = desk(
            system,
            work / "operator.sock",
            evidence=lambda order_id: self._evidence(system, work, order_id),
            acted=self._acted,
        )
        async with sitting as socket:
            operator = {"status": "running", "operator": str(socket)}
            self._folder.write("run.json", self._told | operator)
            async with disturber.at_work(), asyncio.TaskGroup() as troubled:
                if self._spec.trouble_every_s:
                    troubled.create_task(trouble_maker.run())
                reading = troubled.create_task(readers.run()) if readers else None
                await driver.serve(system, lambda customer: self._progress(1))
                trouble_maker.stop()
                settlement = await self._settle(system, work)
                settlement = await self._hold(system, work, settlement)
                if reading is not None:
                    reading.cancel()
        ended = await driver.end(
            system,
            settlement=settlement,
            orders_in_flight=disturber.orders_in_flight,
            redriven=redriven(self._acts),
            readers=readers,
            elsewhere=[read_record(path) for path in self._faults_elsewhere(work)],
        )
        if not ended.verdict.as_expected and not self._acts:
            ended.verdict.problems[:0] = [*full_disk(work), *await running_system.explain()]
        leave(
            self._folder,
            customers=driver.customers,
            ended=ended,
            tracer=self._tracer,
            acts=self._acts,
        )
        if readers:
            self._folder.write_lines("probes.jsonl", [asdict(v) for v in readers.visits])
        if self._spec.evidence:
            try:
                evidence = await system.evidence()
            except Failure as error:  # the ledgers are judged all the same
                self._told["notes"].append(f"evidence is missing: {error}")
            else:
                for source, rows in evidence.items():
                    self._folder.write_lines(f"evidence/{source}.jsonl", rows)
        if self._spec.trouble_every_s:
            figures = SoakFigures(
                classes=ended.verdict.counts(),
                troubles=dict(sorted(trouble_maker.struck.items())),
                longest_recovery_s=trouble_maker.longest_recovery_s(),
                at_once=self._spec.troubles_at_once,
                struck_in_orders=sum(injection.struck for injection in ended.injections),
                redeliveries=await participants.redeliveries(),
                repeated=sum(n - 1 for n in driver.faults.record.attempts.values()),
                parked=len(ended.parked),
                backlog=await system.backlog(),
                lasted_s=round(clock.mono_s() - begun, 1),
            )
            self._folder.write("soak.json", figures.to_json())
        return ended.verdict

    def _readers(self, system: SagaSystem, participants: Participants) -> Readers | None:
        probe = self._spec.scenario.probe
        if probe is None:
            return None
        return probe.readers(
            system=system,
            participants=participants,
            customers=self._driver.customers,
            guards=self._spec.guards,
            seed=self._spec.seed,
            clock=self._clock,
        )

    async def _settle(self, system: SagaSystem, work: Path) -> Settlement:
        paths = self._faults_elsewhere(work)
        return await self._driver.settle(system, lambda: [read_record(path) for path in paths])

    def _faults_elsewhere(self, work: Path) -> list[Path]:
        """Where participants' own processes record faults."""
        return (
            [faults_path(work, name) for name in self._spec.saga.services]
            if self._spec.processes
            else []
        )

    async def _hold(self, system: SagaSystem, work: Path, settlement: Settlement) -> Settlement:
        """Wait for an operator as long as the user said and something is parked; settle again after what he did."""
        until, done = self._clock.mono_s() + self._spec.hold_s, len(self._acts)
        while self._clock.mono_s() < until:
            if len(self._acts) > done:
                done = len(self._acts)
                settlement = await self._settle(system, work)
            with contextlib.suppress(Failure):
                if not await system.parked() and len(self._acts) == done:
                    break
            await self._clock.sleep(HOLD_POLL_S)
        return settlement if len(self._acts) == done else await self._settle(system, work)

    async def _evidence(self, system: SagaSystem, work: Path, order_id: str) -> Evidence:
        """What is known of an order while the run lives; participants' own processes tell of their spans now and then."""
        spans, lines = self._tracer.spans_of(order_id), self._tracer.lines_of(order_id)
        for name in self._spec.saga.services:
            spans += rows_of(spans_path(work, name), "trace", {order_id})[order_id]
            lines += rows_of(log_path(work, name), "service_log", {order_id})[order_id]
        return {**await system.evidence(order_id), "trace": spans, "service_log": lines}

    def _acted(self, action: str, sagas: list[Parked]) -> None:
        self._acts += acts_of(action, sagas)
