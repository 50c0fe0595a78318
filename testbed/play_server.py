"""The server of `saga play`: it keeps nothing; every position comes from the list of choices that is sent to it."""

import asyncio
import contextlib
import errno
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any, TypeVar

from aiohttp import web

from kernel.errors import UsageError
from kernel.saga import Saga
from report.play import flow_svg, page, position_json, script
from scenarios.campaigns.play.demonstration import Demonstration, second
from scenarios.campaigns.play.export import exported
from scenarios.campaigns.play.level import Level, level_of, proofs_of
from scenarios.campaigns.play.setup import Setup
from scenarios.campaigns.play.table import NotPossible, Position, play

T = TypeVar("T")
MOST_BYTES = 64 * 1024
"""Of one request: a game of MOST_CHOICES choices is far below."""
MOST_AT_ONCE = 100
"""Requests that wait for their turn: a class of students, three times over."""
WRONG_CODE_S = 0.5
COOKIE = "saga-play-code"
LOOPBACK = "127.0.0.1"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
JOIN = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>saga play</title><h1>saga play</h1><form><label>Join code <input name=code autofocus autocomplete=off>"
    "</label> <button>Join</button></form></html>"
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PlayServer:
    """Serves one saga. `code`: what a player must know to join, "" = nothing: only this machine is served then.

    `level`: the one that is opened unless a link says another, 0 = free play.
    """

    def __init__(self, saga: Saga, *, code: str = "", level: int = 0) -> None:
        self._saga, self._code, self._level_opened = saga, code, level
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="play")
        self._room = asyncio.Semaphore(MOST_AT_ONCE)

    @asynccontextmanager
    async def serving(self, host: str, port: int) -> AsyncIterator[int]:
        """Serve as long as the context is open; the port. Raise UsageError if the address cannot be used."""
        application = web.Application(
            client_max_size=MOST_BYTES, middlewares=[self._polite, self._guarded]
        )
        application.add_routes(
            [
                web.get("/", self._page),
                web.get("/play.js", self._script),
                web.post("/api/position", self._position),
                web.post("/api/export", self._export),
                web.post("/api/solution", self._solution),
                web.post("/api/flow", self._flow),
                web.post("/api/second", self._second),
            ]
        )
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            yield int(runner.addresses[0][1])
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL, None):
                raise
            raise UsageError(
                f"cannot serve on {host}:{port} ({error.strerror or error}): choose another --port or --host"
            ) from error
        finally:
            await runner.cleanup()
            self._thread.shutdown(cancel_futures=True)

    @web.middleware
    async def _polite(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Say in a sentence what is wrong with a request."""
        try:
            answer = await handler(request)
        except UsageError as error:
            answer = web.json_response({"error": str(error)}, status=400)
        except web.HTTPException as error:
            text = {404: "there is no such page here", 413: "the request is too large"}
            sentence = text.get(error.status, error.reason)
            answer = web.json_response({"error": sentence}, status=error.status)
        answer.headers.update(HEADERS)
        return answer

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let in who knows the code; without one, who asks for this machine by its own name, so that no other page can."""
        if not self._code:
            name = request.host.rpartition(":")[0] or request.host
            if name not in (LOOPBACK, "localhost"):
                raise web.HTTPForbidden(
                    reason=f"open http://{LOOPBACK}: this game is for this machine only"
                )
            return await handler(request)
        given = request.query.get("code", "") or request.cookies.get(COOKIE, "")
        if not hmac.compare_digest(given.strip().upper().encode(), self._code.encode()):
            if given:
                await asyncio.sleep(WRONG_CODE_S)
            return web.Response(text=JOIN, content_type="text/html", status=401)
        answer = await handler(request)
        answer.set_cookie(COOKIE, self._code, httponly=True, samesite="Strict")
        return answer

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(
            text=await self._in_turn(page, self._saga, self._level_opened), content_type="text/html"
        )

    async def _script(self, request: web.Request) -> web.Response:
        return web.Response(text=script(), content_type="text/javascript")

    async def _flow(self, request: web.Request) -> web.Response:
        setup = Setup.from_json((await _json(request)).get("setup"), saga=self._saga.address)
        svg = await self._in_turn(flow_svg, setup.saga, setup.style, setup.variant)
        return web.json_response({"svg": str(svg)})

    async def _position(self, request: web.Request) -> web.Response:
        document = await _json(request)
        level = self._level(document)
        position = await self._in_turn(_position_of, document, self._saga)
        return web.json_response(position_json(position, self._saga, level))

    async def _export(self, request: web.Request) -> web.Response:
        document = await _json(request)
        found = await self._in_turn(lambda: exported(_position_of(document, self._saga)))
        ends = ", ".join(f"{name} and lied to" if lied else name for name, lied in found.ends)
        return web.json_response(
            {"schedule": found.schedule.to_json(), "same": found.same, "ends": ends}
        )

    async def _solution(self, request: web.Request) -> web.Response:
        document = await _json(request)
        level, style = self._level(document), document.get("style")
        proofs = proofs_of(self._saga.address).get(level.name, {}) if level else {}
        if not isinstance(style, str) or style not in proofs:
            raise UsageError("no game that wins is known here: choose a level")
        return web.json_response({"choices": list(proofs[style].won)})

    async def _second(self, request: web.Request) -> web.Response:
        shown = Demonstration.from_json(await _json(request), saga=self._saga.address)
        return web.json_response(asdict(await self._in_turn(second, shown)))

    def _level(self, document: dict[str, Any]) -> Level | None:
        number = document.get("level", 0)
        if type(number) is not int:
            raise UsageError(f"level {number!r:.40} is no number")
        return level_of(self._saga, number) if number else None

    async def _in_turn(self, work: Callable[..., T], *about: Any) -> T:
        """Do it in the one thread in which games run: a simulated loop must not meet this one."""
        if self._room.locked():
            raise web.HTTPServiceUnavailable(reason="too many players at this moment: try again")
        async with self._room:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *about)


def _position_of(document: dict[str, Any], saga: Saga) -> Position:
    setup = Setup.from_json(document.get("setup"), saga=saga.address)
    choices, on = document.get("choices", []), document.get("on", False)
    if not isinstance(choices, list) or not all(type(choice) is str for choice in choices):
        raise NotPossible("the choices are no list of words: copy the whole link")
    if type(on) is not bool:
        raise NotPossible("`on` is true or false")
    return play(setup, choices, on=on)


async def _json(request: web.Request) -> dict[str, Any]:
    document: Any = None
    with contextlib.suppress(ValueError):
        document = await request.json()
    if not isinstance(document, dict):
        raise UsageError("this is no position: a JSON object with a set-up and choices")
    return document
