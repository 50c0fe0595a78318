"""Progress of many small runs: a bar with the time left on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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


@contextmanager
def counting(what: str, total: int, *, begun: int = 0) -> Iterator[Callable[[str], None]]:
    """Yields what is called after each one, with a remark that is printed if it is not empty. `begun`: done in an earlier go."""
    console = Console(stderr=True)
    started, done = time.monotonic(), begun
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total, completed=begun)

        def one_more(remark: str) -> None:
            nonlocal done
            done += 1
            progress.update(task, completed=done)
            if remark:
                progress.console.print(remark, markup=False, highlight=False, soft_wrap=True)
            if not console.is_terminal and (
                done == total or LINES * done // total > LINES * (done - 1) // total
            ):
                took_s = time.monotonic() - started
                print(f"{done} of {total} {what}, {took_s:.0f} s", file=sys.stderr, flush=True)

        yield one_more
