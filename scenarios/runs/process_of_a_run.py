"""What every process of a run beside the runner's own has: the run as its configuration tells it, its faults, logs and spans."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from kernel.clock import SystemClock
from kernel.environment import Environment
from kernel.loading import load_saga
from kernel.tracing import OtelTracer
from scenarios.faults.planned import PlannedFaults, drop_work
from scenarios.faults.record import RecordedFaults
from scenarios.runs.participant_config import ParticipantConfig, faults_path, log_path, spans_path

SPANS_S = 0.5
"""How often spans are written down; a kill -9 loses those of less than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessOfARun:
    """The run, as one of its processes sees it."""

    config: ParticipantConfig
    environment: Environment
    faults: PlannedFaults


@asynccontextmanager
async def process_of_a_run(
    name: str, folder: Path, *, crash: Callable[[str], None] = drop_work
) -> AsyncIterator[ProcessOfARun]:
    """Open it for the process called `name`, from the run's working folder; spans are written now and then, and at the end.

    `crash`: see PlannedFaults.
    """
    config, clock = ParticipantConfig.read(folder), SystemClock()
    with (
        closing(RecordedFaults(faults_path(folder, name))) as record,
        log_path(folder, name).open("a", encoding="utf-8", buffering=1) as log,
    ):
        tracer = OtelTracer(
            sampling_ratio=config.trace_sampling,
            otlp=config.otlp,
            write_log=lambda line: log.write(json.dumps(line) + "\n"),
        )
        faults = PlannedFaults(
            config.plan,
            config.order_ids,
            saga=load_saga(config.saga),
            seed=config.seed,
            policy=config.policy,
            clock=clock,
            tracer=tracer,
            record=record,
            crash=crash,
            service_times=config.service_times,
        )
        environment = config.environment(faults=faults, tracer=tracer, clock=clock)
        async with _writing(tracer, spans_path(folder, name)):
            yield ProcessOfARun(config=config, environment=environment, faults=faults)


@asynccontextmanager
async def _writing(tracer: OtelTracer, path: Path) -> AsyncIterator[None]:
    with path.open("a", encoding="utf-8") as file:

        def write() -> None:
            file.writelines(json.dumps(span) + "\n" for span in tracer.take())
            file.flush()

        async def now_and_then() -> None:
            while True:
                await asyncio.sleep(SPANS_S)
                write()

        async with asyncio.TaskGroup() as running:
            task = running.create_task(now_and_then())
            try:
                yield
            finally:
                task.cancel()
                for lost in await asyncio.to_thread(tracer.close):
                    print(lost, flush=True)
                write()
