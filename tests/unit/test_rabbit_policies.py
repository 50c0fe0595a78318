"""Which policies of a RabbitMQ server can take messages from a run, as its management API lists them."""

import pytest
from aiohttp import BasicAuth, web

from choreography.rabbit_policies import policies_of_server, takes_messages
from kernel.child import free_port

QUEUES = ("saga.1.audit", "saga.1.payment", "saga.1.payment.dead")


def _policy(name, pattern, definition, priority=0, to="all"):
    return {"name": name, "pattern": pattern, "definition": definition, "priority": priority, "apply-to": to}  # fmt: skip


def test_a_policy_that_takes_messages_from_some_queues_is_named_with_their_number():
    listed = [_policy("short", r"\.dead$", {"message-ttl": 50, "ha-mode": "all"})]
    (line,) = takes_messages([listed, []], QUEUES)
    assert "policy 'short'" in line
    assert "(message-ttl 50)" in line
    assert "1 queues of this run (saga.1.payment.dead)" in line


@pytest.mark.parametrize(
    "policy",
    [
        _policy("other", "^orders", {"message-ttl": 50}),
        _policy("harmless", ".*", {"ha-mode": "all"}),
        _policy("of exchanges", ".*", {"max-length": 1}, to="exchanges"),
    ],
)
def test_a_policy_that_takes_nothing_from_a_run_is_not_named(policy):
    assert takes_messages([[policy], []], QUEUES) == []


def test_only_the_strongest_policy_of_a_queue_is_in_force():
    weak = _policy("weak", ".*", {"expires": 1000}, priority=1)
    strong = _policy("strong", ".*", {"max-length": 9}, priority=2)
    (line,) = takes_messages([[weak, strong], []], QUEUES)
    assert "'strong'" in line


def test_an_operators_policy_is_in_force_beside_a_users():
    both = [[_policy("user", ".*", {"expires": 1})], [_policy("operator", ".*", {"max-length": 9})]]
    assert len(takes_messages(both, QUEUES)) == 2


async def test_the_management_api_is_asked_for_the_address_s_virtual_host_as_its_user():
    asked = []

    async def answer(request):
        login = BasicAuth.decode(request.headers["Authorization"], encoding="utf-8")
        asked.append((request.raw_path, login.login, login.password))
        return web.json_response([_policy("all", ".*", {"expires": 1})])

    application = web.Application()
    application.router.add_get("/api/{kind}/{vhost}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        listed = await policies_of_server("amqp://ad%40a:p%2Fw@127.0.0.1:1/or%2Fders", port=port)
    finally:
        await runner.cleanup()
    kinds = ("policies", "operator-policies")
    assert asked == [(f"/api/{kind}/or%2Fders", "ad@a", "p/w") for kind in kinds]
    assert [policies[0]["name"] for policies in listed] == ["all", "all"]


async def test_a_server_without_management_api_has_no_policies_that_anybody_can_see():
    assert await policies_of_server("amqp://guest:guest@127.0.0.1/", port=free_port()) == []
