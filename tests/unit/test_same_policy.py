"""Both styles carry the same retry budget and the same deadlines."""

import itertools
import json
from importlib import resources

import pytest

from choreography import reactions
from choreography.rabbit_topology import Queues
from choreography.system import topology
from orchestration.saga_definition import FORWARD, PAGES, saga_definition
from shared_domain.guards import Guards
from shared_domain.messages import COMMANDS
from shared_domain.participants import SERVED_BY
from shared_domain.policy import Policy, backoff_s

POLICY = Policy()
ORDERS = list(PAGES)


def _tasks(step_order, guards=None, policy=POLICY):
    states = saga_definition(step_order, guards or Guards.all(), policy)["States"]
    return {name: state for name, state in states.items() if state["Type"] == "Task"}


def _waits(retrier):
    return [
        backoff_s(
            attempt=n,
            interval_s=retrier["IntervalSeconds"],
            rate=retrier["BackoffRate"],
            cap_s=retrier["MaxDelaySeconds"],
        )
        for n in range(1, retrier["MaxAttempts"] + 1)
    ]


@pytest.mark.parametrize("step_order", ORDERS)
def test_every_task_retries_as_often_and_waits_as_long_as_the_policy_says(step_order):
    for state in _tasks(step_order).values():
        poison, retrier = state["Retry"]
        assert poison == {"ErrorEquals": ["UnreadableMessage"], "MaxAttempts": 0}
        assert _waits(retrier) == POLICY.delays_s() == [1, 2, 4]


OTHER = Policy(max_retries=5, interval_s=2, backoff_rate=3, max_delay_s=20, step_deadline_s=7)
"""No figure of it is the default's."""


@pytest.mark.parametrize("policy", [POLICY, OTHER])
@pytest.mark.parametrize("step_order", ORDERS)
def test_one_policy_gives_the_tasks_and_the_delay_queues_the_same_budget(step_order, policy):
    queues = topology(prefix="x", step_order=step_order, policy=policy)
    for state in _tasks(step_order, policy=policy).values():
        waits = _waits(state["Retry"][-1])
        assert tuple(waits) == queues.retry_delays_s
        assert state["TimeoutSeconds"] == policy.step_s() == policy.step_deadline_s


@pytest.mark.parametrize("policy", [POLICY, OTHER])
def test_rabbitmqs_own_queues_expire_after_what_the_tasks_wait(policy):
    queues = Queues(
        topology(prefix="x", step_order="inventory-first", policy=policy), durability="process"
    )
    declared = queues.all()
    for name, state in _tasks("inventory-first", policy=policy).items():
        service = SERVED_BY[name]
        ttls = [
            declared[queues.retry(service, number)]["x-message-ttl"]
            for number in range(1, policy.max_retries + 1)
        ]
        assert ttls == [1000 * wait for wait in _waits(state["Retry"][-1])]


@pytest.mark.parametrize("step_order", ORDERS)
def test_the_page_says_what_the_default_policy_says(step_order):
    """What is shown on a projector is what runs."""
    page = json.loads(resources.files("orchestration").joinpath(PAGES[step_order]).read_text())
    assert page == saga_definition(step_order, Guards.all(), Policy())


@pytest.mark.parametrize("step_order", ORDERS)
def test_the_delay_queues_wait_as_long_as_the_tasks_do(step_order):
    queues = topology(prefix="x", step_order=step_order, policy=Policy(time_scale=0.5))
    assert queues.retry_delays_s == (0.5, 1.0, 2.0)


@pytest.mark.parametrize("step_order", ORDERS)
def test_every_task_has_the_step_deadline_and_all_together_keep_within_the_sagas(step_order):
    deadlines = [state["TimeoutSeconds"] for state in _tasks(step_order).values()]
    assert set(deadlines) == {POLICY.step_deadline_s}
    assert sum(deadlines) <= POLICY.saga_deadline_s


def test_both_styles_agree_on_what_is_a_compensation():
    assert {c.__name__ for c in reactions.FORWARD} == FORWARD
    assert set(_tasks("inventory-first")) == set(COMMANDS)


@pytest.mark.parametrize("step_order", ORDERS)
def test_without_retries_only_the_compensations_keep_theirs(step_order):
    tasks = _tasks(step_order, Guards(retries=False))
    assert {name for name, state in tasks.items() if "Retry" not in state} == FORWARD


@pytest.mark.parametrize("step_order", ORDERS)
def test_both_styles_walk_through_the_same_steps(step_order):
    """Every edge from one command's answer to the next command, in both pages."""
    states = saga_definition(step_order, Guards.all(), POLICY)["States"]
    table = {
        event.__name__: command.__name__
        for event, (_, command) in reactions.STEP_ORDERS[step_order].items()
    }
    asl = {}
    for state in states.values():
        for rule in state.get("Choices", []):
            if states[rule["Next"]]["Type"] == "Task":
                asl[rule["StringEquals"]] = rule["Next"]
    first, second = {
        "inventory-first": ("StockReleased", "PaymentRefunded"),
        "payment-first": ("PaymentRefunded", "StockReleased"),
    }[step_order]
    for event, command in itertools.chain(asl.items(), [(first, "CancelOrder")]):
        assert table[event] == command, event
    for command, event in (
        ("ReserveStock", "StockReservationFailed"),
        ("ChargePayment", "PaymentFailed"),
        ("BookShipment", "ShipmentBookingFailed"),
    ):
        assert {catch["Next"] for catch in states[command]["Catch"]} == {table[event]}
    undo = {"PaymentRefunded": "RefundPayment", "StockReleased": "ReleaseStock"}
    assert states[undo[second]]["Next"] == table[second] == undo[first]
