"""One participant of the choreography as a process of its own: `python -m choreography payment --help`.

Start all four with the same prefix and step order; each keeps its own database and knows nothing of the others.
"""

import argparse
import asyncio
import os
import sqlite3
import sys
from pathlib import Path

from choreography.rabbit_broker import RabbitBroker
from choreography.rabbit_connection import AMQP_VARIABLE, check_server, quieten_clients
from choreography.reactions import STEP_ORDERS
from choreography.service_host import serve_participant
from choreography.system import topology
from shared_domain.child import until_stopped
from shared_domain.clock import SystemClock
from shared_domain.database import SYNCHRONOUS
from shared_domain.errors import Failure, UsageError, first
from shared_domain.event_loop import run
from shared_domain.faults import NoFaults
from shared_domain.guards import Guards
from shared_domain.participants import NAMES, open_participant
from shared_domain.policy import Policy
from shared_domain.tracing import NoTracer


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m choreography", description=__doc__)
    parser.add_argument("participant", choices=NAMES)
    parser.add_argument(
        "--amqp",
        default=os.environ.get(AMQP_VARIABLE, "amqp://127.0.0.1:5672/"),
        metavar="URL",
        help=f"RabbitMQ; default: {AMQP_VARIABLE} (an address with a password belongs there, not here)",
    )
    parser.add_argument("--database", type=Path, required=True, help="its SQLite file")
    parser.add_argument("--prefix", default="saga", help="of every queue; the same for all four")
    parser.add_argument("--step-order", choices=STEP_ORDERS, default="inventory-first")
    parser.add_argument("--guards", default="all", help="all, none or -outbox,-inbox")
    parser.add_argument("--time-scale", type=_positive, default=1.0, help="multiplies every second")
    parser.add_argument("--durability", choices=SYNCHRONOUS, default="process")
    return parser.parse_args()


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 100")
    return number


async def _serve(arguments: argparse.Namespace) -> None:
    policy, guards = Policy(time_scale=arguments.time_scale), Guards.parse(arguments.guards)
    clock, durability = SystemClock(), arguments.durability
    await check_server(arguments.amqp)
    queues = topology(prefix=arguments.prefix, step_order=arguments.step_order, policy=policy)
    async with (
        open_participant(
            arguments.participant,
            arguments.database,
            policy=policy,
            guards=guards,
            faults=NoFaults(),
            tracer=NoTracer(),
            clock=clock,
            durability=durability,
        ) as door,
        RabbitBroker.open(
            arguments.amqp, queues, durability=durability, confirms=guards.confirms
        ) as broker,
        asyncio.TaskGroup() as running,
    ):
        serving = serve_participant(
            door,
            service=door,
            broker=broker,
            step_order=arguments.step_order,
            policy=policy,
            guards=guards,
            clock=clock,
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
