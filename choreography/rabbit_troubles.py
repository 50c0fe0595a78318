"""What a RabbitMQ node does to its clients on a bad day, brought about through its own control program."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from choreography.rabbit_node import RabbitNode

# What a channel process tells its connection when a client breaks the protocol; the client gets channel.close.
_CLOSE_CHANNELS = (
    '[Reader ! {channel_exit, 1, {amqp_error, precondition_failed, "closed for a test", none}}'
    " || Reader <- rabbit_networking:local_connections()]."
)
_NO_MEMORY, _USUAL_MEMORY = "0.000001", "0.4"
_NO_DISK, _USUAL_DISK = "1000000GB", "50MB"


@asynccontextmanager
async def connections_closed(node: RabbitNode) -> AsyncIterator[bool]:
    """Every connection is closed by the broker, once."""
    await node.control("close_all_connections", "closed for a test")
    yield False


@asynccontextmanager
async def channels_closed(node: RabbitNode) -> AsyncIterator[bool]:
    """The first channel of every connection is closed by the broker with PRECONDITION_FAILED, once."""
    await node.control("eval", _CLOSE_CHANNELS)
    yield False


@asynccontextmanager
async def memory_alarm(node: RabbitNode) -> AsyncIterator[bool]:
    """Publishers are blocked: the node believes that it has no memory left."""
    await node.control("set_vm_memory_high_watermark", _NO_MEMORY)
    try:
        yield True
    finally:
        await node.control("set_vm_memory_high_watermark", _USUAL_MEMORY)


@asynccontextmanager
async def disk_alarm(node: RabbitNode) -> AsyncIterator[bool]:
    """Publishers are blocked: the node believes that its disk is full."""
    await node.control("set_disk_free_limit", _NO_DISK)
    try:
        yield True
    finally:
        await node.control("set_disk_free_limit", _USUAL_DISK)


Trouble = Callable[[RabbitNode], AbstractAsyncContextManager[bool]]
TROUBLES: dict[str, Trouble] = {
    "connections closed by the broker": connections_closed,
    "channels closed by the broker": channels_closed,
    "memory alarm": memory_alarm,
    "disk alarm": disk_alarm,
}
"""Name -> trouble. Its context yields whether it lasts while the context is open; otherwise it has struck by then."""
