"""A wire that can be cut, between a participant and a coordinator that share a process: what TcpProxy is on the real pair."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from choreography.broker import Broker, Delivery
from kernel.errors import ConnectionLost, NotDelivered


class SoftWire:
    """Whole until it is cut. Whoever uses it asks before and after."""

    def __init__(self) -> None:
        self._cut, self._mended = asyncio.Event(), asyncio.Event()
        self._mended.set()

    def cut(self) -> None:
        """Let nothing through until `mend`."""
        self._mended.clear()
        self._cut.set()

    def mend(self) -> None:
        """Let everything through again."""
        self._cut.clear()
        self._mended.set()

    def check(self) -> None:
        """Raise NotDelivered if it is cut."""
        if self._cut.is_set():
            raise NotDelivered("the wire is cut")

    def check_answer(self) -> None:
        """Raise ConnectionLost if it is cut."""
        if self._cut.is_set():
            raise ConnectionLost("the wire is cut")

    @asynccontextmanager
    async def subscribe(self, broker: Broker, queue: str) -> AsyncIterator[AsyncIterator[Delivery]]:
        """See Broker.subscribe: a cut takes every delivery out of the consumer's hands, and the broker delivers it again."""

        async def deliveries() -> AsyncGenerator[Delivery, None]:
            while True:
                await self._mended.wait()
                async with broker.subscribe(queue) as arriving:
                    while True:
                        following = asyncio.ensure_future(anext(arriving))
                        cut = asyncio.ensure_future(self._cut.wait())
                        try:
                            await asyncio.wait(
                                {following, cut}, return_when=asyncio.FIRST_COMPLETED
                            )
                            if cut.done() or self._cut.is_set():  # it may be mended by now
                                break
                            yield following.result()
                        finally:
                            following.cancel()
                            cut.cancel()
                            await asyncio.wait({following, cut})

        async with aclosing(deliveries()) as found:
            yield found
