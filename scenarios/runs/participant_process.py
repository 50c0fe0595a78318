"""One participant of a run as a process of its own, with the run's faults in it.

`python -m scenarios.runs.participant_process choreography payment FOLDER`, started by scenarios/runs/processes.py. The same parts
as `python -m choreography payment` and `python -m orchestration payment`, behind the network that the fault plan
disturbs. A planned crash is a kill -9 of this process by itself.
"""

import argparse
import os
import signal
from pathlib import Path

from choreography.rabbit_connection import quieten_clients
from kernel.child import until_stopped
from kernel.event_loop import run
from kernel.participants import open_participant
from scenarios.runs.process_of_a_run import process_of_a_run
from scenarios.styles.index import STYLES


def _kill_myself(reason: str) -> None:
    print(reason, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


async def _serve(style: str, name: str, folder: Path, port: int) -> None:
    async with (
        process_of_a_run(name, folder, crash=_kill_myself) as mine,
        open_participant(name, folder / f"{name}.sqlite", mine.environment) as participant,
        STYLES[style].host(mine.config, participant, mine.faults, port),
    ):
        print("ready", flush=True)
        await until_stopped(with_parent=True)


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
