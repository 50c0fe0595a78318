"""Which execution the engine works on at this moment, kept where it outlives the engine, however that dies.

An execution that takes the engine down with it would do so again after every restart. One that was in hand at two deaths in a row,
and had come no further, is set aside.
"""

import mmap
import struct
import types
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
_MARK = struct.Struct("qq")
NOTHING = (0, 0)


class InHand:
    """A mark in a file that is mapped into memory: writing it costs no call of the system."""

    def __init__(self, file: mmap.mmap) -> None:
        self._file = file

    def found(self) -> tuple[int, int]:
        """(execution, its events) that the engine before this one worked on when it died; NOTHING if it worked on none."""
        execution, events = _MARK.unpack_from(self._file)
        return execution, events

    def put(self, mark: tuple[int, int]) -> None:
        """From now on this is in hand."""
        _MARK.pack_into(self._file, 0, *mark)


@contextmanager
def open_in_hand(path: Path) -> Iterator[InHand]:
    """The mark in a file, which is made if it is new."""
    with path.open("a+b") as file:
        file.truncate(_MARK.size)
        with mmap.mmap(file.fileno(), _MARK.size) as mapped:
            yield InHand(mapped)


async def watched(
    work: Callable[[], Coroutine[Any, Any, T]], hand: InHand, mark: Callable[[], tuple[int, int]]
) -> T:
    """Await `work()`; whenever it runs, and not when it waits, what `mark` gives is in hand."""
    result: T = await _steps(work(), hand, mark)
    return result


@types.coroutine
def _steps(
    work: Coroutine[Any, Any, Any], hand: InHand, mark: Callable[[], tuple[int, int]]
) -> Generator[Any, Any, Any]:
    step = partial(work.send, None)
    while True:
        hand.put(mark())
        try:
            awaited = step()
        except StopIteration as done:
            return done.value
        finally:
            hand.put(NOTHING)
        try:
            step = partial(work.send, (yield awaited))
        except GeneratorExit:
            work.close()
            raise
        except BaseException as thrown:
            step = partial(work.throw, thrown)
