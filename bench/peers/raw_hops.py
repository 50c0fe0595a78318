"""The baseline of a choreography: as many durable, confirmed messages through RabbitMQ as a saga needs, and no service behind them.

aiormq without anything around it, on a connection that is set up like ours: a queue for each hop; whoever gets a message
publishes the next one, waits for the confirm, and acks. The last hop writes one row, so that one can see the end. No rules,
no databases, no inbox, no outbox.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiormq.abc import AbstractConnection, DeliveredMessage
from aiormq.channel import Channel
from pamqp.commands import Basic

from choreography.rabbit_connection import close, connect
from kernel import messages
from kernel.clock import SystemClock
from kernel.database import Database
from kernel.participants import database_path
from shared_domain.order.messages import Order, PlaceOrder

HOPS = 6
"""PlaceOrder, and an event after each of five steps: what a committed saga publishes."""
PREFETCH = 64
QUEUE_TYPE = {"process": "classic", "power": "quorum"}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    seq INTEGER PRIMARY KEY, order_id TEXT NOT NULL, operation TEXT NOT NULL, effect TEXT NOT NULL, mono_s REAL NOT NULL);
"""
_ROW = (
    "INSERT INTO ledger (order_id, operation, effect, mono_s) VALUES (?, 'ConfirmOrder', 'done', ?)"
)
_CLOCK = SystemClock()


@asynccontextmanager
async def raw_hops(
    url: str, folder: Path, *, durability: str, prefix: str
) -> AsyncIterator[Callable[[Order], Awaitable[None]]]:
    """Yields place(order), which returns when its first message is confirmed. The queues are removed at the end."""
    queues = [f"{prefix}.hop{number}" for number in range(HOPS)]
    connection = await connect(url)
    assert connection.transport is not None
    wire = connection.transport.connection
    opening = Database.open(database_path(folder, "order"), schema=_SCHEMA, durability=durability)
    try:
        async with opening as database:
            sender = await _channel(wire)
            for number in range(HOPS):
                await _serve(await _channel(wire), number, queues, database, durability)

            async def place(order: Order) -> None:
                command = PlaceOrder(order=order, caused_by=f"{order.order_id}:customer")
                await _publish(sender, queues[0], messages.to_bytes(command), order.order_id)

            yield place
            for queue in queues:
                await sender.queue_delete(queue)
    finally:
        await close(connection)


async def _channel(connection: AbstractConnection) -> Channel:
    channel = await connection.channel()
    assert isinstance(channel, Channel)  # it alone can publish without draining
    return channel


async def _serve(
    channel: Channel, number: int, queues: list[str], database: Database, durability: str
) -> None:
    queue = queues[number]
    await channel.queue_declare(
        queue, durable=True, arguments={"x-queue-type": QUEUE_TYPE[durability]}
    )
    await channel.basic_qos(prefetch_count=PREFETCH)

    async def pass_on(message: DeliveredMessage) -> None:
        order_id = str(message.header.properties.message_id)
        if number + 1 < len(queues):
            await _publish(channel, queues[number + 1], message.body, order_id)
        else:
            await database.write(lambda tx: tx.run(_ROW, order_id, _CLOCK.mono_s()))
        assert message.delivery_tag is not None
        await channel.basic_ack(message.delivery_tag, wait=False)

    await channel.basic_consume(queue, pass_on)


async def _publish(channel: Channel, queue: str, body: bytes, order_id: str) -> None:
    properties = Basic.Properties(delivery_mode=2, message_id=order_id)
    await asyncio.shield(
        channel.basic_publish(
            body, routing_key=queue, properties=properties, mandatory=True, wait=False
        )
    )
