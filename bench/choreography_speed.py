"""How fast the choreography is over RabbitMQ, beside two peers: `python -m bench.choreography_speed`.

Ours with every guard on, the version that a competent developer writes from the documentation, and FastStream with our
handlers; services and client in one process, on classic and on quorum queues. All run in one go, alternating, so that
ratios may be read; absolute figures belong to this machine and this moment.
"""

import argparse
import random
import secrets
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.choreography_ways import NAIVE, WAYS, Measured, check_ledgers, measure
from choreography.rabbit_connection import quieten_clients
from choreography.rabbit_node import RabbitNode
from shared_domain.errors import UsageError

MANY = 64
WARM_UP = 64
ALONE_SHARE = 0.1
"""Orders of a trial with one in flight, as a share of those with many."""


async def compare(*, orders: int, trials: int, ways: Sequence[str], seed: int) -> Table:
    """The ways at 1 and 64 in flight, in another order in each trial."""
    found: dict[tuple[int, str], Measured] = defaultdict(Measured)
    placed: Counter[str] = Counter()
    chance = random.Random(seed)
    async with AsyncExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="saga-bench-")))
        node = await stack.enter_async_context(RabbitNode.open())
        folders = {way: work / str(number) for number, way in enumerate(ways)}
        places = {}
        for way, folder in folders.items():
            folder.mkdir()
            prefix = f"bench.{secrets.token_hex(4)}"
            places[way] = await stack.enter_async_context(WAYS[way](node.url, folder, prefix))
        trying = []
        for trial in range(trials + 1):  # the first one warms up
            rounds = [(trial, n, way) for n in (1, MANY) for way in ways]
            chance.shuffle(rounds)
            trying += rounds
        for trial, in_flight, way in track(trying, "measuring", console=Console(stderr=True)):
            count = max(20, round(orders * (ALONE_SHARE if in_flight == 1 else 1)))
            count = WARM_UP if trial == 0 else count
            await measure(
                places[way],
                folders[way],
                found[in_flight, way] if trial else Measured(),
                prefix=f"t{trial}-{in_flight}",
                orders=count,
                in_flight=in_flight,
            )
            placed[way] += count
        for way, folder in folders.items():
            check_ledgers(folder, orders=placed[way])
    return _table(found)


def _table(found: dict[tuple[int, str], Measured]) -> Table:
    table = Table(
        "in flight",
        "choreography",
        "orders/s",
        "(lowest to highest)",
        "of naive",
        "p50 ms",
        "of naive",
        "CPU ms per order",
        title="The order saga without a fault; medians over the trials, every ledger checked",
    )
    for (in_flight, way), measured in sorted(found.items()):
        naive = found.get((in_flight, NAIVE))
        table.add_row(
            str(in_flight),
            way,
            f"{measured.rate:.0f}",
            f"{min(measured.rates):.0f} to {max(measured.rates):.0f}",
            f"{measured.rate / naive.rate:.2f}x" if naive else "",
            f"{1000 * measured.p50_s:.2f}",
            f"{measured.p50_s / naive.p50_s:.2f}" if naive else "",
            f"{sorted(measured.cpu_ms)[len(measured.cpu_ms) // 2]:.2f}",
        )
    return table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.choreography_speed", description=__doc__)
    parser.add_argument("--orders", type=int, default=1000, help="per trial at 64 in flight")
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1, help="of the order of the trials")
    parser.add_argument("--way", action="append", choices=WAYS, help="only this; may be repeated")
    given = parser.parse_args()
    quieten_clients()
    try:
        table = uvloop.run(
            compare(
                orders=given.orders,
                trials=given.trials,
                ways=given.way or list(WAYS),
                seed=given.seed,
            )
        )
    except UsageError as error:
        sys.exit(f"error: {error}")
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
