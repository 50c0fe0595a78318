"""Many small runs over all cores: each worker process carries several out at a time, over backends of its own."""

import asyncio
import multiprocessing
import os
import queue
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

from choreography.rabbit_connection import quieten_clients
from kernel import event_loop
from kernel.errors import Failure, first
from kernel.guards import Guards
from kernel.loading import DEFAULT, load_saga
from scenarios.campaigns.outcome import Outcome, outcome_of
from scenarios.catalog.bugs import planted
from scenarios.catalog.index import scenarios_of
from scenarios.faults.plan import FaultPlan
from scenarios.judge.verdict import Judgement
from scenarios.runs.backends import open_backends
from scenarios.runs.environment import Backends
from scenarios.runs.folder import read_json, read_lines
from scenarios.runs.interrupts import noticing_interrupts
from scenarios.runs.runner import run
from scenarios.runs.spec import RunSpec

WORKERS = max(1, os.cpu_count() or 1)
PATIENCE_S, LOOK_S = 0.5, 0.02
END_S = 30.0
"""How long a worker may take to end what it has opened."""
LIMIT_S = 600.0
"""A run that takes longer hangs, and is UNKNOWN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run to carry out. `key` names it among its fellows; `bug`: the planted bug that it runs with."""

    key: str
    scenario: str
    style: str
    orders: int
    seed: int
    time_scale: float
    rate_per_s: float
    plan: FaultPlan = field(default_factory=FaultPlan)
    guards: str = "all"
    saga: str = DEFAULT
    variant: str = ""
    """"" = the saga's default."""
    bug: str = ""
    variety: tuple[str, ...] = ()
    redrive: bool = False

    def spec(self, backends: Backends) -> RunSpec:
        """The run that it is on these backends."""
        saga = load_saga(self.saga)
        return RunSpec(
            saga=saga,
            scenario=scenarios_of(saga)[self.scenario],
            style=self.style,
            orders=self.orders,
            seed=self.seed,
            backends=backends,
            rate_per_s=self.rate_per_s,
            time_scale=self.time_scale,
            guards=Guards.parse(self.guards),
            variant=self.variant or saga.variant,
            extra_plan=self.plan,
            variety=self.variety,
            redrive=self.redrive,
            evidence=False,
        )


def run_jobs(
    jobs: Sequence[Job],
    *,
    broker: str,
    engine: str,
    at_once: int,
    runs: Path,
    keep: Callable[[Outcome], bool],
    done: Callable[[Outcome], None],
    workers: int = WORKERS,
) -> None:
    """Carry all of them out; `done` is called with each outcome as it comes.

    `keep`: whether its run folder, below `runs`, is kept. Raise Failure if a worker dies.
    """
    context = multiprocessing.get_context("spawn")
    todo: Queue[Job | None] = context.Queue()
    outcomes: Queue[dict[str, Any]] = context.Queue()
    living = [
        context.Process(target=_work, args=(todo, outcomes, broker, engine, at_once, runs))
        for _ in range(min(workers, len(jobs)))
    ]
    for job in [*jobs, *(None for _ in range(at_once * len(living)))]:
        todo.put(job)
    for process in living:
        process.start()
    try:
        with noticing_interrupts() as check:
            for _ in jobs:
                outcome = _next(outcomes, living, check)
                if not keep(outcome):
                    shutil.rmtree(outcome.folder, ignore_errors=True)
                done(outcome)
            check()
    except BaseException:
        for process in living:
            process.terminate()
        raise
    finally:
        todo.cancel_join_thread()
        for process in living:
            process.join(END_S)
            if process.is_alive():
                process.kill()
                process.join()


def _next(
    outcomes: "Queue[dict[str, Any]]", living: Sequence[BaseProcess], check: Callable[[], None]
) -> Outcome:
    while True:
        check()
        try:
            found = outcomes.get(timeout=PATIENCE_S)
        except queue.Empty:
            codes = [process.exitcode for process in living]
            if any(codes) or all(code is not None for code in codes):
                raise Failure(
                    f"a worker ended with exit code {codes}: see its message above"
                ) from None
        else:
            return Outcome(**found)


def _work(
    todo: "Queue[Job | None]",
    outcomes: "Queue[dict[str, Any]]",
    broker: str,
    engine: str,
    at_once: int,
    runs: Path,
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells
    quieten_clients()

    async def serve() -> None:
        loop, me = asyncio.get_running_loop(), asyncio.current_task()
        assert me is not None
        loop.add_signal_handler(signal.SIGTERM, me.cancel)

        async def server(backends: Backends) -> None:
            while (job := await _taken(todo)) is not None:
                outcomes.put(asdict(await _run(job, backends, runs)))

        async with open_backends(broker, engine) as backends, asyncio.TaskGroup() as servers:
            for _ in range(at_once):
                servers.create_task(server(backends))

    try:
        event_loop.run(serve())
    except asyncio.CancelledError:
        outcomes.cancel_join_thread()  # nobody reads them any more


def _operations(folder: Path, spec: RunSpec) -> Iterator[str]:
    """Those with a row of an order that the plan strikes."""
    struck = {
        line["order"]["order_id"]
        for line in read_lines(folder / "orders.jsonl")
        if any(f.strikes_order(line["index"], seed=spec.seed) for f in spec.plan().faults)
    }
    for row in read_lines(folder / "ledgers.jsonl"):
        if row["table"] == "ledger" and row.get("order_id") in struck:
            yield row["operation"]


def without_end(job: Job, why: str) -> Outcome:
    """The outcome of a job that did not come to its end."""
    return Outcome(
        key=job.key,
        judgement=Judgement.UNKNOWN,
        as_expected=False,
        classes={},
        orders=[],
        laws=[],
        problems=[why],
        failures=[why],
        faults=[[0, 0, 0] for _ in job.plan.faults],
        operations=[],
        replay="",
    )


async def _taken(todo: "Queue[Job | None]") -> Job | None:
    """The next job; None if there is none left, or nobody who wants it."""
    while os.getppid() == multiprocessing.parent_process().pid:  # type: ignore[union-attr]
        try:
            return todo.get_nowait()
        except queue.Empty:
            await asyncio.sleep(LOOK_S)
    return None


async def _run(job: Job, backends: Backends, runs: Path) -> Outcome:
    spec = job.spec(backends)
    try:
        async with asyncio.timeout(LIMIT_S):
            with planted(job.saga, job.bug):
                result = await run(spec, runs=runs, facts={})
    except TimeoutError:
        return without_end(job, f"the run did not end within {LIMIT_S:g} s")
    except Exception as bug:  # one run must not end all the others
        return without_end(job, f"a bug of the testbed: {first(bug)!r}")
    return outcome_of(
        job.key,
        result.verdict,
        plan=spec.plan(),
        injections=read_lines(result.folder / "faults.jsonl"),
        operations=_operations(result.folder, spec),
        replay=read_json(result.folder / "run.json")["replay"],
        folder=str(result.folder),
    )
