"""Work for all cores: pure functions of their arguments, whose results come in the order of the arguments."""

import contextlib
import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from kernel.errors import Failure
from scenarios.campaigns.jobs import WORKERS
from scenarios.runs.interrupts import noticing_interrupts

R = TypeVar("R")
LOOK_S = 0.2
"""How often one looks for Ctrl-C."""
AHEAD = 4
"""Pieces of work that are handed out for each worker."""


def over_cores(work: Callable[..., R], pieces: Iterable[tuple[Any, ...]]) -> Iterator[R]:
    """`work(*piece)` for every piece, in order; what has begun is dropped if one stops listening.

    Raise Failure if a worker dies.
    """
    pool = ProcessPoolExecutor(
        WORKERS, mp_context=multiprocessing.get_context("spawn"), initializer=_begin
    )
    waiting: deque[Future[R]] = deque()
    try:
        with noticing_interrupts() as check:
            for piece in pieces:
                check()
                waiting.append(pool.submit(work, *piece))
                if len(waiting) >= AHEAD * WORKERS:
                    yield _result(waiting.popleft(), check)
            while waiting:
                yield _result(waiting.popleft(), check)
    except BrokenProcessPool as error:
        raise Failure("a worker died: it was killed, or its message stands above") from error
    except BaseException:
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _result(work: Future[R], check: Callable[[], None]) -> R:
    while True:
        check()
        with contextlib.suppress(TimeoutError):
            return work.result(LOOK_S)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.freeze()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
