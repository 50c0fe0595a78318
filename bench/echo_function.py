"""The Lambda function of the benchmarks, a process of its own: it answers with its payload, at once."""

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from kernel import child
from kernel.event_loop import run
from orchestration.tasks import serve_functions

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:echo"
START_S = 20.0


async def echo(payload: bytes) -> bytes:
    """The payload."""
    return payload


@asynccontextmanager
async def echo_function(folder: Path) -> AsyncIterator[str]:
    """The endpoint where FUNCTION can be invoked, while it runs; its log is in `folder`."""
    port = child.free_port()
    command = [sys.executable, "-m", "bench.echo_function", "--port", str(port)]
    process = await child.start(command, log=folder / "echo.log")
    try:
        async with asyncio.timeout(START_S):
            while not await child.listens(port):
                await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        await child.end(process, with_signal=signal.SIGTERM)


async def _serve(port: int) -> None:
    async with serve_functions({"echo": echo}, port=port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.echo_function", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    run(_serve(parser.parse_args().port))
