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

from kernel.child import until_stopped
from kernel.database import SYNCHRONOUS
from kernel.environment import Environment
from kernel.errors import UsageError
from kernel.event_loop import run
from kernel.guards import Guards
from kernel.loading import DEFAULT, load_saga
from kernel.participants import open_participant
from kernel.policy import Policy
from kernel.saga import Saga
from orchestration.engine.errors import HistoryDamaged
from orchestration.engine.integrations import SERVICES
from orchestration.engine.service_calls import parse_services
from orchestration.server import serve
from orchestration.tasks import serve_functions, workers


def parse_function(text: str) -> tuple[str, str]:
    """Name and endpoint from NAME=http://host:port. Raise UsageError for anything else."""
    name, _, endpoint = text.partition("=")
    if not name or not endpoint.startswith(("http://", "https://")):
        raise UsageError(f"--function {text!r} is not NAME=http://host:port")
    return name, endpoint.rstrip("/")


def _parser(saga: Saga) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m orchestration", description=__doc__)
    parser.add_argument(
        "--saga", default=DEFAULT, metavar="NAME|FOLDER", help=f"default: {DEFAULT}"
    )
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
    for service in SERVICES:
        engine.add_argument(
            f"--{service}-endpoint",
            default="",
            metavar="URL",
            help=f"http://host:port of {service}",
        )
    engine.add_argument(
        "--express-twice", type=float, default=0.0, help="share of Express starts that start two"
    )
    for name in saga.services:
        worker = parts.add_parser(name, help=f"the task worker of {name}: serves its function")
        worker.add_argument("--database", type=Path, required=True, help="its SQLite file")
        worker.add_argument("--guards", default="all", help="all, none or -inbox,-timeouts")
        worker.set_defaults(saga=saga)
    for part in parts.choices.values():
        part.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
        part.add_argument("--time-scale", type=float, default=1.0, help="multiplies every second")
        part.add_argument("--durability", choices=SYNCHRONOUS, default="process")
    return parser


async def _work(
    name: str,
    *,
    saga: Saga,
    database: Path,
    port: int,
    guards: str,
    time_scale: float,
    durability: str,
) -> None:
    """Serve one participant's function until SIGTERM."""
    environment = Environment(
        saga=saga,
        variant=saga.variant,
        policy=Policy(time_scale=time_scale),
        guards=Guards.parse(guards),
        durability=durability,
    )
    async with (
        open_participant(name, database, environment) as participant,
        workers({name: participant}, environment) as functions,
        serve_functions(functions, port=port) as endpoint,
    ):
        print(f"ready on {endpoint}", flush=True)
        await until_stopped()


def _part(arguments: dict[str, Any]) -> Coroutine[Any, Any, None]:
    name = arguments.pop("part")
    if name != "engine":
        return _work(name, **arguments)
    arguments.pop("saga")
    functions = dict(parse_function(text) for text in arguments.pop("function"))
    endpoints = {name: arguments.pop(f"{name}_endpoint") for name in SERVICES}
    services = parse_services(endpoints)
    arguments["data"].mkdir(parents=True, exist_ok=True)
    return serve(functions=functions, services=services, **arguments)


def main() -> int:
    """Serve until SIGTERM; 0, or 2 with one line on standard error if it cannot."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        first = argparse.ArgumentParser(add_help=False)
        first.add_argument("--saga", default=DEFAULT)
        saga = load_saga(first.parse_known_args()[0].saga)
        run(_part(vars(_parser(saga).parse_args())))
    except (HistoryDamaged, UsageError, OSError, sqlite3.Error) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
