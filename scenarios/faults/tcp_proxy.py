"""A wire that can be cut: a TCP proxy on loopback between one participant and its coordinator."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CHUNK = 65_536


class TcpProxy:
    """Passes bytes both ways until it is cut. Open it with `async with TcpProxy.open(...)`."""

    def __init__(self, host: str, port: int) -> None:
        self._target, self._whole = (host, port), True
        self._wires: set[asyncio.StreamWriter] = set()
        self.port = 0
        """Where it listens, on 127.0.0.1."""

    @classmethod
    @asynccontextmanager
    async def open(cls, *, host: str, port: int) -> AsyncIterator["TcpProxy"]:
        """A proxy to `host`:`port`, listening on a free port of its own."""
        proxy = cls(host, port)
        server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
        proxy.port = server.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            server.close()
            proxy.cut()
            await server.wait_closed()

    def cut(self) -> None:
        """Break every connection, and every new one, without a word, until `mend`."""
        self._whole = False
        for writer in self._wires:
            writer.transport.abort()

    def mend(self) -> None:
        """Let new connections through again."""
        self._whole = True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        try:
            onward_reader, onward_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        if not self._whole:  # it was cut meanwhile
            writer.transport.abort()
            onward_writer.transport.abort()
            return
        wires = {writer, onward_writer}
        self._wires |= wires
        try:
            await asyncio.gather(_carry(reader, onward_writer), _carry(onward_reader, writer))
        finally:
            self._wires -= wires


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while (data := await reader.read(CHUNK)) and not writer.is_closing():
            writer.write(data)
            await writer.drain()
    writer.close()
