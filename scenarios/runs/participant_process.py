"""One participant of a run as a process of its own, with the run's faults in it.

`python -m scenarios.runs.participant_process choreography payment FOLDER`, started by scenarios/runs/processes.py. The same parts
as `python -m choreography payment` and `python -m orchestration payment`, behind the network that the fault plan
disturbs. A planned crash is a kill -9 of this process by itself.
"""

import argparse
import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from choreography.rabbit_connection import quieten_clients
from kernel.child import until_stopped
from kernel.clock import SystemClock
from kernel.event_loop import run
from kernel.loading import load_saga
from kernel.participants import open_participant
from kernel.tracing import OtelTracer
from scenarios.faults.planned import PlannedFaults
from scenarios.faults.record import RecordedFaults
from scenarios.runs.participant_config import ParticipantConfig, faults_path, log_path, spans_path
from scenarios.styles.index import STYLES

SPANS_S = 0.5
"""How often spans are written down; a kill -9 loses those of less than this."""


def _kill_myself(reason: str) -> None:
    print(reason, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


async def _serve(style: str, name: str, folder: Path, port: int) -> None:
    with closing(RecordedFaults(faults_path(folder, name))) as record:
        await _serve_recording(style, name, folder, port, record)


async def _serve_recording(
    style: str, name: str, folder: Path, port: int, record: RecordedFaults
) -> None:
    config, clock = ParticipantConfig.read(folder), SystemClock()
    log = log_path(folder, name).open("a", encoding="utf-8", buffering=1)
    tracer = OtelTracer(
        sampling_ratio=config.trace_sampling,
        otlp=config.otlp,
        write_log=lambda line: log.write(json.dumps(line) + "\n"),
    )
    saga = load_saga(config.saga)
    faults = PlannedFaults(
        config.plan,
        config.order_ids,
        saga=saga,
        seed=config.seed,
        policy=config.policy,
        clock=clock,
        tracer=tracer,
        record=record,
        crash=_kill_myself,
        service_times=config.service_times,
    )
    environment = config.environment(faults=faults, tracer=tracer, clock=clock)
    async with (
        open_participant(name, folder / f"{name}.sqlite", environment) as participant,
        STYLES[style].host(config, participant, faults, port),
        _writing(tracer, folder, name),
    ):
        print("ready", flush=True)
        await until_stopped(with_parent=True)


@asynccontextmanager
async def _writing(tracer: OtelTracer, folder: Path, name: str) -> AsyncIterator[None]:
    """Write spans down now and then, and at the end."""
    with spans_path(folder, name).open("a", encoding="utf-8") as file:

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


def main() -> None:
    """Serve until SIGTERM, or until the parent process is gone."""
    parser = argparse.ArgumentParser(prog="python -m scenarios.runs.participant_process")
    parser.add_argument("style", choices=STYLES)
    parser.add_argument("name")
    parser.add_argument(
        "folder", type=Path, help="the run's working folder, with participant_config.json in it"
    )
    parser.add_argument("--port", type=int, default=0, help="where its function is served")
    arguments = parser.parse_args()
    quieten_clients()
    run(_serve(**vars(arguments)))


if __name__ == "__main__":
    main()
