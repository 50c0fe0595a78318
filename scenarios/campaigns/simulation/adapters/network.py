"""Loopback without sockets: connections between parts of one event loop, whose bytes take time and may be lost with the connection.

Promised, as by TCP: what arrives is a prefix of what was sent, in order. Not promised: when it arrives, in how many pieces, and
how much of it arrives before a connection that is aborted.
"""

import asyncio
import random
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, cast

from scenarios.campaigns.simulation.adapters.machine import PROCESS

Factory = Callable[[], asyncio.BaseProtocol]
Address = tuple[str, int]
LOOPBACK = "127.0.0.1"
FASTEST_S, SLOWEST_S = 0.000_02, 0.000_8
"""How long bytes are on their way, mostly."""
LATE_S, LATE_RATIO = 0.02, 0.03
"""Sometimes they take longer."""
PIECES_RATIO = 0.1
"""How often they come in more than one piece."""
FIRST_PORT = 50_000


class Wanted:
    """Stands for a socket of somebody who makes it himself: all that is known is where it is to go."""

    def __init__(self, address: Address) -> None:
        self.address = address

    def close(self) -> None:
        """Nothing is open yet."""


class _Bound:
    """What asyncio's users ask of a listening socket."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def getsockname(self) -> Address:
        """Where it listens."""
        return self._address


class Listener(asyncio.AbstractServer):
    """Who listens at an address."""

    def __init__(self, network: "Network", address: Address, factory: Factory) -> None:
        self._network, self.address, self.factory = network, address, factory
        self.context = copy_context()
        self.sockets: list[_Bound] = [_Bound(address)]

    def close(self) -> None:
        """Listen no more; connections stay."""
        self._network.listeners.pop(self.address, None)

    def is_serving(self) -> bool:
        """Whether it listens."""
        return self._network.listeners.get(self.address) is self

    async def start_serving(self) -> None:
        """It does already."""

    async def serve_forever(self) -> None:
        """See asyncio."""
        await asyncio.Event().wait()

    async def wait_closed(self) -> None:
        """Nothing is left to wait for."""

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """See asyncio."""
        return self._network.loop


class Network:
    """Who listens where, and how long bytes take. `chance` None: every piece takes the same time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, chance: random.Random | None) -> None:
        self.loop, self._chance = loop, chance
        self.listeners: dict[Address, Listener] = {}
        self.connections: dict[Transport, None] = {}
        """The ends of those who connected, oldest first."""
        self._last_port = FIRST_PORT
        self.lost_words: Callable[[], bool] = lambda: chance is not None and chance.random() < 0.5

    def listen(self, factory: Factory, host: str, port: int) -> Listener:
        """Listen at an address; port 0 = a free one. Raise OSError if it is taken."""
        if not port:
            port = self.free_port()
        address = (host, port)
        if address in self.listeners:
            raise OSError(f"{host}:{port} is taken")
        listener = self.listeners[address] = Listener(self, address, factory)
        return listener

    def free_port(self) -> int:
        """A port that nobody has had."""
        self._last_port += 1
        return self._last_port

    async def connect(
        self, factory: Factory, host: str, port: int
    ) -> tuple["Transport", asyncio.BaseProtocol]:
        """A connection to who listens there. Raise ConnectionRefusedError."""
        await asyncio.sleep(self.latency_s())
        listener = self.listeners.get((host, port))
        if listener is None:
            raise ConnectionRefusedError(f"nobody listens at {host}:{port}")
        here = Transport(self, copy_context(), (host, port))
        there = Transport(self, listener.context, (host, port))
        here.peer, there.peer = there, here
        self.connections[here] = None
        here.protocol = factory()
        here.protocol.connection_made(here)
        there.call(there.accept, listener.factory)
        return here, here.protocol

    def latency_s(self) -> float:
        """How long a piece is on its way."""
        if self._chance is None:
            return FASTEST_S
        latency_s = self._chance.uniform(FASTEST_S, SLOWEST_S)
        if self._chance.random() < LATE_RATIO:
            latency_s += self._chance.uniform(0, LATE_S)
        return latency_s

    def piece(self, size: int) -> int:
        """How many of so many bytes come as one piece."""
        if self._chance is None or size < 2 or self._chance.random() >= PIECES_RATIO:
            return size
        return self._chance.randrange(1, size)


