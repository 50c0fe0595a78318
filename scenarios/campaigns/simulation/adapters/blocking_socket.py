"""A socket for blocking code under virtual time: http.client, urllib3 and botocore above it are the real ones."""

import asyncio
import contextlib
import io
from typing import Any

from scenarios.campaigns.simulation.adapters.calls import wait_for
from scenarios.campaigns.simulation.adapters.network import Network, Transport


class BlockingSocket(asyncio.Protocol):
    """One connection. Where it would block, its greenlet waits."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._transport: Transport | None = None
        self._arrived, self._changed = bytearray(), asyncio.Event()
        self._ended = False
        self._lost: Exception | None = None
        self._timeout_s: float | None = None
        self._files, self._closed = 0, False

    @classmethod
    def connect(
        cls, network: Network, address: tuple[str, int], timeout_s: Any
    ) -> "BlockingSocket":
        """A connection. Raise OSError."""
        new = cls(network)
        new.settimeout(timeout_s)
        wait_for(network.loop, network.connect(lambda: new, *address))
        return new

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        assert isinstance(transport, Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        self._arrived += data
        self._changed.set()

    def eof_received(self) -> bool:
        """See asyncio."""
        self._ended = True
        self._changed.set()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._ended = True
        self._lost = exc
        self._changed.set()

    # -- the socket's side

    def settimeout(self, timeout_s: Any) -> None:
        """See socket. What is not a number is no limit."""
        self._timeout_s = timeout_s if isinstance(timeout_s, int | float) else None

    def gettimeout(self) -> float | None:
        """See socket."""
        return self._timeout_s

    def setsockopt(self, *_: Any) -> None:
        """See socket: nothing to set."""

    def sendall(self, data: bytes) -> None:
        """See socket. Raise ConnectionResetError."""
        if self._lost is not None or self._transport is None:
            raise ConnectionResetError("the connection was reset")
        self._transport.write(data)

    def recv_into(self, buffer: Any) -> int:
        """See socket. Raise TimeoutError, ConnectionResetError."""
        if not self.is_readable():
            wait_for(self._network.loop, self._some())
        if not self._arrived and self._lost is not None:
            raise self._lost
        size = min(len(buffer), len(self._arrived))
        buffer[:size] = self._arrived[:size]
        del self._arrived[:size]
        return size

    def is_readable(self) -> bool:
        """Whether a read would not wait."""
        return bool(self._arrived) or self._ended

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        """See socket."""
        self._files += 1
        return io.BufferedReader(_Reader(self))

    def file_closed(self) -> None:
        """One that was made is no longer needed."""
        self._files -= 1
        self._release()

    def shutdown(self, _: int) -> None:
        """See socket."""
        if self._transport is not None:
            self._transport.write_eof()

    def close(self) -> None:
        """See socket."""
        self._closed = True
        self._release()

    def _release(self) -> None:
        if self._closed and not self._files and self._transport is not None:
            self._transport.close()

    async def _some(self) -> None:
        async with asyncio.timeout(self._timeout_s):
            while not self.is_readable():
                self._changed.clear()
                await self._changed.wait()


class _Reader(io.RawIOBase):
    def __init__(self, socket: BlockingSocket) -> None:
        self._socket = socket

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._socket.recv_into(buffer)

    def close(self) -> None:
        if not self.closed:
            with contextlib.suppress(RuntimeError):
                super().close()
            self._socket.file_closed()
