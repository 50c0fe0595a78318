"""The same choreography on FastStream: our participants and group commit, the framework's broker code instead of ours.

One application (a RabbitBroker: a connection and a channel) per service. A handler decodes, calls the participant and
publishes the answer with a confirm; the framework acks after that, and requeues on an error. A repeated message gets
its first answer from the inbox and publishes it again: nothing is lost when the broker is killed, and an effect happens
once. Payloads are raw bytes: FastDepends and its validation are off (apply_types=False), and so is the log.

What ours does and this does not: a relay (each answer's outbox row is written and never read), retry queues (an error
requeues at once, for ever), dead letters, the saga deadline, giving up, an audit queue.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from faststream.middlewares import AckPolicy
from faststream.rabbit import (
    Channel,
    ExchangeType,
    QueueType,
    RabbitBroker,
    RabbitExchange,
    RabbitMessage,
    RabbitQueue,
)

from kernel import messages
from kernel.environment import Environment
from kernel.messages import Command, Message
from kernel.participant import Participant
from kernel.participants import Participants, open_participants
from shared_domain.order.messages import Order, PlaceOrder
from shared_domain.order.saga import SAGA

PREFETCH = 64
"""Also the most handlers at work at once in one service: FastStream starts one for every delivery."""
STOCK = {"book": 1_000_000}
_LEADS_TO = {
    kind: reaction.command for reaction in SAGA.reacting(SAGA.variant) for kind in reaction.hears()
}


def _broker(url: str) -> RabbitBroker:
    channel = Channel(prefetch_count=PREFETCH, on_return_raises=True)
    return RabbitBroker(url, default_channel=channel, apply_types=False, logger=None)


def _queue(name: str, durability: str) -> RabbitQueue:
    if durability == "power":
        return RabbitQueue(name, QueueType.QUORUM)
    return RabbitQueue(name, QueueType.CLASSIC, durable=True)


@asynccontextmanager
async def _participants(folder: Path, durability: str) -> AsyncIterator[Participants]:
    environment = Environment(saga=SAGA, variant=SAGA.variant, durability=durability)
    async with open_participants(folder, environment) as participants:
        await participants.stock_up(STOCK)
        yield participants


async def _publish(broker: RabbitBroker, exchange: RabbitExchange, message: Message) -> None:
    """Return once the broker has confirmed. Raise PublishError if the service that should react has no queue."""
    await broker.publish(
        messages.to_bytes(message),
        exchange=exchange,
        routing_key=message.name,
        message_id=message.message_id,
        content_type="application/json",
        persist=True,
        mandatory=type(message) in _LEADS_TO,
    )


async def _raw(message: RabbitMessage) -> bytes:
    return message.body


def _serve(
    broker: RabbitBroker, queue: RabbitQueue, exchange: RabbitExchange, participant: Participant
) -> None:
    """Register the one handler of a service."""

    @broker.subscriber(queue, ack_policy=AckPolicy.NACK_ON_ERROR, decoder=_raw, no_reply=True)
    async def handle(body: bytes) -> None:
        heard = SAGA.codec.from_bytes(body)
        operation = _LEADS_TO[type(heard)]
        command = heard if isinstance(heard, Command) else messages.follow(operation, heard)
        await _publish(broker, exchange, await participant.call(command))


@asynccontextmanager
async def _declared(
    customer: RabbitBroker, exchange: RabbitExchange, queues: dict[str, RabbitQueue]
) -> AsyncIterator[None]:
    """The exchange and the queues. FastStream itself binds a queue to one routing key; these have several."""
    source = await customer.declare_exchange(exchange)
    made = {name: await customer.declare_queue(queue) for name, queue in queues.items()}
    for name, queue in made.items():
        for key in SAGA.heard_by(name, SAGA.variant):
            await queue.bind(source, key)
    try:
        yield
    finally:
        for queue in made.values():
            await queue.delete(if_unused=False, if_empty=False)
        await source.delete(if_unused=False)


@asynccontextmanager
async def faststream_choreography(
    url: str, folder: Path, *, durability: str, prefix: str
) -> AsyncIterator[Callable[[Order], Awaitable[None]]]:
    """The four services at work, in this process; yields place(order): returns when PlaceOrder is confirmed.

    Databases are in `folder`, with 1,000,000 units of "book" in stock. Names on the broker begin with `prefix`
    and are removed at the end.
    """
    exchange = RabbitExchange(f"{prefix}.events", type=ExchangeType.TOPIC, durable=True)
    queues = {name: _queue(f"{prefix}.{name}", durability) for name in SAGA.services}
    async with AsyncExitStack() as stack:
        participants = await stack.enter_async_context(_participants(folder, durability))
        customer = await stack.enter_async_context(_broker(url))
        await stack.enter_async_context(_declared(customer, exchange, queues))
        for name, participant in participants.by_name.items():
            broker = await stack.enter_async_context(_broker(url))
            _serve(broker, queues[name], exchange, participant)
            await broker.start()

        async def place(order: Order) -> None:
            command = PlaceOrder(order=order, caused_by=f"{order.order_id}:customer")
            await _publish(customer, exchange, command)

        yield place
