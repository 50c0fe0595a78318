"""Two versions of a choreography at once, over the embedded broker: a service is stopped, and its successor subscribes to its queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from choreography import memory_journal
from choreography.memory_broker import MemoryBroker
from choreography.service_host import serve_participant
from choreography.system import ChoreographedSystem, topology
from kernel.database import Database
from kernel.environment import Environment
from kernel.errors import UnreadableMessage, first
from kernel.participants import Participants, open_participants
from scenarios.runs.rollout import Rollout, Versions


class _Services:
    """The services that run now, each as a task."""

    def __init__(
        self,
        versions: Versions,
        participants: Participants,
        broker: MemoryBroker,
        running: asyncio.TaskGroup,
    ) -> None:
        self._versions, self._participants = versions, participants
        self._broker, self._running = broker, running
        self._hosts: dict[str, asyncio.Task[None]] = {}
        self.died: list[str] = []

    def start(self, name: str, environment: Environment) -> None:
        """Let one service work."""
        self._hosts[name] = self._running.create_task(self._serve(name, environment))

    async def _serve(self, name: str, environment: Environment) -> None:
        participant = self._participants.by_name[name]
        try:
            await serve_participant(
                participant, service=participant, broker=self._broker, environment=environment
            )
        except* UnreadableMessage as error:
            # No restart helps a service that cannot read its own rows.
            self.died.append(f"{name}: {first(error)}")

    async def deploy(self, name: str) -> None:
        """See Rollout. Its queue keeps what waits in it, and hears from now on what the new version reacts to."""
        await self._stop(name)
        self._versions.replaced(self._participants, name)
        new = self._versions.new
        self._broker.bind(name, new.saga.heard_by(name, new.variant))
        self.start(name, new)

    async def _stop(self, name: str) -> None:
        if host := self._hosts.pop(name, None):
            host.cancel()
            await asyncio.wait([host])

    async def stop_all(self) -> None:
        """Stop every service."""
        for name in list(self._hosts):
            await self._stop(name)


@asynccontextmanager
async def rolling(versions: Versions) -> AsyncIterator[Rollout]:
    """The old version, ready to be replaced."""
    old, new = versions.old, versions.new
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_participants(versions.folder, new))
        participants = versions.before(opened)
        opening = Database.open(versions.folder / "broker.sqlite", schema=memory_journal.SCHEMA)
        journal = await stack.enter_async_context(opening)
        queues = topology(prefix="saga.rollout", environment=old)
        broker = await stack.enter_async_context(MemoryBroker.open(journal, queues, old.clock))
        running = await stack.enter_async_context(asyncio.TaskGroup())
        services = _Services(versions, participants, broker, running)
        stack.push_async_callback(services.stop_all)
        for name in old.saga.services:
            services.start(name, old)

        def seen_by(environment: Environment) -> ChoreographedSystem:
            return ChoreographedSystem(
                participants=participants,
                broker=broker,
                environment=environment,
                hosts=[],
                keeps=lambda: True,
            )

        async def failed() -> set[str]:
            return {letter.envelope.order_id for letter in await broker.dead_letters()}

        yield Rollout(
            old=seen_by(old),
            new=seen_by(new),
            participants=participants,
            deploy=services.deploy,
            failed=failed,
            died=services.died,
        )
