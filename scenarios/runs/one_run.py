"""The phases of one run on this machine: open a style, let customers come, disturb it as planned, let it settle, judge the ledgers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from kernel.clock import SystemClock
from kernel.errors import Failure
from kernel.participants import Participants
from kernel.ports import Parked, SagaSystem, Settlement
from kernel.timeline import Evidence
from scenarios.campaigns.soak import SoakFigures
from scenarios.evidence.evidence import rows_of
from scenarios.faults.nemesis import Nemesis
from scenarios.faults.record import read_record
from scenarios.judge.clocks import in_words
from scenarios.judge.verdict import Verdict
from scenarios.runs.artifacts import SERVICE_LOG, acts_of, discarded, leave, redriven
from scenarios.runs.control_socket import desk
from scenarios.runs.customers import Customer
from scenarios.runs.customers_apart import CUSTOMERS, customers_apart
from scenarios.runs.disk import full_disk
from scenarios.runs.driver import Driver, Ended
from scenarios.runs.environment import RunEnvironment, RunningSystem, troubles_of
from scenarios.runs.first_life import date_by_orders, left_open, taken_up
from scenarios.runs.folder import WORK, RunFolder
from scenarios.runs.journal import Journal, JournaledFaults
from scenarios.runs.participant_config import ParticipantConfig, faults_path, log_path, spans_path
from scenarios.runs.probe import Readers
from scenarios.runs.reader import Reader
from scenarios.runs.saved_state import keep
from scenarios.runs.spec import RunSpec
from scenarios.styles.index import STYLES

HOLD_POLL_S = 0.2
JOURNAL_S = 0.2
"""How much of what it noted a run loses at most when it is killed."""
SPANS = 100_000
"""Most spans that a run keeps."""
Progress = Callable[[int], None]
"""Called with the number of orders placed since the last call."""


class OneRun:
    """The phases of one run, and what they hand to each other."""

    def __init__(
        self,
        spec: RunSpec,
        folder: RunFolder,
        progress: Progress,
        told: dict[str, Any],
        alive: dict[str, str],
        *,
        resumed: bool,
    ) -> None:
        self._spec, self._folder, self._progress = spec, folder, progress
        self._told, self._alive, self._resumed = told, alive, resumed
        self._work = folder.path / WORK
        self._clock = SystemClock()
        self._journal = Journal(self._work)
        self._tracer = spec.tracer(SPANS, write_log=self._journal.log)
        record = JournaledFaults(self._work, self._journal)
        self._driver = Driver(spec, clock=self._clock, tracer=self._tracer, record=record)
        self._numbers = {order_id: n for n, order_id in enumerate(self._driver.order_ids)}
        self._resumes: set[str] = set()
        """The orders that an earlier life had left open."""
        self._interrupted = False
        self._acts: list[dict[str, Any]] = []
        """What an operator did while the run lived."""

    async def run(self) -> Verdict:
        """Every phase; the verdict."""
        work = self._work
        if not self._resumed:
            self._journal.expect(self._driver.customers)
        writing = asyncio.create_task(self._write_journal())
        try:
            verdict, kept = await self._run_in(work)
        finally:
            writing.cancel()
            self._journal.close()
        elsewhere = [(self._journal.log_path, SERVICE_LOG)]
        for name in self._elsewhere():
            elsewhere.append((spans_path(work, name), "trace.jsonl"))
            elsewhere.append((log_path(work, name), SERVICE_LOG))
        for path, into in elsewhere:
            if path.exists() and self._spec.evidence:
                self._folder.append(into, path.read_text(encoding="utf-8"))
        if kept is not None:
            await asyncio.to_thread(keep, work, self._folder.path, kept)
        self._told["notes"] += await asyncio.to_thread(self._tracer.close)
        return verdict

    async def _write_journal(self) -> None:
        while True:
            await asyncio.sleep(JOURNAL_S)
            self._journal.flush()

    async def _run_in(self, work: Path) -> tuple[Verdict, list[dict[str, Any]] | None]:
        """The verdict, and what must be kept of what is parked (None = nothing is)."""
        spec = self._spec
        async with AsyncExitStack() as stack:
            environment = await stack.enter_async_context(
                RunEnvironment.open(
                    work,
                    self._driver.environment,
                    run_id=self._told["run_id"],
                    backends=spec.backends,
                    faults=self._driver.faults,
                    processes=spec.processes,
                    cuttable=spec.needs_wires(),
                    restart=spec.scenario.restart,
                    keeps=lambda: self._interrupted,
                )
            )
            if self._resumed:
                customers = await taken_up(self._work, spec.saga, environment.participants)
                self._resumes = await left_open(customers, environment.participants)
                self._driver.take_up(customers)
            else:
                await environment.participants.stock_up(spec.units())
            if self._elsewhere():
                self._config(environment).write(work)
            running_system = await stack.enter_async_context(STYLES[spec.style].open(environment))
            serve = await stack.enter_async_context(self._customers(running_system, work))
            try:
                verdict = await self._serve(running_system, environment.participants, work, serve)
                parked = await running_system.system.parked()
                return verdict, await running_system.system.kept() if parked else None
            except asyncio.CancelledError:
                self._interrupted = True
                raise

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

    @asynccontextmanager
    async def _customers(
        self, running_system: RunningSystem, work: Path
    ) -> AsyncIterator[Callable[[float], Awaitable[None]]]:
        """What lets every customer come from a moment on: here, or from a process that is ready now."""
        if self._spec.customers_apart:
            opening = customers_apart(
                self._spec.style,
                work,
                self._driver.coming(),
                environment=running_system.entrance,
            )
            async with opening as apart:
                yield partial(apart.serve, accepted=self._served)
        else:
            # The driver itself has fixed when they come.
            yield lambda begun: self._driver.serve(running_system.system, self._served)

    async def _serve(
        self,
        running_system: RunningSystem,
        participants: Participants,
        work: Path,
        serve: Callable[[float], Awaitable[None]],
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
            evidence=lambda order_id: self._evidence(system, work, order_id),
            acted=self._acted,
        )
        async with sitting as socket:
            operator = {"status": "running", "operator": str(socket)}
            self._folder.write("run.json", self._told | self._alive | operator)
            async with disturber.at_work(), asyncio.TaskGroup() as troubled:
                if self._spec.trouble_every_s:
                    troubled.create_task(trouble_maker.run())
                reading = [troubled.create_task(readers.run())] if readers else []
                if self._spec.reads_per_s:
                    reader = Reader(system, participants, driver.customers)
                    around = reader.look_around(
                        per_s=self._spec.reads_per_s, clock=clock, seed=self._spec.seed
                    )
                    reading.append(troubled.create_task(around))
                await serve(begun)
                trouble_maker.stop()
                settlement = await self._settle(system, work)
                settlement = await self._hold(system, work, settlement)
                for one in reading:
                    one.cancel()
        if self._resumed:
            await date_by_orders(driver.customers, self._spec.saga, participants)
        ended = await driver.end(
            system,
            settlement=settlement,
            orders_in_flight=disturber.orders_in_flight,
            redriven=redriven(self._acts),
            discarded=discarded(self._acts),
            resumed=self._resumes,
            readers=readers,
            elsewhere=[read_record(path) for path in self._faults_elsewhere(work)],
        )
        if differ := in_words(ended.verdict.clocks):
            self._told["notes"].append(differ)
        if self._spec.redrive:
            ended = await self._redrive(system, ended, disturber.orders_in_flight)
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
            await self._write_evidence(system)
        if self._spec.trouble_every_s:
            await self._write_soak(
                ended, trouble_maker, system, participants, lasted_s=clock.mono_s() - begun
            )
        return ended.verdict

    async def _write_evidence(self, system: SagaSystem) -> None:
        """What the coordinator and the services kept, one file a source."""
        try:
            evidence = await system.evidence()
        except Failure as error:  # the ledgers are judged all the same
            self._told["notes"].append(f"evidence is missing: {error}")
        else:
            for source, rows in evidence.items():
                self._folder.write_lines(f"evidence/{source}.jsonl", rows)

    async def _write_soak(
        self,
        ended: Ended,
        trouble_maker: Nemesis,
        system: SagaSystem,
        participants: Participants,
        *,
        lasted_s: float,
    ) -> None:
        """What a soak came to, as soak.json."""
        figures = SoakFigures(
            classes=ended.verdict.counts(),
            troubles=dict(sorted(trouble_maker.struck.items())),
            longest_recovery_s=trouble_maker.longest_recovery_s(),
            at_once=self._spec.troubles_at_once,
            struck_in_orders=sum(injection.struck for injection in ended.injections),
            redeliveries=await participants.redeliveries(),
            repeated=sum(n - 1 for n in self._driver.faults.record.attempts.values()),
            parked=len(ended.parked),
            backlog=await system.backlog(),
            lasted_s=round(lasted_s, 1),
        )
        self._folder.write("soak.json", figures.to_json())

    async def _redrive(self, system: SagaSystem, ended: Ended, orders_in_flight: int) -> Ended:
        """What is so once everything that was parked has been sent on."""
        sent: list[Parked] = []
        again = await self._driver.send_on(
            system, ended, orders_in_flight=orders_in_flight, sent=sent.extend
        )
        if sent:
            orders = {parked.order_id for parked in sent}
            self._told["notes"].append(
                f"{len(orders)} parked orders were redriven after the faults were over"
            )
        if not self._spec.evidence and not again.verdict.is_bad():
            return ended
        self._acted("redrive", sent)
        return again

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
        """Where other processes record faults."""
        return [faults_path(work, name) for name in self._elsewhere()]

    def _elsewhere(self) -> list[str]:
        """The run's processes beside this one."""
        services = list(self._spec.saga.services) if self._spec.processes else []
        return [*services, CUSTOMERS] if self._spec.customers_apart else services

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
        self._journal.flush()
        spans = self._tracer.spans_of(order_id)
        lines = rows_of(self._journal.log_path, "service_log", {order_id})[order_id]
        for name in self._elsewhere():
            spans += rows_of(spans_path(work, name), "trace", {order_id})[order_id]
            lines += rows_of(log_path(work, name), "service_log", {order_id})[order_id]
        return {**await system.evidence(order_id), "trace": spans, "service_log": lines}

    def _served(self, customer: Customer) -> None:
        self._journal.came(customer, self._numbers[customer.order.order_id])
        self._progress(1)

    def _acted(self, action: str, sagas: list[Parked]) -> None:
        self._acts += acts_of(action, sagas)
