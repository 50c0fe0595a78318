"""A connection that was lost is closed for good all the same."""

import asyncio

import aio_pika
import pytest
from yarl import URL

from choreography.rabbit_connection import close


class _Lost:
    async def close(self, exc):
        raise ConnectionError("gone")


class _Slow:
    async def close(self, exc):
        await asyncio.sleep(60)


def _connection(transport):
    connection = aio_pika.Connection(URL("amqp://localhost"))
    connection.transport = transport
    return connection


async def test_a_connection_that_fails_to_close_is_closed():
    connection = _connection(_Lost())
    with pytest.raises(ConnectionError):
        await close(connection)
    assert connection.is_closed


async def test_a_connection_whose_closing_is_cancelled_is_closed():
    connection = _connection(_Slow())
    closing = asyncio.create_task(close(connection))
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert connection.is_closed
