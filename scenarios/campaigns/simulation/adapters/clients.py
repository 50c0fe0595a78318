"""What client libraries take from the machine, taken from a loop instead: clocks, chance, sockets, and the order of sets."""

import logging
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

import aiohappyeyeballs
import aiohttp.connector
import aiormq.base
import aiormq.tools
import botocore.loaders
import botocore.session
import urllib3.connection
import urllib3.util.connection

from scenarios.campaigns.simulation.adapters.blocking_socket import BlockingSocket
from scenarios.campaigns.simulation.adapters.network import Wanted
from scenarios.campaigns.simulation.adapters.network_loop import NetworkLoop

QUIET = ("aiormq", "aio_pika", "botocore", "urllib3", "aiohttp", "asyncio")


class _InOrder(dict[Any, None]):
    """A set that gives its members out in the order in which they came, whatever their hashes are."""

    def add(self, member: Any) -> None:
        self[member] = None

    def remove(self, member: Any) -> None:
        del self[member]

    def pop(self) -> Any:  # type: ignore[override]  # as a set's
        return self.popitem()[0]


@cache
def _one_loader(search_path_string: str | None = None) -> botocore.loaders.Loader:
    """Descriptions of AWS services, read once: a client takes a fifth of a second otherwise."""
    return _create_loader(search_path_string)


_create_loader = botocore.loaders.create_loader


@contextmanager
def simulated_clients(loop: NetworkLoop, seed: int | None) -> Iterator[None]:
    """aiormq, aiohttp and urllib3 over a loop's time and network, as long as the context is open."""
    make_store = aiormq.base.FutureStore.__init__

    def ordered_store(store: Any, loop: Any) -> None:
        make_store(store, loop)
        store.futures = _InOrder()

    async def start_connection(addr_infos: Any, **_: Any) -> Wanted:
        return Wanted(addr_infos[0][4][:2])

    def create_connection(address: Any, timeout: Any = None, *_: Any, **__: Any) -> BlockingSocket:
        return BlockingSocket.connect(loop.network, address, timeout)

    def wait_for_read(sock: Any, timeout: Any = None) -> bool:
        return bool(sock.is_readable())

    before = random.getstate()
    random.seed(seed or 0)
    levels = {name: logging.getLogger(name).level for name in QUIET}
    with ExitStack() as stack:
        for target, name, value in (
            (aiormq.tools.Countdown, "_now", staticmethod(loop.time)),
            (aiormq.base.FutureStore, "__init__", ordered_store),
            (aiohttp.connector, "monotonic", loop.time),
            (aiohappyeyeballs, "start_connection", start_connection),
            (urllib3.util.connection, "create_connection", create_connection),
            (urllib3.connection, "wait_for_read", wait_for_read),
            (botocore.session, "create_loader", _one_loader),
        ):
            stack.enter_context(patch.object(target, name, value))
        for name in QUIET:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            random.setstate(before)
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
