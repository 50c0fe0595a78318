"""Resource name -> participant call: a saga's participants as Lambda-style functions.

The twin of choreography/consumer.py's delivery: same participants, same messages, another envelope.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import orjson
from aiohttp import web

from kernel import messages
from kernel.environment import Environment
from kernel.errors import ConnectionLost, Failure, ParticipantCrashed, UnreadableMessage
from kernel.messages import Codec, Command, Event, traced
from kernel.ports import Service, Tracer
from orchestration.engine.errors import StatesError
from orchestration.engine.invoker import function_error, function_of

Function = Callable[[bytes], Awaitable[bytes]]
"""Payload -> answer. Raises Failure, ParticipantCrashed or UnreadableMessage."""


class TaskWorker:
    """One participant's function, with what a crash of it means: every call in its hands gets no answer."""

    def __init__(self, service: Service, tracer: Tracer, codec: Codec) -> None:
        self._service, self._tracer, self._codec = service, tracer, codec
        self._in_hand: set[asyncio.Task[Event]] = set()

    async def __call__(self, payload: bytes) -> bytes:
        """See Function."""
        command = self._codec.from_bytes(payload)
        if not isinstance(command, Command):
            raise UnreadableMessage(f"{command.name} is not a command")
        with self._tracer.span(
            f"task {command.name}",
            service=self._service.name,
            parent=command.traceparent,
            order_id=command.order_id,
            kind="server",
            message_id=command.message_id,
            operation=command.name,
        ) as traceparent:
            return await self._run(traced(command, traceparent))

    async def _run(self, command: Command) -> bytes:
        call = asyncio.create_task(self._service.call(command))
        self._in_hand.add(call)
        call.add_done_callback(self._done)
        try:
            # A caller that has stopped waiting does not stop the function.
            return messages.to_bytes(await asyncio.shield(call))
        except ParticipantCrashed:
            self.drop_all()
            raise
        except asyncio.CancelledError:
            if call.cancelled():
                raise ParticipantCrashed(f"{self._service.name} went down") from None
            raise

    def drop_all(self) -> None:
        """Drop every call in hand, without an answer."""
        for call in set(self._in_hand):
            call.cancel()

    def _done(self, call: asyncio.Task[Event]) -> None:
        self._in_hand.discard(call)
        if not call.cancelled():
            call.exception()  # whoever still waited has seen it


@asynccontextmanager
async def workers(
    services: Mapping[str, Service], environment: Environment
) -> AsyncIterator[dict[str, TaskWorker]]:
    """Function name -> function, for every participant; what is still in hand at the end is dropped."""
    tracer, codec = environment.tracer, environment.saga.codec
    made = {name: TaskWorker(service, tracer, codec) for name, service in services.items()}
    try:
        yield made
    finally:
        for worker in made.values():
            worker.drop_all()


def in_process_invoker(
    functions: Mapping[str, Function],
) -> Callable[[str, str], Awaitable[str]]:
    """An Invoke for an engine in this process; the same errors as over HTTP."""

    async def invoke(resource: str, payload: str) -> str:
        try:
            return (await functions[function_of(resource)[0]](payload.encode())).decode()
        except (ParticipantCrashed, ConnectionLost) as error:
            raise StatesError("Lambda.SdkClientException", f"no answer: {error}") from error
        except (Failure, UnreadableMessage) as error:
            raise function_error(_failure(error).decode()) from error

    return invoke


@asynccontextmanager
async def serve_functions(functions: Mapping[str, Function], *, port: int) -> AsyncIterator[str]:
    """Serve functions as AWS Lambda's Invoke does, on loopback; yields the endpoint."""

    async def invoke(request: web.Request) -> web.Response:
        function = functions.get(function_of(request.match_info["name"])[0])
        if function is None:
            return web.json_response({"Message": "Function not found"}, status=404)
        try:
            return web.Response(body=await function(await request.read()))
        except (ParticipantCrashed, ConnectionLost):
            if request.transport is not None:
                request.transport.abort()  # a dead process sends nothing, not even an error
            return web.Response(status=500)
        except (Failure, UnreadableMessage) as error:
            return web.Response(body=_failure(error), headers={"X-Amz-Function-Error": "Unhandled"})

    application = web.Application(client_max_size=2 * messages.MAX_BYTES)
    application.router.add_post("/2015-03-31/functions/{name}/invocations", invoke)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def _failure(error: Exception) -> bytes:
    return orjson.dumps({"errorType": type(error).__name__, "errorMessage": str(error)})
