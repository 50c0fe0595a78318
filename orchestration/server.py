"""The embedded Step Functions engine as a server on loopback, for any Step Functions client."""

import asyncio
import gc
import secrets
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from kernel.clock import SystemClock
from kernel.memory_files import Folder
from kernel.ports import Clock
from orchestration.engine.api import application
from orchestration.engine.invoker import http_invoker
from orchestration.engine.registry import Entropy
from orchestration.engine.service import StepFunctionsEngine
from orchestration.engine.service_calls import http_services


@dataclass(frozen=True, slots=True)
class Serving:
    """An engine that is served, and the port at which it is."""

    engine: StepFunctionsEngine
    port: int


@asynccontextmanager
async def serving(
    *,
    port: int,
    data: Folder,
    lambda_endpoint: str,
    time_scale: float,
    durability: str,
    clock: Clock,
    express_twice: float = 0.0,
    functions: Mapping[str, str] = {},
    services: Mapping[str, str] = {},
    entropy: Entropy = secrets.token_bytes,
    shutdown_s: float = 1.0,
) -> AsyncIterator[Serving]:
    """An engine behind HTTP as long as the context is open; see serve. Executions go on once its `resume` is called."""
    async with (
        http_invoker(lambda_endpoint, functions) as invoke,
        http_services(services) as call,
        StepFunctionsEngine.open(
            data,
            invoke=invoke,
            call=call,
            clock=clock,
            time_scale=time_scale,
            durability=durability,
            express_twice=express_twice,
            entropy=entropy,
        ) as engine,
    ):
        runner = web.AppRunner(application(engine), access_log=None, shutdown_timeout=shutdown_s)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", port)
            await site.start()
            yield Serving(engine, runner.addresses[0][1])
        finally:
            await runner.cleanup()


async def serve(
    *,
    port: int,
    data: Path,
    lambda_endpoint: str,
    time_scale: float,
    durability: str,
    express_twice: float = 0.0,
    functions: Mapping[str, str] = {},
    services: Mapping[str, str] = {},
) -> None:
    """Serve until SIGTERM or SIGINT, with the history in the folder `data`. Prints one line when ready.

    Functions are invoked at `lambda_endpoint`, but for those that have an endpoint of their own in `functions`; other services
    are called at theirs in `services`, by name (sns, sqs, events, dynamodb).

    Raise HistoryDamaged if the folder's history is not one of this engine, OSError if the port is taken.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(
        port=port,
        data=data,
        lambda_endpoint=lambda_endpoint,
        time_scale=time_scale,
        durability=durability,
        clock=SystemClock(),
        express_twice=express_twice,
        functions=functions,
        services=services,
    ) as served:
        # With the defaults a twentieth of the engine's time went into looking for cycles; it makes few.
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        print(f"ready on http://127.0.0.1:{served.port}", flush=True)
        await served.engine.resume()
        await stop.wait()
