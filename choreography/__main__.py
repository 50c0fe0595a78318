"""One participant of the choreography as a process of its own: `python -m choreography payment --help`.

Start all of a saga with the same prefix and step order; each keeps its own database and knows nothing of the others.
"""

import argparse
import asyncio
import os
import sqlite3
import sys
from pathlib import Path

from choreography.rabbit_broker import RabbitBroker
from choreography.rabbit_connection import AMQP_VARIABLE, check_server, quieten_clients
from choreography.service_host import serve_participant
from choreography.system import topology
from kernel.child import until_stopped
from kernel.database import SYNCHRONOUS
from kernel.environment import Environment
from kernel.errors import Failure, UsageError, first
from kernel.event_loop import run
from kernel.guards import Guards
from kernel.loading import DEFAULT, load_saga
from kernel.participants import open_participant
from kernel.policy import Policy


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m choreography", description=__doc__)
    parser.add_argument(
        "participant", help="one of the saga's: order, inventory, payment, shipping"
    )
    parser.add_argument("--saga", default=DEFAULT, metavar="NAME|FOLDER")
    parser.add_argument(
        "--amqp",
        default=os.environ.get(AMQP_VARIABLE, "amqp://127.0.0.1:5672/"),
        metavar="URL",
        help=f"RabbitMQ; default: {AMQP_VARIABLE} (an address with a password belongs there, not here)",
    )
    parser.add_argument("--database", type=Path, required=True, help="its SQLite file")
    parser.add_argument("--prefix", default="saga", help="of every queue; the same for all")
    parser.add_argument("--step-order", default="", help="a variant of the saga")
    parser.add_argument("--guards", default="all", help="all, none or -outbox,-inbox")
    parser.add_argument("--time-scale", type=_positive, default=1.0, help="multiplies every second")
    parser.add_argument("--durability", choices=SYNCHRONOUS, default="process")
    return parser.parse_args()


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 100")
    return number


def _environment(arguments: argparse.Namespace) -> Environment:
    saga = load_saga(arguments.saga)
    variant = arguments.step_order or saga.variant
    if variant not in saga.variants:
        raise UsageError(f"--step-order {variant}: use {' or '.join(saga.variants)}")
    if arguments.participant not in saga.participants:
        raise UsageError(f"{arguments.participant}: use {', '.join(saga.participants)}")
    return Environment(
        saga=saga,
        variant=variant,
        policy=Policy(time_scale=arguments.time_scale),
        guards=Guards.parse(arguments.guards),
        durability=arguments.durability,
    )


async def _serve(arguments: argparse.Namespace) -> None:
    environment = _environment(arguments)
    await check_server(arguments.amqp)
    async with (
        open_participant(arguments.participant, arguments.database, environment) as participant,
        RabbitBroker.open(
            arguments.amqp,
            topology(prefix=arguments.prefix, environment=environment),
            durability=environment.durability,
            confirms=environment.guards.confirms,
        ) as broker,
        asyncio.TaskGroup() as running,
    ):
        serving = serve_participant(
            participant, service=participant, broker=broker, environment=environment
        )
        task = running.create_task(serving)
        print("ready", flush=True)
        await until_stopped()
        task.cancel()


def main() -> int:
    """Serve until SIGTERM; 0, or 2 with one line on standard error if it cannot."""
    quieten_clients()
    try:
        run(_serve(_arguments()))
    except* (UsageError, Failure, OSError, ValueError, sqlite3.Error) as group:
        print(f"error: {first(group)}", file=sys.stderr)
        return_code = 2
    else:
        return_code = 0
    return return_code


if __name__ == "__main__":
    sys.exit(main())
