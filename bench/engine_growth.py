"""Whether the embedded engine stays as it is while executions pile up: `python -m bench.engine_growth`.

One engine process, durable, over HTTP, 64 executions of four tasks in flight; the cost of a transition is the CPU
time of that process, which other programs on the machine disturb less than the clock on the wall.
"""

import argparse
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import psutil
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.engine_contenders import Measured, engine_process, measure, raw_call, reached
from kernel.event_loop import run
from kernel.scratch import scratch

TRANSITIONS = 5
"""Of an execution: four states entered, and the end."""
IN_FLIGHT = 64
_MIB = 2**20


def stops(most: int) -> Iterator[int]:
    """0, 100, 1,000 and so on, and the start and the end of the last tenth."""
    yield 0
    at = 100
    while at < most * 9 // 10:
        yield at
        at *= 10
    yield most * 9 // 10
    yield most


async def grow(*, most: int) -> Table:
    """One row per stretch of executions."""
    table = Table(
        "executions",
        "CPU ms per transition",
        "executions/s",
        "engine's memory, MiB",
        "history, MiB",
        title=f"One engine process, {IN_FLIGHT} in flight, four tasks per execution",
    )
    with scratch("bench") as work, Progress() as progress:
        bar = progress.add_task("executions", total=most)
        async with engine_process(work) as engine, raw_call(engine.endpoint) as call:
            process, machine = psutil.Process(engine.pid), await reached(call)
            for since, until in pairwise(stops(most)):
                before, measured = _cpu_s(process), Measured()
                await measure(
                    machine, measured, prefix=f"n{since}", executions=until - since, in_flight=IN_FLIGHT
                )  # fmt: skip
                spent_ms = 1000 * (_cpu_s(process) - before)
                table.add_row(
                    f"{since:,} to {until:,}",
                    f"{spent_ms / (until - since) / TRANSITIONS:.3f}",
                    f"{measured.rate:.0f}",
                    f"{process.memory_info().rss / _MIB:.0f}",
                    f"{_size(work) / _MIB:.0f}",
                )
                progress.update(bar, completed=until)
    return table


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("history.sqlite*"))


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.engine_growth", description=__doc__)
    parser.add_argument("--executions", type=int, default=100_000)
    Console(width=110).print(run(grow(most=parser.parse_args().executions)))


if __name__ == "__main__":
    main()
