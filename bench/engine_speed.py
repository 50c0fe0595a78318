"""How fast the embedded engine is, by each path to reach it, and beside moto: `python -m bench.engine_speed`.

Four Lambda-style tasks per execution, one function that answers at once. Every contender runs in one go, alternating, so
that ratios may be read; absolute figures belong to this machine and this moment. The embedded engine is durable;
moto keeps everything in memory.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.engine_contenders import CONTENDERS, INSIDE, MOTO, Measured, measure
from kernel.errors import UsageError
from kernel.event_loop import run
from kernel.scratch import scratch

MANY = 64
WARM_UP = 20


async def compare(*, executions: int, trials: int, contenders: Sequence[str]) -> Table:
    """The contenders at 1 and 64 in flight, alternating over the trials."""
    found: dict[tuple[int, str], Measured] = defaultdict(Measured)
    async with AsyncExitStack() as stack:
        work = stack.enter_context(scratch("bench"))
        opened = {}
        for number, contender in enumerate(contenders):
            folder = work / str(number)
            folder.mkdir()
            opened[contender] = await stack.enter_async_context(CONTENDERS[contender](folder))
            await measure(
                opened[contender], Measured(), prefix="warm", executions=WARM_UP, in_flight=4
            )
        trying = [
            (t, n, contender) for t in range(trials) for n in (1, MANY) for contender in contenders
        ]
        for trial, in_flight, contender in track(trying, "measuring", console=Console(stderr=True)):
            await measure(
                opened[contender],
                found[in_flight, contender],
                prefix=f"t{trial}-{in_flight}",
                executions=_count(executions, in_flight, contender),
                in_flight=in_flight,
            )
    return _table(found)


def _count(executions: int, in_flight: int, contender: str) -> int:
    """How many executions a trial has: fewer where each takes long."""
    count = executions if in_flight == MANY else max(20, executions // 5)
    return max(20 if in_flight == 1 else 2 * MANY, count // 8) if "moto" in contender else count


def _table(found: dict[tuple[int, str], Measured]) -> Table:
    table = Table(
        "in flight",
        "engine",
        "executions/s",
        "of in process",
        "of moto",
        "p50 ms, client",
        "of moto's",
        "p50 ms, own dates",
        "of moto's",
        title="Four tasks per execution; medians over the trials",
    )
    for (in_flight, contender), measured in found.items():
        inside, moto = found.get((in_flight, INSIDE)), found.get((in_flight, MOTO))
        table.add_row(
            str(in_flight),
            contender,
            f"{measured.rate:.0f}",
            f"{measured.rate / inside.rate:.2f}" if inside else "",
            f"{measured.rate / moto.rate:.1f}x" if moto else "",
            f"{1000 * measured.p50_s:.2f}",
            f"{measured.p50_s / moto.p50_s:.3f}" if moto else "",
            f"{1000 * measured.own_p50_s:.2f}",
            f"{measured.own_p50_s / moto.own_p50_s:.3f}" if moto else "",
        )
    return table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.engine_speed", description=__doc__)
    parser.add_argument("--executions", type=int, default=1000, help="per trial at 64 in flight")
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument(
        "--contender", action="append", choices=CONTENDERS, help="only this; may be repeated"
    )
    given = parser.parse_args()
    try:
        table = run(
            compare(
                executions=given.executions,
                trials=given.trials,
                contenders=given.contender or list(CONTENDERS),
            )
        )
    except UsageError as error:
        sys.exit(f"error: {error}")
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
