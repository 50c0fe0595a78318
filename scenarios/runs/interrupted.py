"""A run that was killed or interrupted: whether it is one, what can still be seen of it, and what it was asked to do."""

import os
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from choreography.rabbit_connection import AMQP_VARIABLE
from choreography.rabbit_node import RabbitNode
from kernel.alone import is_free
from kernel.clock import SystemClock
from kernel.environment import Environment
from kernel.errors import UsageError
from kernel.guards import Guards
from kernel.loading import DEFAULT, load_saga
from kernel.policy import Policy
from kernel.ports import SagaSystem
from kernel.scratch import scratch
from orchestration.engine.errors import HistoryDamaged
from scenarios.catalog.index import scenarios_of
from scenarios.evidence.evidence import rows_of
from scenarios.faults.plan import FaultPlan
from scenarios.faults.planned import PlannedFaults
from scenarios.runs.arrivals import Arrivals
from scenarios.runs.backends import SERVER_DATA
from scenarios.runs.environment import Backends, RunEnvironment
from scenarios.runs.folder import LOCK, WORK, read_json
from scenarios.runs.journal import SERVICE_LOG, read_customers
from scenarios.runs.participant_config import log_path
from scenarios.runs.spec import RunSpec
from scenarios.runs.workload import ServiceTimes
from scenarios.styles.index import STYLES

INTERRUPTED = "interrupted"


def status_of(folder: Path, about: dict[str, Any]) -> str:
    """What a run is: running, complete, failed or interrupted, which run.json of a run that was killed could not say."""
    if about["status"] == "running" and is_free(folder / LOCK):
        return INTERRUPTED
    return str(about["status"])


