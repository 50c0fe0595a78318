"""moto's Step Functions in a process of its own: the interpreter of LocalStack, kept in memory only.

It writes nothing to disk and starts a thread per execution. Its Lambda tasks go to the same functions' server as
those of the embedded engine.
"""

import asyncio
import importlib.util
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from shared_domain import child
from shared_domain.errors import UsageError

START_S = 60.0
_CONFIGURATION = {"stepfunctions": {"execute_state_machine": True}}


@asynccontextmanager
async def moto_server(folder: Path, *, lambda_endpoint: str) -> AsyncIterator[str]:
    """Its endpoint, while it runs; its log is in `folder`. Raise UsageError if it is not installed or does not start."""
    if importlib.util.find_spec("moto") is None:
        raise UsageError("moto is not installed here: run `make .venv/dev`")
    port, log = child.free_port(), folder / "moto.log"
    # moto's state machines look for Lambda on the port that MOTO_PORT names.
    environment = os.environ | {"MOTO_PORT": str(urlsplit(lambda_endpoint).port)}
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = await child.start(command, log=log, environment=environment)
    try:
        endpoint = f"http://127.0.0.1:{port}"
        await _configure(endpoint, process, log)
        yield endpoint
    finally:
        await child.end(process, with_signal=signal.SIGTERM)


async def _configure(endpoint: str, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(START_S), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.post(
                    f"{endpoint}/moto-api/config", json=_CONFIGURATION
                ) as answer:
                    answer.raise_for_status()
                    return
            except aiohttp.ClientConnectionError:
                if process.returncode is not None:
                    raise UsageError(f"moto did not start: see {log}") from None
                await asyncio.sleep(0.05)
