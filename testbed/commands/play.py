"""`saga play`."""

import asyncio
import contextlib
import secrets
import socket
import sys
import webbrowser
from typing import Annotated
from urllib.parse import urlencode

import typer

from kernel.loading import DEFAULT, load_saga
from kernel.saga import Saga
from scenarios.campaigns.play.level import level_of, levels_of
from testbed.execution import run_until_done
from testbed.options import SagaOption
from testbed.play_server import LOOPBACK, PlayServer

PORT = 8210
LETTERS, LENGTH = "ABCDEFGHJKMNPQRSTUVWXYZ23456789", 6
"""Of a join code: letters and digits that nobody takes for each other."""


def play(
    saga: SagaOption = DEFAULT,
    level: Annotated[
        int,
        typer.Option(
            min=0, help="Level to open; 0 = the first one, or free play where there are none."
        ),
    ] = 0,
    host: Annotated[
        str,
        typer.Option(
            help="Address to serve on. Another one than loopback is for a classroom: players need the join code that is printed."
        ),
    ] = LOOPBACK,
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 = any.")] = PORT,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Do not open a browser; print the address only.")
    ] = False,
) -> None:
    """Play the network: choose which message goes next, what is lost and who crashes, in both styles side by side.

    Serves a local page until Ctrl-C. Nothing is stored: a position is a link.
    """
    chosen = load_saga(saga)
    if level:
        level_of(chosen, level)
    with contextlib.suppress(asyncio.CancelledError):  # Ctrl-C is how it ends
        run_until_done(_serve(chosen, level, host, port, no_browser=no_browser))


async def _serve(saga: Saga, level: int, host: str, port: int, *, no_browser: bool) -> None:
    code = "" if host in (LOOPBACK, "localhost") else _code()
    opened = level or (1 if levels_of(saga) else 0)
    async with PlayServer(saga, code=code, level=opened).serving(host, port) as served:
        address = f"http://{_name(host)}:{served}/"
        print(f"Play at {address}", flush=True)
        if code:
            print(f"Join code: {code}", flush=True)
        print("Ctrl-C ends it.", file=sys.stderr)
        if not no_browser:
            webbrowser.open(f"{address}?{urlencode({'code': code})}" if code else address)
        await asyncio.Event().wait()


def _code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def _name(host: str) -> str:
    """What players type: an address that stands for all of this machine's is shown as its name."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - it is asked for, not bound here
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host