class Transport(asyncio.Transport):
    """One end of a connection."""

    def __init__(self, network: Network, context: Context, address: Address) -> None:
        super().__init__({"peername": address, "sockname": address})
        self._network, self._loop, self._context = network, network.loop, context
        self._process = context.get(PROCESS)
        self.peer: Transport = self
        self.protocol: asyncio.BaseProtocol | None = None
        self._sent, self._ends = bytearray(), False
        self._on_its_way = False
        self._paused = self._closing = self._is_over = False
        if self._process is not None:
            self._process.connections[self] = None

    # -- for the other end and the network

    def call(self, function: Callable[..., object], *args: Any) -> None:
        """Do something as the process whose end this is."""
        self._loop.call_soon(function, *args, context=self._context)

    def accept(self, factory: Factory) -> None:
        """Begin at the end of who listens."""
        if not self._is_over:
            self.protocol = factory()
            self.protocol.connection_made(self)
            self.peer.flush()

    def flush(self) -> None:
        """Send what is waiting, unless some is on its way."""
        if (self._sent or self._ends) and not self._on_its_way and not self.peer.is_deaf():
            self._on_its_way = True
            self._loop.call_later(
                self._network.latency_s(), self._arrive, context=self.peer.context
            )

    def is_deaf(self) -> bool:
        """Whether nothing can arrive now."""
        return self._paused or self._is_over or self.protocol is None

    @property
    def context(self) -> Context:
        """As whom its callbacks run."""
        return self._context

    def _arrive(self) -> None:
        """A piece is at the other end. Runs as the process there."""
        self._on_its_way = False
        peer = self.peer
        if peer.is_deaf():
            return
        size = self._network.piece(len(self._sent))
        data = bytes(self._sent[:size])
        del self._sent[:size]
        if data:
            cast("asyncio.Protocol", peer.protocol).data_received(data)
        if self._sent:
            self.flush()
        elif self._ends and not peer._is_over:
            self._ends = False
            peer._end()

    def _end(self) -> None:
        """The other end sends no more."""
        keep = cast("asyncio.Protocol", self.protocol).eof_received()
        if not keep:
            self.close()

    def reset(self, *, with_words: bool) -> None:
        """The other end is gone. Runs as the process of this end. `with_words`: what was on its way arrives."""
        words, self.peer._sent = bytes(self.peer._sent), bytearray()
        if words and with_words and not self.is_deaf():
            cast("asyncio.Protocol", self.protocol).data_received(words)
        self._lose(ConnectionResetError("the connection was reset"))

    def _lose(self, why: Exception | None) -> None:
        if self._is_over:
            return
        self._is_over = self._closing = True
        self._network.connections.pop(self, None)
        if self._process is not None:
            self._process.connections.pop(self, None)
        if self.protocol is not None:
            self.call(self.protocol.connection_lost, why)

    # -- asyncio's interface

    def get_protocol(self) -> asyncio.BaseProtocol:
        """See asyncio."""
        assert self.protocol is not None
        return self.protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """See asyncio."""
        self.protocol = protocol

    def is_closing(self) -> bool:
        """See asyncio."""
        return self._closing

    def is_reading(self) -> bool:
        """See asyncio."""
        return not self._paused and not self._closing

    def pause_reading(self) -> None:
        """See asyncio."""
        self._paused = True

    def resume_reading(self) -> None:
        """See asyncio."""
        self._paused = False
        self.peer.flush()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """See asyncio."""
        if not self._closing:
            self._sent += data
            self.flush()

    def can_write_eof(self) -> bool:
        """See asyncio."""
        return True

    def write_eof(self) -> None:
        """See asyncio."""
        if not self._ends and not self._closing:
            self._ends = True
            self.flush()

    def close(self) -> None:
        """See asyncio: what was written still arrives."""
        if not self._closing:
            self._ends = True
            self.flush()
            self._lose(None)

    def abort(self) -> None:
        """See asyncio: the other end may get what was on its way, or not."""
        if not self._is_over:
            self._lose(None)
            self._loop.call_later(
                self._network.latency_s(), self._aborted, context=self.peer.context
            )

    def break_off(self) -> None:
        """Break the connection in the middle: each end may get what was on its way, or not."""
        for end in (self, self.peer):
            self._loop.call_later(self._network.latency_s(), end._broken, context=end._context)

    def _broken(self) -> None:
        if not self._is_over:
            self.reset(with_words=not self._network.lost_words())

    def _aborted(self) -> None:
        if not self.peer._is_over:
            self.peer.reset(with_words=not self._network.lost_words())

    def get_write_buffer_size(self) -> int:
        """See asyncio."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """See asyncio: there is room for all."""

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """See asyncio."""
        return 0, 0
