"""Connections to RabbitMQ: plain ones that are opened again when they are lost, never robust ones.

See docs/decisions/0003-plain-connections.md.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, cast

import aio_pika
import aiormq
from aio_pika.abc import AbstractConnection, TimeoutType, UnderlayConnection
from aio_pika.connection import make_url
from aiormq.connection import TCPTransportFactory, TLSTransportFactory, TransportFactory
from yarl import URL

from kernel.errors import UsageError

AMQP_VARIABLE = "SAGA_AMQP_URL"
"""Where a process finds the address of its RabbitMQ server: not among its arguments, which everybody can read."""
SERVER_NAME = "server_hostname"
"""In an amqps:// address: the name in the server's certificate, where the address leads there by way of another."""
CONNECT_S = 10.0
HEARTBEAT_S = 10
"""A frozen broker is noticed after (heartbeat + 1) x 3 seconds."""
REOPEN_S = 0.1
"""Wait between two attempts to open a lost connection."""
FRAMES = 1024
"""Frames that may wait on their way to the socket, or to a channel; more make who sends or reads wait."""
LOST = (aiormq.exceptions.AMQPError, ConnectionError, TimeoutError, OSError, RuntimeError)
"""What aio-pika raises when the connection, the channel or the broker is gone."""


def quieten_clients() -> None:
    """Let the client libraries log nothing: every loss that they would tell of is expected here, and handled."""
    for name in ("aiormq", "aio_pika"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


async def connect(url: str) -> AbstractConnection:
    """An open connection. Raise one of LOST if there is none; nothing is left for the garbage collector then."""
    address = make_url(url)
    if "heartbeat" not in address.query:
        address = address.update_query(heartbeat=HEARTBEAT_S)
    connection = _Connection(address)
    connection.kwargs["transport_factory"] = _OneWritePerTurn(secure=address.scheme == "amqps")
    try:
        await connection.connect(timeout=CONNECT_S)
    except BaseException:
        await close(connection)
        raise
    # asyncio.wait_for of Python 3.11 loses a cancellation that comes as the connection opens.
    if (me := asyncio.current_task()) is not None and me.cancelling():
        await close(connection)
        raise asyncio.CancelledError
    return connection


async def close(connection: AbstractConnection) -> None:
    """Close a connection for good, whatever happens meanwhile. Raise one of LOST if it was lost before.

    One that fails to close, or is cancelled in it, does not count as closed, and the garbage collector would close it again.
    """
    try:
        await connection.close()
    finally:
        await connection.close()  # it has no transport any more: this only notes that it is closed


def at_once(waiting: Coroutine[None, None, None]) -> bool:
    """Whether there is nothing to wait for, without the cost of a time limit."""
    try:
        waiting.send(None)
    except StopIteration:
        return True
    waiting.close()
    return False


def public_address(url: str) -> str:
    """An AMQP URL without its user and password; anything else as it is."""
    scheme, mark, address = url.partition("://")
    return f"{scheme}{mark}{address.rpartition('@')[2]}"


async def check_server(url: str) -> None:
    """See the server answer once. Raise UsageError if it does not."""
    try:
        connection = await connect(url)
    except (*LOST, ValueError) as error:
        raise UsageError(
            f"RabbitMQ at {public_address(url)} does not answer ({_in_words(error)}):"
            " check the address (special characters in user, password or virtual host are percent-encoded),"
            " or use --broker memory"
        ) from error
    await close(connection)


def _in_words(error: Exception) -> str:
    """The error; where the server closes the connection instead of opening the virtual host, aiormq names only a frame."""
    if "Connection.OpenOk" in str(error):
        return "the virtual host does not exist, or this user has no access to it"
    return str(error) or type(error).__name__


async def server_versions(url: str) -> dict[str, str]:
    """What the server says of itself: rabbitmq and erlang. Raise one of LOST if it does not answer."""
    connection = await connect(url)
    try:
        assert connection.transport is not None
        said = connection.transport.connection.server_properties
    finally:
        await close(connection)
    return {
        "rabbitmq": str(said.get("version", "")),
        "erlang": str(said.get("platform", "")).removeprefix("Erlang/OTP "),
    }


class _Wire(aiormq.connection.Connection):
    """aiormq's connection with room for all frames of one turn of the event loop.

    LOOK: with aiormq's own room for ten, the eleventh publish of a turn waits while it holds its channel's lock. From then on
    the lock is handed from one to the next, one publish per turn, and no two messages share a commit any more.
    """

    FRAME_BUFFER_SIZE = FRAMES

    async def channel(self, *arguments: Any, **options: Any) -> aiormq.abc.AbstractChannel:
        return await super().channel(*arguments, **{"frame_buffer_size": FRAMES, **options})

    async def ready(self) -> None:
        # LOOK: for aiormq, a connection that is lost while the broker blocks it is never ready: who waits would wait for ever.
        if at_once(super().ready()):
            return
        ready, closing = asyncio.ensure_future(super().ready()), self.closing
        try:
            await asyncio.wait({ready, closing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
            closing.cancel()
        if self.is_closed:
            raise aiormq.exceptions.ConnectionClosed(0, "the connection to RabbitMQ was lost")

    async def close(
        self,
        exc: aiormq.abc.ExceptionType | None = asyncio.CancelledError,
        timeout: TimeoutType = None,  # noqa: ASYNC109
    ) -> None:
        # LOOK: who waits for an answer gets the reason of the close. Where the server has ended the stream there is none, and
        # aiormq raises a bare Exception; where heartbeats stay away it raises a cancellation. Neither looks like a lost connection.
        if exc is None or isinstance(exc, asyncio.CancelledError):
            exc = aiormq.exceptions.ConnectionClosed(0, "the connection to RabbitMQ was lost")
        await super().close(exc, timeout)


class _Underlay(UnderlayConnection):
    @classmethod
    async def make_connection(
        cls,
        url: URL,
        timeout: TimeoutType = None,  # noqa: ASYNC109
        **options: Any,
    ) -> aiormq.abc.AbstractConnection:
        wire = _Wire(url, **options)
        async with asyncio.timeout(timeout):
            await wire.connect()
            await wire.ready()
        return wire


class _Connection(aio_pika.Connection):
    async def connect(self, timeout: TimeoutType = None) -> None:  # noqa: ASYNC109
        self.transport = await _Underlay.connect(
            self.url, self._on_connection_close, timeout=timeout, **self.kwargs
        )
        await self._on_connected()


class _OneWritePerTurn(TransportFactory):
    """TCP or TLS, where all frames of one turn of the event loop leave in one system call."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        self._plain = TLSTransportFactory() if secure else TCPTransportFactory()

    async def create(
        self, url: URL, **kwargs: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """See TransportFactory."""
        if self._secure and SERVER_NAME in url.query:
            kwargs["server_hostname"] = url.query[SERVER_NAME]
        reader, writer = await self._plain.create(url, **kwargs)
        return reader, cast("asyncio.StreamWriter", _GatheringWriter(writer))


class _GatheringWriter:
    """A StreamWriter that collects what is written until the turn ends."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer, self._gathered = writer, bytearray()

    def write(self, data: bytes) -> None:
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self._flush)
        self._gathered += data

    async def drain(self) -> None:
        self._flush()
        await self._writer.drain()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)

    def _flush(self) -> None:
        if self._gathered:
            data, self._gathered = self._gathered, bytearray()
            if not self._writer.is_closing():
                self._writer.write(data)
