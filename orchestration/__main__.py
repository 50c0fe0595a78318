"""A part of the orchestration as a process of its own: the embedded engine, or one participant's task worker.

`python -m orchestration engine --help`, `python -m orchestration payment --help`
"""

import argparse
import logging
import sqlite3
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from orchestration.engine.errors import HistoryDamaged
from orchestration.server import serve
from orchestration.tasks import serve_functions, workers
from shared_domain.child import until_stopped
from shared_domain.clock import SystemClock
from shared_domain.database import SYNCHRONOUS
from shared_domain.errors import UsageError
from shared_domain.event_loop import run
from shared_domain.faults import NoFaults
from shared_domain.guards import Guards
from shared_domain.participants import NAMES, open_participant
from shared_domain.policy import Policy
from shared_domain.tracing import NoTracer


def parse_function(text: str) -> tuple[str, str]:
    """Name and endpoint from NAME=http://host:port. Raise UsageError for anything else."""
    name, _, endpoint = text.partition("=")
    if not name or not endpoint.startswith(("http://", "https://")):
        raise UsageError(f"--function {text!r} is not NAME=http://host:port")
    return name, endpoint.rstrip("/")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m orchestration", description=__doc__)
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
    engine = parts.add_parser("engine", help="the embedded Step Functions engine")
    engine.add_argument("--data", type=Path, required=True, help="folder of the history")
    engine.add_argument(
        "--lambda-endpoint", required=True, help="http://host:port of the functions"
    )
    engine.add_argument(
        "--function",
        action="append",
        default=[],
        metavar="NAME=URL",
        help="a function with an endpoint of its own; may be repeated",
    )
    engine.add_argument(
        "--express-twice", type=float, default=0.0, help="share of Express starts that start two"
    )
    for name in NAMES:
        worker = parts.add_parser(name, help=f"the task worker of {name}: serves its function")
        worker.add_argument("--database", type=Path, required=True, help="its SQLite file")
        worker.add_argument("--guards", default="all", help="all, none or -inbox,-timeouts")
    for part in parts.choices.values():
        part.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
        part.add_argument("--time-scale", type=float, default=1.0, help="multiplies every second")
        part.add_argument("--durability", choices=SYNCHRONOUS, default="process")
    return parser


async def _work(
    name: str, *, database: Path, port: int, guards: str, time_scale: float, durability: str
) -> None:
    """Serve one participant's function until SIGTERM."""
    opening = open_participant(
        name,
        database,
        policy=Policy(time_scale=time_scale),
        guards=Guards.parse(guards),
        faults=NoFaults(),
        tracer=NoTracer(),
        clock=SystemClock(),
        durability=durability,
    )
    async with (
        opening as door,
        workers({name: door}, door.tracer) as functions,
        serve_functions(functions, port=port) as endpoint,
    ):
        print(f"ready on {endpoint}", flush=True)
        await until_stopped()


def _part(arguments: dict[str, Any]) -> Coroutine[Any, Any, None]:
    name = arguments.pop("part")
    if name != "engine":
        return _work(name, **arguments)
    functions = dict(parse_function(text) for text in arguments.pop("function"))
    arguments["data"].mkdir(parents=True, exist_ok=True)
    return serve(functions=functions, **arguments)


def main() -> int:
    """Serve until SIGTERM; 0, or 2 with one line on standard error if it cannot."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        run(_part(vars(_parser().parse_args())))
    except (HistoryDamaged, UsageError, OSError, sqlite3.Error) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
