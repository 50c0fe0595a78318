"""Progress of many small runs: a bar with the time left on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LINES = 10


class Count(Protocol):
    """What a piece of work calls when some of it is done."""

    def __call__(self, remark: str = "", *, by: int = 1, aside: str = "") -> None:
        """`by` more are done. A `remark` is printed if it is not empty; `aside` stands beside the count."""


@contextmanager
def counting(what: str, total: int, *, begun: int = 0) -> Iterator[Count]:
    """Yields what is called after each one. `begun`: done in an earlier go."""
    console = Console(stderr=True)
    started, done = time.monotonic(), begun
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[aside]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total, completed=begun, aside="")

        def one_more(remark: str = "", *, by: int = 1, aside: str = "") -> None:
            nonlocal done
            before, done = done, done + by
            progress.update(task, completed=done, aside=aside)
            if remark:
                progress.console.print(remark, markup=False, highlight=False, soft_wrap=True)
            if not console.is_terminal and (
                done == total or LINES * done // total > LINES * before // total
            ):
                took_s = time.monotonic() - started
                told = ", ".join(
                    filter(None, [f"{done} of {total} {what}", f"{took_s:.0f} s", aside])
                )
                print(told, file=sys.stderr, flush=True)

        yield one_more
