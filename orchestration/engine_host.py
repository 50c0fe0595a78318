"""Where the embedded engine runs: in this process, or as a child process of its own.

Both implement ports.Disturbance: they can be killed in mid-run and restarted on the same history.
"""

import asyncio
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from kernel import child
from kernel.errors import NotDelivered, UsageError
from kernel.memory_files import Folder
from kernel.ports import Clock
from orchestration.engine.branch import Invoke, ServiceCall
from orchestration.engine.integrations import no_services
from orchestration.engine.registry import Entropy
from orchestration.engine.service import StepFunctionsEngine

START_S = 20.0


class InProcessEngine:
    """The engine as tasks of this process. `kill` drops them and all that is not in the history."""

    def __init__(
        self,
        folder: Folder,
        *,
        invoke: Invoke,
        clock: Clock,
        time_scale: float,
        durability: str,
        express_twice: float = 0.0,
        entropy: Entropy = secrets.token_bytes,
        call: ServiceCall = no_services,
        resumes: bool = True,
    ) -> None:
        """`resumes` False: what had not ended rests."""
        self._folder, self._invoke, self._call, self._clock = folder, invoke, call, clock
        self._time_scale, self._durability = time_scale, durability
        self._express_twice, self._entropy, self._resumes = express_twice, entropy, resumes
        self._life = AsyncExitStack()
        self._engine: StepFunctionsEngine | None = None

    def engine(self) -> StepFunctionsEngine:
        """The living engine. Raise NotDelivered while it is down."""
        if self._engine is None:
            raise NotDelivered("the engine is down")
        return self._engine

    async def kill(self) -> None:
        """See Disturbance."""
        self._engine = None
        await self._life.aclose()

    def freeze(self) -> None:
        """See Disturbance: nothing that it does becomes durable, so it does nothing more."""
        self.engine().freeze()

    def thaw(self) -> None:
        """See Disturbance."""
        self.engine().thaw()

    async def restart(self) -> None:
        """See Disturbance."""
        opening = StepFunctionsEngine.open(
            self._folder,
            invoke=self._invoke,
            call=self._call,
            clock=self._clock,
            time_scale=self._time_scale,
            durability=self._durability,
            express_twice=self._express_twice,
            entropy=self._entropy,
        )
        self._engine = await self._life.enter_async_context(opening)
        if self._resumes:
            await self._engine.resume()


class EngineProcess:
    """The engine as `python -m orchestration`, on loopback."""

    def __init__(
        self,
        folder: Path,
        *,
        lambda_endpoint: str,
        time_scale: float,
        durability: str,
        express_twice: float = 0.0,
        functions: Mapping[str, str] = {},
        services: Mapping[str, str] = {},
    ) -> None:
        """`functions`: function -> its own endpoint, where that is not `lambda_endpoint`. `services`: service -> its endpoint."""
        self._log, self._port = folder / "engine.log", child.free_port()
        self._process: asyncio.subprocess.Process | None = None
        self._arguments = [
            "engine",
            "--port", str(self._port),
            "--data", str(folder),
            "--lambda-endpoint", lambda_endpoint,
            "--time-scale", str(time_scale),
            "--durability", durability,
            "--express-twice", str(express_twice),
            *(f"--function={name}={url}" for name, url in functions.items()),
            *(f"--{name}-endpoint={url}" for name, url in services.items()),
        ]  # fmt: skip

    @property
    def endpoint(self) -> str:
        """Where a Step Functions client finds it."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """The process, once it has been started."""
        assert self._process is not None
        return self._process.pid

    async def kill(self) -> None:
        """See Disturbance."""
        if self._process is not None:
            await child.end(self._process, with_signal=signal.SIGKILL)

    def freeze(self) -> None:
        """See Disturbance."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """See Disturbance."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    async def restart(self) -> None:
        """See Disturbance. Raise UsageError if the engine does not start."""
        await self.spawn()
        await self.ready()

    async def spawn(self) -> None:
        """Start the process without waiting for it."""
        self._process = await child.start(
            [sys.executable, "-m", "orchestration", *self._arguments], log=self._log
        )

    async def ready(self) -> None:
        """Return when it serves. Raise UsageError if it does not."""
        assert self._process is not None
        log = self._log
        try:
            async with asyncio.timeout(START_S):
                while not await child.listens(self._port):
                    if self._process.returncode is not None:
                        raise UsageError(f"the engine did not start: {log.read_text().strip()}")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise UsageError(f"the engine is silent after {START_S:.0f} s: see {log}") from None


@asynccontextmanager
async def running(engine: InProcessEngine | EngineProcess) -> AsyncIterator[None]:
    """Start an engine, and kill it at the end: its history is complete at any moment."""
    try:
        await engine.restart()
        yield
    finally:
        await engine.kill()
