"""A run needs few permissions on a server, and who has fewer cannot make it believe anything."""

import secrets
import shlex
from urllib.parse import urlsplit

import aio_pika
import pytest
from aiormq.exceptions import ChannelAccessRefused

from scenarios.judge.verdict import Judgement
from scenarios.runs.environment import Backends


@pytest.fixture
async def host(rabbit):
    """(a virtual host of its own, URL of a user there, by name)."""
    name = f"v{secrets.token_hex(3)}"
    await rabbit.control("add_vhost", name)

    def url(user, password):
        at = urlsplit(rabbit.url)
        return f"amqp://{user}:{password}@{at.hostname}:{at.port}/{name}"

    yield name, url
    await rabbit.control("delete_vhost", name)


def _granted(saga, user, vhost):
    """What `saga broker permissions` says, without the program's name."""
    add, grant = saga("broker", "permissions", user, "--vhost", vhost).stdout.splitlines()
    assert add.startswith(f"rabbitmqctl add_user {user}")
    return shlex.split(grant)[1:]


@pytest.mark.slow
async def test_a_user_with_the_printed_permissions_can_run_and_others_cannot_publish(
    saga, run_scenario, rabbit, host
):
    vhost, url = host
    await rabbit.control("add_user", "runs", "p1")
    await rabbit.control(*_granted(saga, "runs", vhost))
    await rabbit.control("add_user", "reader", "p2")
    await rabbit.control("set_permissions", "-p", vhost, "reader", "", "", r"^saga\.")
    try:
        backends = Backends(broker=url("runs", "p1"), engine="inprocess")
        result = await run_scenario("card_declined", "choreography", backends=backends)
        assert result.verdict.judgement is Judgement.CONSISTENT
        assert result.verdict.as_expected

        runs = await aio_pika.connect(url("runs", "p1"))
        async with runs, runs.channel() as channel:
            exchange = await channel.declare_exchange("saga.x.events", "topic")
            with pytest.raises(ChannelAccessRefused):
                await channel.declare_queue("orders-of-somebody-else")
        reader = await aio_pika.connect(url("reader", "p2"))
        async with reader, reader.channel() as channel:
            forged = await channel.get_exchange("saga.x.events", ensure=False)
            with pytest.raises(ChannelAccessRefused):
                await forged.publish(aio_pika.Message(b"{}"), routing_key="PaymentCharged")
        assert exchange.name == "saga.x.events"
    finally:
        await rabbit.control("delete_user", "runs")
        await rabbit.control("delete_user", "reader")
