"""The exchange and queues of one run on a RabbitMQ server: declared, found again, and removed by prefix.

events (topic) -> <service>                  what the service hears
                  <service>.retry.<n>        nobody reads it: expires into <service>
                  <service>.dead             parked until an operator comes; nothing in it expires
(default)      -> audit                      a copy of every message, in batches
"""

import contextlib
import shlex
from dataclasses import dataclass

import aio_pika
import aiormq
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from pamqp.common import FieldTable

from choreography.broker import Topology
from kernel.errors import UsageError

QUEUE_TYPE = {"process": "classic", "power": "quorum"}
# Without it, a quorum queue that comes back before its target drops what has expired meanwhile.
_KEEP_EXPIRED: FieldTable = {
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}
_NEVER_DROPPED: FieldTable = {"x-overflow": "reject-publish"}
"""Where nothing catches what a policy's max-length would drop: whoever publishes hears of it and keeps the message."""
_CLASH = "inequivalent arg"
"""What a server says, among other words, of a queue that is there with other arguments."""
_LOOKED_AT_FOR_EVER: FieldTable = {"x-delivery-limit": 1_000_000_000}
"""To look into a queue is to be delivered from it: RabbitMQ 4 would drop what was looked at twenty times."""
PERMISSIONS = (r"^saga\.", r"^(saga\.|amq\.default$)", r"^saga\.")
"""What a run's user may configure, write and read on a server, as regular expressions of names. The default exchange leads to every
queue of the virtual host: only a virtual host of their own keeps runs away from other queues.
"""
MOST_RETRIES = 16
"""A sweep looks for this many delay queues of each service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A queue that a run left on a server."""

    name: str
    messages: int
    consumers: int


class Queues:
    """The names of one run's queues, and how each is declared."""

    def __init__(self, topology: Topology, *, durability: str) -> None:
        self._topology = topology
        self._type: FieldTable = {"x-queue-type": QUEUE_TYPE[durability]}
        self.exchange = f"{topology.prefix}.events"
        self.audit = f"{topology.prefix}.audit"

    def service(self, service: str) -> str:
        """Where a service listens."""
        return f"{self._topology.prefix}.{service}"

    def retry(self, service: str, number: int) -> str:
        """Where a message waits for its n-th retry."""
        return f"{self._topology.prefix}.{service}.retry.{number}"

    def dead(self, service: str) -> str:
        """Where a service's dead letters stay."""
        return f"{self._topology.prefix}.{service}.dead"

    def all(self) -> dict[str, FieldTable]:
        """Name -> arguments of every queue of the run."""
        kept = self._type | _NEVER_DROPPED
        if kept["x-queue-type"] == "quorum":
            kept = kept | _LOOKED_AT_FOR_EVER
        queues: dict[str, FieldTable] = {self.audit: kept}
        for service in self._topology.bindings:
            queues[self.dead(service)] = kept
            # What the broker itself gives up (a delivery limit) is parked too.
            queues[self.service(service)] = self._forwarding(self.dead(service))
            for number, delay_s in enumerate(self._topology.retry_delays_s, 1):
                # LOOK: RabbitMQ has no "deliver later". A queue that nobody reads, whose messages
                # expire into the service's own queue, is one.
                waiting = self._forwarding(self.service(service))
                waiting["x-message-ttl"] = max(1, round(delay_s * 1000))
                queues[self.retry(service, number)] = waiting
        return queues

    def work(self) -> list[str]:
        """The queues that are empty once everything is over."""
        return [n for n in self.all() if n != self.audit and not n.endswith(".dead")]

    async def declare(self, connection: AbstractConnection) -> AbstractExchange:
        """The exchange, with every queue declared and bound. Harmless if all is there already.

        Raise UsageError if a queue of that name has other arguments.
        """
        channel = connection.channel()
        await channel.initialize()
        try:
            exchange = await channel.declare_exchange(
                self.exchange, aio_pika.ExchangeType.TOPIC, durable=True
            )
            for name, arguments in self.all().items():
                await self._declare_queue(channel, name, arguments)
            for service, keys in self._topology.bindings.items():
                queue = await channel.get_queue(self.service(service), ensure=False)
                for key in keys:
                    await queue.bind(exchange, key)
        finally:
            await channel.close()
        return exchange

    async def delete(self, channel: AbstractChannel) -> None:
        """Remove the run's queues and its exchange."""
        for name in self.all():
            await channel.queue_delete(name)
        await channel.exchange_delete(self.exchange)

    async def _declare_queue(
        self, channel: AbstractChannel, name: str, arguments: FieldTable
    ) -> None:
        try:
            await channel.declare_queue(name, durable=True, arguments=arguments)
        except aiormq.exceptions.ChannelPreconditionFailed as clash:
            if _CLASH not in str(clash):
                raise  # the channel was closed for another reason meanwhile
            prefix = shlex.quote(self._topology.prefix)
            raise UsageError(
                f"the queue {name} exists with other arguments ({clash}): remove that run's queues with"
                f" saga broker sweep --prefix {prefix}, or use another prefix"
            ) from clash

    def _forwarding(self, target: str) -> FieldTable:
        forwarding = self._type | {
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": target,
        }
        return forwarding | _KEEP_EXPIRED if self._type["x-queue-type"] == "quorum" else forwarding


def names_under(prefix: str, services: tuple[str, ...]) -> list[str]:
    """Every queue name that a run with this prefix may have left."""
    retries = [f"retry.{number}" for number in range(1, MOST_RETRIES + 1)]
    per_service = [
        f"{s}{end}" for s in services for end in ("", ".dead", *(f".{r}" for r in retries))
    ]
    return [f"{prefix}.{name}" for name in ("audit", *per_service)]


async def find(
    connection: AbstractConnection, prefix: str, services: tuple[str, ...]
) -> list[Found]:
    """The queues under a prefix that exist."""
    found = []
    for name in names_under(prefix, services):
        # A passive declaration of what does not exist closes its channel.
        with contextlib.suppress(aiormq.exceptions.ChannelNotFoundEntity):
            async with connection.channel() as channel:
                queue = await channel.declare_queue(name, passive=True)
                told = queue.declaration_result
                found.append(
                    Found(
                        name=name,
                        messages=told.message_count or 0,
                        consumers=told.consumer_count or 0,
                    )
                )
    return found


async def sweep(
    connection: AbstractConnection, prefix: str, services: tuple[str, ...]
) -> list[Found]:
    """Delete every queue under a prefix, and its exchange; what was deleted.

    Raise UsageError, with nothing deleted, if somebody still consumes one of them: the run lives.
    """
    found = await find(connection, prefix, services)
    if alive := [queue.name for queue in found if queue.consumers]:
        raise UsageError(
            f"{alive[0]} has a consumer: the run of prefix {prefix} is alive, end it first"
        )
    async with connection.channel() as channel:
        for queue in found:
            await channel.queue_delete(queue.name)
        await channel.exchange_delete(f"{prefix}.events")
    return found
