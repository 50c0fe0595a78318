"""The customers of a run as a process of its own: what it costs to be a customer is then no cost of a style's services.

`python -m scenarios.runs.customers_process choreography FOLDER`, started by scenarios/runs/customers_apart.py.
"""

import argparse
import asyncio
import json
from pathlib import Path

from choreography.rabbit_connection import quieten_clients
from kernel.event_loop import run
from scenarios.runs.customers import Customer, come
from scenarios.runs.customers_apart import (
    CUSTOMERS,
    EXPECTED,
    LOOK_S,
    SERVED,
    begun_at,
    served_line,
)
from scenarios.runs.folder import read_lines
from scenarios.runs.process_of_a_run import process_of_a_run
from scenarios.styles.index import STYLES


async def _come(style: str, folder: Path) -> None:
    async with (
        process_of_a_run(CUSTOMERS, folder) as mine,
        STYLES[style].entrance(mine) as start,
    ):
        lines = list(read_lines(folder / EXPECTED))
        customers = [Customer.of_line(line, mine.environment.saga) for line in lines]
        numbers = {
            id(customer): line["index"] for customer, line in zip(customers, lines, strict=True)
        }
        print("ready", flush=True)
        while (begun := begun_at(folder)) is None:
            await asyncio.sleep(LOOK_S)
        for customer in customers:
            customer.intended_mono_s += begun
        with (folder / SERVED).open("a", encoding="utf-8", buffering=1) as served:

            def accepted(customer: Customer) -> None:
                served.write(json.dumps(served_line(customer, numbers[id(customer)])) + "\n")

            await come(customers, start=start, clock=mine.environment.clock, accepted=accepted)


def main() -> None:
    """Come and be served; ends when everybody has been served or has lost patience."""
    parser = argparse.ArgumentParser(prog="python -m scenarios.runs.customers_process")
    parser.add_argument("style", choices=STYLES)
    parser.add_argument("folder", type=Path, help="the run's working folder")
    arguments = parser.parse_args()
    quieten_clients()
    run(_come(**vars(arguments)))


if __name__ == "__main__":
    main()
