"""Participants as processes of their own: started, seen ready, started again after a death, ended with the run."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from kernel import child
from kernel.errors import UsageError

READY_S = 30.0
"""Longest wait for a process to say that it is ready."""
LOOK_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """What the supervisor does when a participant's process dies: start it again, `at_most` times, `after_s` real seconds."""

    at_most: int = 1_000
    after_s: float = 0.0


class ParticipantProcess:
    """One supervised process."""

    def __init__(self, command: list[str], *, log: Path, environment: Mapping[str, str]) -> None:
        self._command, self._log = command, log
        self._name = f"the process of {log.stem}"
        self._environment = {**os.environ, **environment}
        self._process: asyncio.subprocess.Process | None = None
        self.deaths = 0
        """How often it has died without having been told to."""

    @property
    def pid(self) -> int:
        """The process of the current life."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """Kill -9, now; its supervisor notices."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):  # it was quicker
            self._process.send_signal(signal.SIGKILL)

    async def start(self) -> None:
        """Start it; returns when it is ready. Raise UsageError if it is not within READY_S or ends before."""
        told = self._log.stat().st_size if self._log.exists() else 0
        self._process = await child.start(
            self._command, log=self._log, environment=self._environment
        )
        try:
            async with asyncio.timeout(READY_S):
                while not self._said_since(told, b"ready\n"):
                    if self._process.returncode is not None:
                        raise UsageError(f"{self._name} did not start: {self.told()}")
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise UsageError(
                f"{self._name} is silent after {READY_S:.0f} s: {self.told()}"
            ) from None

    async def supervise(self, policy: RestartPolicy) -> None:
        """Start it again after each death, as the policy says, until cancelled."""
        while True:
            assert self._process is not None
            await self._process.wait()
            self.deaths += 1
            if self.deaths > policy.at_most:
                return
            await asyncio.sleep(policy.after_s)
            try:
                await self.start()
            except UsageError:
                if self._process.returncode is None:
                    raise  # it lives and is not ready: that is a fault of ours

    async def end(self) -> None:
        """SIGTERM, and kill -9 if that does not help."""
        if self._process is not None:
            await child.end(self._process, with_signal=signal.SIGTERM)

    def _said_since(self, position: int, line: bytes) -> bool:
        with self._log.open("rb") as log:
            log.seek(position)
            return line in log.read()

    async def wait(self) -> None:
        """Return when its current life has ended."""
        assert self._process is not None
        await self._process.wait()

    def told(self) -> str:
        """The last line that it printed."""
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it printed nothing"


@asynccontextmanager
async def supervised(
    style: str,
    folder: Path,
    *,
    arguments: Mapping[str, list[str]],
    environments: Mapping[str, Mapping[str, str]],
    policy: RestartPolicy,
) -> AsyncIterator[dict[str, ParticipantProcess]]:
    """A ready process for each participant that has `arguments`; all of them are ended at the end."""
    processes = {
        name: ParticipantProcess(
            [
                sys.executable,
                "-m",
                "scenarios.runs.participant_process",
                style,
                name,
                str(folder),
                *more,
            ],
            log=folder / f"{name}.log",
            environment=environments.get(name, {}),
        )
        for name, more in arguments.items()
    }
    try:
        await asyncio.gather(*(process.start() for process in processes.values()))
        async with asyncio.TaskGroup() as watching:
            watchers = [watching.create_task(p.supervise(policy)) for p in processes.values()]
            try:
                yield processes
            finally:
                for watcher in watchers:
                    watcher.cancel()
    finally:
        for process in processes.values():
            await process.end()
