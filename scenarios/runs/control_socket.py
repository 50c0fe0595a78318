"""An operator's desk at a living run: a Unix socket, served by the runner.

The commands of another terminal reach the run through it, whatever its style and its backends are. Only the user who
started the run can open it.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import web

from kernel.errors import Failure, NotDelivered, UsageError
from kernel.ports import Operator, Parked
from kernel.scratch import scratch
from kernel.timeline import Evidence

_ANSWER_S = 30.0


@asynccontextmanager
async def desk(
    operator: Operator,
    *,
    evidence: Callable[[str], Awaitable[Evidence]],
    acted: Callable[[str, list[Parked]], None],
) -> AsyncIterator[Path]:
    """Serve an operator at a socket while the context is open; yields it.

    `evidence`: what is known of an order by now. `acted` hears of each redrive and discard.
    """

    async def parked(_: web.Request) -> web.Response:
        return web.json_response([asdict(saga) for saga in await operator.parked()])

    async def show(request: web.Request) -> web.Response:
        return web.json_response(await operator.show(request.match_info["parked_id"]))

    async def tell(request: web.Request) -> web.Response:
        return web.json_response(await evidence(request.match_info["order_id"]))

    async def move(request: web.Request) -> web.Response:
        ids = await request.json()
        action = request.path.strip("/")
        sagas = await (operator.redrive if action == "redrive" else operator.discard)(ids)
        acted(action, sagas)
        return web.json_response([asdict(saga) for saga in sagas])

    @web.middleware
    async def failures(request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            answer: web.StreamResponse = await handler(request)
        except (Failure, UsageError) as failure:
            return web.json_response({"failure": str(failure)}, status=503)
        return answer

    application = web.Application(middlewares=[failures])
    application.router.add_get("/parked", parked)
    application.router.add_get("/parked/{parked_id}", show)
    application.router.add_get("/evidence/{order_id}", tell)
    application.router.add_post("/redrive", move)
    application.router.add_post("/discard", move)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        # A socket's path may have a hundred characters; a run folder's is as long as its user likes.
        with scratch("desk") as folder:
            socket = folder / "operator.sock"
            await web.UnixSite(runner, str(socket)).start()
            os.chmod(socket, 0o600)  # noqa: PTH101 - nothing here blocks
            yield socket
    finally:
        await runner.cleanup()


class DistantOperator:
    """The part of the Operator port that works from another process, through a desk."""

    def __init__(self, socket: str) -> None:
        self._socket = socket

    async def parked(self) -> list[Parked]:
        """See ports.Operator."""
        return [Parked(**row) for row in await self._ask("GET", "/parked")]

    async def show(self, parked_id: str) -> dict[str, Any]:
        """See ports.Operator."""
        found: dict[str, Any] = await self._ask("GET", f"/parked/{parked_id}")
        return found

    async def redrive(self, parked_ids: list[str]) -> list[Parked]:
        """See ports.Operator."""
        return [Parked(**row) for row in await self._ask("POST", "/redrive", parked_ids)]

    async def discard(self, parked_ids: list[str]) -> list[Parked]:
        """See ports.Operator."""
        return [Parked(**row) for row in await self._ask("POST", "/discard", parked_ids)]

    async def evidence(self, order_id: str) -> Evidence:
        """What is known of an order by now."""
        found: Evidence = await self._ask("GET", f"/evidence/{quote(order_id, safe='')}")
        return found

    async def _ask(self, method: str, path: str, document: Any = None) -> Any:
        connector = aiohttp.UnixConnector(path=self._socket)
        timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.request(method, f"http://run{path}", json=document) as answer,
            ):
                if answer.content_type != "application/json":
                    raise NotDelivered(f"the run answered {answer.status}: {await answer.text()}")
                told = await answer.json()
                if answer.status != 200:
                    raise NotDelivered(str(told["failure"]))
                return told
        except TimeoutError as error:
            raise NotDelivered(f"the run is silent for {_ANSWER_S:.0f} s") from error
        except aiohttp.ClientError as error:
            raise UsageError(
                f"the run does not answer ({error}): it is about to end, so try again"
            ) from error
