"""What a RabbitMQ node does to its clients on a bad day, brought about through its own control program."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from choreography.rabbit_node import START_S, Node
from kernel.errors import UsageError

# What a channel process tells its connection when a client breaks the protocol; the client gets channel.close.
_CLOSE_CHANNELS = (
    '[Reader ! {channel_exit, 1, {amqp_error, precondition_failed, "closed for a test", none}}'
    " || Reader <- rabbit_networking:local_connections()]."
)
_NO_MEMORY, _USUAL_MEMORY = "0.000001", "0.4"
_NO_DISK, _USUAL_DISK = "1000000GB", "50MB"
_AGAIN_S = 0.2
"""Wait before a node that did not obey is asked again."""


@asynccontextmanager
async def connections_closed(node: Node) -> AsyncIterator[bool]:
    """Every connection is closed by the broker, once."""
    await _obeyed(node, "close_all_connections", "closed for a test")
    yield False


@asynccontextmanager
async def channels_closed(node: Node) -> AsyncIterator[bool]:
    """The first channel of every connection is closed by the broker with PRECONDITION_FAILED, once."""
    await _obeyed(node, "eval", _CLOSE_CHANNELS)
    yield False


@asynccontextmanager
async def memory_alarm(node: Node) -> AsyncIterator[bool]:
    """Publishers are blocked: the node believes that it has no memory left."""
    await _obeyed(node, "set_vm_memory_high_watermark", _NO_MEMORY)
    try:
        yield True
    finally:
        await _obeyed(node, "set_vm_memory_high_watermark", _USUAL_MEMORY)


@asynccontextmanager
async def disk_alarm(node: Node) -> AsyncIterator[bool]:
    """Publishers are blocked: the node believes that its disk is full."""
    await _obeyed(node, "set_disk_free_limit", _NO_DISK)
    try:
        yield True
    finally:
        await _obeyed(node, "set_disk_free_limit", _USUAL_DISK)


async def _obeyed(node: Node, *words: str) -> None:
    """Control the node as soon as it answers: another fault may have killed it. Raise UsageError if it stays away."""
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + START_S
    while True:
        try:
            await node.control(*words)
        except UsageError:
            if loop.time() > give_up_at:
                raise
            await asyncio.sleep(_AGAIN_S)
        else:
            return


Trouble = Callable[[Node], AbstractAsyncContextManager[bool]]
TROUBLES: dict[str, Trouble] = {
    "connections closed by the broker": connections_closed,
    "channels closed by the broker": channels_closed,
    "memory alarm": memory_alarm,
    "disk alarm": disk_alarm,
}
"""Name -> trouble. Its context yields whether it lasts while the context is open; otherwise it has struck by then."""
