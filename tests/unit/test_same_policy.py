"""Both styles carry the same retry budget and the same deadlines."""

import json

import pytest

from choreography.rabbit_topology import Queues
from choreography.system import topology
from kernel.guards import Guards
from kernel.pages import tasks_of
from kernel.policy import Policy, backoff_s
from orchestration.saga_definition import saga_definition
from shared_domain.order.saga import SAGA
from tests.samples import environment

POLICY = Policy()
ORDERS = list(SAGA.variants)


def _tasks(variant, guards=None, policy=POLICY):
    around = environment(variant=variant, guards=guards or Guards.all(), policy=policy)
    return dict(tasks_of(saga_definition(around)))


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


@pytest.mark.parametrize("variant", ORDERS)
def test_every_task_retries_as_often_and_waits_as_long_as_the_policy_says(variant):
    for state in _tasks(variant).values():
        poison, retrier = state["Retry"]
        assert poison == {"ErrorEquals": ["UnreadableMessage"], "MaxAttempts": 0}
        assert _waits(retrier) == POLICY.delays_s() == [1, 2, 4]


OTHER = Policy(max_retries=5, interval_s=2, backoff_rate=3, max_delay_s=20, step_deadline_s=7)
"""No figure of it is the default's."""


@pytest.mark.parametrize("policy", [POLICY, OTHER])
@pytest.mark.parametrize("variant", ORDERS)
def test_one_policy_gives_the_tasks_and_the_delay_queues_the_same_budget(variant, policy):
    queues = topology(prefix="x", environment=environment(variant=variant, policy=policy))
    for state in _tasks(variant, policy=policy).values():
        waits = _waits(state["Retry"][-1])
        assert tuple(waits) == queues.retry_delays_s
        assert state["TimeoutSeconds"] == policy.step_s() == policy.step_deadline_s


@pytest.mark.parametrize("policy", [POLICY, OTHER])
def test_rabbitmqs_own_queues_expire_after_what_the_tasks_wait(policy):
    queues = Queues(
        topology(prefix="x", environment=environment(policy=policy)), durability="process"
    )
    declared = queues.all()
    for name, state in _tasks("inventory-first", policy=policy).items():
        service = SAGA.served_by[name]
        ttls = [
            declared[queues.retry(service, number)]["x-message-ttl"]
            for number in range(1, policy.max_retries + 1)
        ]
        assert ttls == [1000 * wait for wait in _waits(state["Retry"][-1])]


@pytest.mark.parametrize("variant", ORDERS)
def test_the_page_says_what_the_default_policy_says(variant):
    """What is shown on a projector is what runs."""
    page = json.loads(SAGA.state_machines[variant].read_text())
    assert page == saga_definition(environment(variant=variant, policy=POLICY))


@pytest.mark.parametrize("variant", ORDERS)
def test_the_delay_queues_wait_as_long_as_the_tasks_do(variant):
    queues = topology(
        prefix="x", environment=environment(variant=variant, policy=Policy(time_scale=0.5))
    )
    assert queues.retry_delays_s == (0.5, 1.0, 2.0)


@pytest.mark.parametrize("variant", ORDERS)
def test_every_task_has_the_step_deadline_and_all_together_keep_within_the_sagas(variant):
    deadlines = [state["TimeoutSeconds"] for state in _tasks(variant).values()]
    assert set(deadlines) == {POLICY.step_deadline_s}
    assert sum(deadlines) <= POLICY.saga_deadline_s


def test_every_operation_is_a_task():
    assert set(_tasks("inventory-first")) == set(SAGA.operations)


@pytest.mark.parametrize("variant", ORDERS)
def test_without_retries_only_the_compensations_keep_theirs(variant):
    tasks = _tasks(variant, Guards(retries=False))
    assert {name for name, state in tasks.items() if "Retry" not in state} == set(SAGA.forward)
