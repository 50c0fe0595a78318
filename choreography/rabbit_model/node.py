"""A modelled RabbitMQ node: it listens, is killed, restarted and frozen like a real one. Implements ports.Disturbance.

It needs nothing but an event loop: asyncio's, where it listens on loopback, or a simulated one.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from choreography.rabbit_model.session import Session
from choreography.rabbit_model.vhost import Vhost


class ModelNode:
    """One node. Open it with `async with ModelNode.open(...)`."""

    def __init__(self, *, port: int, chance: random.Random | None) -> None:
        self._port, self._chance = port, chance
        self.vhost = Vhost(chance)
        self.vhost.confirmed = self._send_confirms
        self._server: asyncio.Server | None = None
        self.sessions: dict[Session, None] = {}
        """The clients' connections, oldest first."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls, *, port: int = 0, chance: random.Random | None = None
    ) -> AsyncIterator["ModelNode"]:
        """A node that answers. `port` 0 = a free one. `chance`: of what takes how long, and what a crash loses; None = nothing does."""
        node = cls(port=port, chance=chance)
        await node.restart()
        try:
            yield node
        finally:
            await node.kill()

    @property
    def kept(self) -> Path | None:
        """See Node."""
        return None

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"amqp://guest:guest@127.0.0.1:{self._port}/"

    async def restart(self) -> None:
        """Listen again, over what the last crash has left."""
        server = await asyncio.get_running_loop().create_server(
            self._session, "127.0.0.1", self._port
        )
        self._server, self._port = server, server.sockets[0].getsockname()[1]
        self.vhost.recover()

    async def kill(self) -> None:
        """Kill -9: every connection is lost, and what is not durable may be."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self.vhost.crash()
        sessions, self.sessions = list(self.sessions), {}
        for session in sessions:
            session.die()

    async def control(self, *_words: str) -> str:
        """What rabbitmqctl would print: it has no policy, and nothing else is asked."""
        return ""

    def freeze(self) -> None:
        """See Disturbance. On asyncio's own loop a part of a process cannot be stopped."""
        raise NotImplementedError("only a simulated node can be frozen")

    def thaw(self) -> None:
        """See Disturbance."""
        raise NotImplementedError("only a simulated node can be frozen")

    def _session(self) -> Session:
        session = Session(self.vhost, self._chance, self._ended)
        self.sessions[session] = None
        return session

    def _ended(self, session: Session) -> None:
        self.sessions.pop(session, None)

    def _send_confirms(self) -> None:
        for session in self.sessions:
            session.send_confirms()
