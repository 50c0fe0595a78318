"""CPU time and memory of the testbed's processes, by what they are."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import psutil

CLIENT, BROKER = "client and services", "RabbitMQ"
_MARKS = {
    "beam": BROKER,
    "orchestration engine": "Step Functions engine",
    "moto.server": "moto",
    "participant_process": "participants",
    "customers_process": "customers",
}
"""What a command line holds -> what the process is."""
SAMPLE_S = 0.25
_MIB = 2**20


@dataclass(slots=True)
class Usage:
    """What was used while one watched: a sample of each process' CPU time so far, now and then, and the most memory that it gained."""

    samples: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    """(monotonic seconds, process -> seconds of CPU since one began to watch)."""
    memory_mib: dict[str, float] = field(default_factory=dict)
    """Process -> most resident memory beyond what it had at the start, in MiB; of one that was started meanwhile, all."""

    @property
    def cpu_s(self) -> dict[str, float]:
        """Process -> seconds of CPU, over the whole time; of those that used any."""
        return {name: s for name, s in self.samples[-1][1].items() if s > 0}

    def cores_busy(self, since_mono_s: float, until_mono_s: float) -> dict[str, float]:
        """Process -> cores that it kept busy between two moments, to the nearest samples."""
        first, last = (
            min(self.samples, key=lambda sample: abs(sample[0] - at))
            for at in (since_mono_s, until_mono_s)
        )
        passed_s = max(last[0] - first[0], SAMPLE_S)
        return {name: (s - first[1].get(name, 0.0)) / passed_s for name, s in last[1].items()}


@asynccontextmanager
async def watched() -> AsyncIterator[Usage]:
    """What this process and its children use while the context is open."""
    used, watch = Usage(), _Watch()
    watch.look(used)
    looking = asyncio.create_task(_keep_looking(watch, used))
    try:
        yield used
    finally:
        looking.cancel()
        watch.look(used)


async def _keep_looking(watch: "_Watch", used: Usage) -> None:
    while True:
        await asyncio.sleep(SAMPLE_S)
        watch.look(used)


class _Watch:
    """What each process had used when it was first seen, and when it was last: one that ends is not forgotten."""

    def __init__(self) -> None:
        self._first: dict[tuple[int, float], float] = {}
        self._last: dict[tuple[int, float], tuple[str, float]] = {}
        self._memory: dict[tuple[int, float], float] = {}
        self._began = time.time()

    def look(self, used: Usage) -> None:
        """Take one sample."""
        memory: dict[str, float] = defaultdict(float)
        for process, name in _processes():
            with suppress(psutil.Error):
                key, times = (process.pid, process.create_time()), process.cpu_times()
                spent = float(times.user + times.system)
                self._first.setdefault(key, 0.0 if key[1] >= self._began else spent)
                self._last[key] = (name, spent)
                size = process.memory_info().rss / _MIB
                self._memory.setdefault(key, 0.0 if key[1] >= self._began else size)
                memory[name] += size - self._memory[key]
        for name, size in memory.items():
            used.memory_mib[name] = max(size, used.memory_mib.get(name, 0.0))
        so_far: dict[str, float] = defaultdict(float)
        for key, (name, spent) in self._last.items():
            so_far[name] += spent - self._first[key]
        used.samples.append((time.monotonic(), dict(so_far)))


def python_processes() -> list[tuple[psutil.Process, str]]:
    """Those of `watched` that run Python, one of a name."""
    found = {name: process for process, name in _processes() if name != BROKER}
    return [(process, name) for name, process in found.items()]


def _processes() -> list[tuple[psutil.Process, str]]:
    """Itself and its children, as far as they are known."""
    mine = psutil.Process()
    found = [(mine, CLIENT)]
    for child in mine.children(recursive=True):
        with suppress(psutil.Error):
            line = " ".join(child.cmdline())
            found += [(child, name) for mark, name in _MARKS.items() if mark in line][:1]
    return found