class Interrupted:
    """An interrupted run."""

    def __init__(self, folder: Path, about: dict[str, Any]) -> None:
        self.folder, self.about, self.work = folder, about, folder / WORK
        self.saga = load_saga(about.get("saga", DEFAULT))

    @classmethod
    def at(cls, folder: Path) -> Self:
        """The interrupted run in a folder. Raise UsageError if it is none, or has kept nothing."""
        about = read_json(folder / "run.json")
        if (status := status_of(folder, about)) != INTERRUPTED:
            raise UsageError(f"{folder} is {status}: only an interrupted run can be resumed")
        if not (folder / WORK).is_dir():
            raise UsageError(
                f"{folder} has kept nothing of its state: run it again: {about['replay']}"
            )
        return cls(folder, about)

    def check(self) -> None:
        """Raise UsageError if its state is not whole, or from before a restart of this machine."""
        customers = read_customers(self.work, self.saga)
        if max((c.accepted_mono_s or 0.0 for c in customers), default=0.0) > time.monotonic():
            raise UsageError(
                f"this machine was restarted since {self.folder}, and its clock with it: run it again"
            )
        for path in self.work.glob("*.sqlite"):
            try:
                with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
                    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            except sqlite3.DatabaseError as error:
                found = str(error)
            if found != "ok":
                raise UsageError(f"{path} is damaged ({found}): run it again")

    @property
    def data(self) -> Path | None:
        """Where the data of its private server are; None = it had none. Raise UsageError for any other folder: it is removed at the end."""
        if "server" not in self.about:
            return None
        data: Path = self.folder / self.about["server"]
        if (
            not data.name.startswith(SERVER_DATA)
            or data.resolve().parent != self.folder.resolve().parent
        ):
            raise UsageError(f"{self.folder / 'run.json'}: {data} is no folder of a server's data")
        return data

    def order_ids(self) -> list[str]:
        """The orders that it was to place."""
        return [c.order.order_id for c in read_customers(self.work, self.saga)]

    def log_of(self, order_id: str) -> list[dict[str, Any]]:
        """What its services logged of an order."""
        own = [log_path(self.work, name) for name in self.saga.services]
        return [
            line
            for path in (self.work / SERVICE_LOG, *own)
            for line in rows_of(path, "service_log", {order_id})[order_id]
        ]

    def backends(self, broker: str) -> tuple[str, str]:
        """(broker, engine) to resume it over. `broker`: the address of the user's own server, where it ran over that."""
        kind, engine = self.about["backends"]["broker"], self.about["backends"]["engine"]
        if STYLES[self.about["style"]].conducted:
            return "memory", engine  # it has nothing in a broker
        if kind == "memory" or self.data is not None:
            return kind, engine
        if not broker:
            raise UsageError(
                f"{self.folder} ran over a RabbitMQ server of yours: give its address with --broker, or in {AMQP_VARIABLE}"
            )
        return broker, engine

    @asynccontextmanager
    async def opened(self, broker: str) -> AsyncIterator[Backends]:
        """Its backends, started again over what they had."""
        broker, engine = self.backends(broker)
        if self.data is None or broker == "memory":
            yield Backends(broker=broker, engine=engine)
            return
        if not self.data.is_dir():
            raise UsageError(
                f"{self.data} is gone: with it went what the broker of {self.folder} held"
            )
        async with RabbitNode.open(self.data) as node:
            yield Backends(broker=node.url, node=node, engine=engine)

    def spec(self, backends: Backends) -> RunSpec:
        """What it was asked to do. Raise UsageError if that cannot be done twice."""
        about = self.about
        if about["trouble_every_s"]:
            raise UsageError(f"{self.folder} is a soak, which cannot be resumed: run it again")
        scenarios = scenarios_of(self.saga)
        if about["scenario"] not in scenarios:
            raise UsageError(f"{self.folder}: this version has no scenario {about['scenario']!r}")
        policy, extra = Policy(**about["policy"]), self.folder / "extra_plan.json"
        return RunSpec(
            saga=self.saga,
            variant=about["step_order"],
            scenario=scenarios[about["scenario"]],
            style=about["style"],
            orders=about["orders"],
            seed=about["seed"],
            backends=backends,
            rate_per_s=about["rate_per_s"],
            time_scale=policy.time_scale,
            guards=Guards.parse(about["guards"]),
            durability=about["durability"],
            extra_plan=FaultPlan.from_json(read_json(extra)) if extra.exists() else FaultPlan(),
            rules=replace(policy, time_scale=1.0),
            processes=about["processes"],
            customers_apart=about.get("customers_apart", False),
            evidence=about["evidence"],
            trace_sampling=about["tracing"]["sampling"],
            arrivals=Arrivals(about["arrivals"]),
            variety=tuple(about.get("variety", ())),
            redrive=about.get("redrive", False),
            bug=about.get("bug", ""),
            reads_per_s=about.get("reads_per_s", 0.0),
            service_times=ServiceTimes.parse(about["service_times"]),
        )

    @asynccontextmanager
    async def at_rest(self, broker: str) -> AsyncIterator[SagaSystem]:
        """Its system over copies of its databases, with nobody at work: to look at. Raise UsageError if they are damaged."""
        async with AsyncExitStack() as stack:
            copies = stack.enter_context(scratch("rest"))
            for file in self.work.glob("*.sqlite*"):
                shutil.copy2(file, copies)
            backends = await stack.enter_async_context(self.opened(broker))
            if "://" not in backends.engine:
                backends = replace(backends, engine="inprocess")
            policy, clock = Policy(**self.about["policy"]), SystemClock()
            faults = PlannedFaults(
                FaultPlan(), [], saga=self.saga, seed=self.about["seed"], policy=policy, clock=clock
            )
            core = Environment(
                saga=self.saga,
                variant=self.about["step_order"],
                policy=policy,
                guards=Guards.parse(self.about["guards"]),
                faults=faults,
                clock=clock,
                durability=self.about["durability"],
            )
            try:
                environment = await stack.enter_async_context(
                    RunEnvironment.open(
                        copies,
                        core,
                        run_id=self.about["run_id"],
                        backends=backends,
                        faults=faults,
                        resting=True,
                        keeps=lambda: True,
                    )
                )
                opening = STYLES[self.about["style"]].open(environment)
                yield (await stack.enter_async_context(opening)).system
            except (sqlite3.DatabaseError, HistoryDamaged) as error:
                raise UsageError(f"the state of {self.folder} is damaged: {error}") from error


def beside(folder: Path, data: Path) -> str:
    """A server's data as run.json names them: seen from the run folder."""
    return os.path.relpath(data, folder)
