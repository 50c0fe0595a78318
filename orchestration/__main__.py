"""The embedded Step Functions engine as a process of its own: `python -m orchestration --help`."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

import uvloop
from aiohttp import web

from orchestration.engine.api import application
from orchestration.engine.errors import HistoryDamaged
from orchestration.engine.invoker import http_invoker
from orchestration.engine.service import StepFunctionsEngine
from shared_domain.clock import SystemClock
from shared_domain.database import SYNCHRONOUS


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m orchestration", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    parser.add_argument("--data", type=Path, required=True, help="folder of the history")
    parser.add_argument(
        "--lambda-endpoint", required=True, help="http://host:port of the functions"
    )
    parser.add_argument("--time-scale", type=float, default=1.0, help="multiplies every second")
    parser.add_argument("--durability", choices=SYNCHRONOUS, default="process")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with (
        http_invoker(arguments.lambda_endpoint) as invoke,
        StepFunctionsEngine.open(
            arguments.data,
            invoke=invoke,
            clock=SystemClock(),
            time_scale=arguments.time_scale,
            durability=arguments.durability,
        ) as engine,
    ):
        runner = web.AppRunner(application(engine), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", arguments.port).start()
            print(f"ready on http://127.0.0.1:{arguments.port}", flush=True)
            await stop.wait()
        finally:
            await runner.cleanup()


def main() -> int:
    """Serve until SIGTERM; 0, or 2 with one line on standard error if it cannot."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    arguments = _arguments()
    try:
        arguments.data.mkdir(parents=True, exist_ok=True)
        uvloop.run(_serve(arguments))
    except (HistoryDamaged, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
