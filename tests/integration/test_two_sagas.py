"""Two sagas at once in one process: the order saga and a tiny one of the tests, over one RabbitMQ node and one engine."""

import asyncio
import random
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from choreography.rabbit_broker import RabbitBroker
from choreography.system import ChoreographedSystem, topology
from kernel.child import free_port
from kernel.clock import SystemClock
from kernel.environment import Environment
from kernel.loading import load_saga
from kernel.participants import open_participants
from kernel.policy import Policy
from kernel.saga import Saga
from orchestration.engine_host import EngineProcess, running
from orchestration.step_functions import StepFunctions, boto3_call
from orchestration.system import OrchestratedSystem
from orchestration.tasks import serve_functions, workers
from scenarios.campaigns.jobs import Job
from scenarios.campaigns.simulation.outcomes import schedule_of, simulated_outcome
from scenarios.judge.judgement import judge
from scenarios.judge.oracle import Asked
from scenarios.judge.verdict import Judgement, OrderClass
from scenarios.runs.scenario import Scenario
from scenarios.styles.index import STYLES
from shared_domain.order.saga import SAGA as ORDER

TICKET = load_saga("tests/sagas/ticket")
ORDERS, REFUSED_EVERY = 12, 3
POLICY = Policy(time_scale=0.1)
ANYHOW = Scenario(name="anyhow", expects=lambda i: frozenset(OrderClass))


@dataclass
class Running:
    saga: Saga
    participants: object
    system: object
    orders: list

    async def verdict(self):
        """Serve every customer at once, settle, and judge by the ledgers."""
        begun = SystemClock().mono_s()
        await asyncio.gather(*(self.system.start(order) for order in self.orders))
        ids = [order.order_id for order in self.orders]
        settlement = await self.system.settle(ids, deadline_s=20)
        assert settlement.how == "quiescent", settlement
        asked = [
            Asked(
                order=order, accepted=True, told=("PENDING", await self.system.outcome(order.order_id)),
                intended_mono_s=begun, accepted_mono_s=begun,
            )
            for order in self.orders
        ]  # fmt: skip
        return judge(
            saga=self.saga, variant=self.saga.variant, scenario=ANYHOW, asked=asked,
            ledgers=await self.system.ledgers(), parked=await self.system.parked(), injections=(),
            policy=POLICY, run_ended_mono_s=begun + 60,
        )  # fmt: skip


def orders_of(saga):
    """Every third is refused at the last step that can be."""
    chance, workload = random.Random(1), saga.workload
    made = [workload.order(i, n=ORDERS, chance=chance, item=workload.item) for i in range(ORDERS)]
    refused = saga.turning().name
    return [
        workload.refusable(order, refused) if i % REFUSED_EVERY == 2 else order
        for i, order in enumerate(made)
    ]


async def opened(stack, saga, folder):
    folder.mkdir()
    environment = Environment(saga=saga, variant=saga.variant, policy=POLICY)
    participants = await stack.enter_async_context(open_participants(folder, environment))
    await participants.stock_up({saga.workload.item: 1000})
    return environment, participants


async def choreographed(stack, tmp_path, rabbit):
    for saga in (ORDER, TICKET):
        environment, participants = await opened(stack, saga, tmp_path / saga.name)
        queues = topology(prefix=f"two.{saga.name}", environment=environment)
        broker = await stack.enter_async_context(
            RabbitBroker.open(rabbit.url, queues, durability="process")
        )
        system = await stack.enter_async_context(
            ChoreographedSystem.open(
                participants=participants, services=participants.by_name, broker=broker,
                environment=environment,
            )
        )  # fmt: skip
        yield Running(saga, participants, system, orders_of(saga))


async def orchestrated(stack, tmp_path, rabbit):
    functions, known = {}, []
    for saga in (ORDER, TICKET):
        environment, participants = await opened(stack, saga, tmp_path / saga.name)
        made = await stack.enter_async_context(workers(participants.by_name, environment))
        functions |= made
        known.append((environment, participants))
    port = free_port()
    endpoint = await stack.enter_async_context(serve_functions(functions, port=port))
    (tmp_path / "engine").mkdir()
    engine = EngineProcess(
        tmp_path / "engine", lambda_endpoint=endpoint, time_scale=POLICY.time_scale, durability="process"
    )  # fmt: skip
    await stack.enter_async_context(running(engine))
    call = await stack.enter_async_context(boto3_call(engine.endpoint))
    for environment, participants in known:
        system = await stack.enter_async_context(
            OrchestratedSystem.open(
                participants=participants, step_functions=StepFunctions(call),
                name=f"two-{environment.saga.name}", environment=environment,
            )
        )  # fmt: skip
        yield Running(environment.saga, participants, system, orders_of(environment.saga))


@pytest.mark.parametrize("opening", [choreographed, orchestrated])
async def test_two_sagas_run_at_once_over_one_node_or_one_engine(opening, tmp_path, rabbit):
    async with AsyncExitStack() as stack:
        both = [one async for one in opening(stack, tmp_path, rabbit)]
        verdicts = await asyncio.gather(*(one.verdict() for one in both))
        for one, verdict in zip(both, verdicts, strict=True):
            assert verdict.judgement is Judgement.CONSISTENT, (one.saga.name, verdict.problems)
            assert {k: n for k, n in verdict.counts().items() if n} == {
                "committed": ORDERS - ORDERS // REFUSED_EVERY,
                "compensated": ORDERS // REFUSED_EVERY,
            }
            operations = {
                row["operation"]
                for tables in (await one.system.ledgers()).values()
                for row in tables["ledger"]
            }
            assert operations <= set(one.saga.operations)


@pytest.mark.parametrize("style", STYLES)
def test_the_same_judge_finds_what_is_wrong_with_the_tiny_saga(style, monkeypatch):
    """A hall that seats everybody twice, and answers once."""
    hall = TICKET.participants["hall"]
    seat = hall.RULES
    kind, rule = next(iter(seat.items()))

    def twice(seats, command):
        after, decision = rule(seats, command)
        return after, type(decision)(answer=decision.answer, effect=decision.effect, delta=2)

    job = Job(
        key="tiny", saga=TICKET.address, scenario="happy_path", style=style, orders=3, seed=1,
        time_scale=0.05, rate_per_s=100.0,
    )  # fmt: skip
    assert schedule_of(job, turns=1).saga == TICKET.address
    assert simulated_outcome(job, 1).judgement == Judgement.CONSISTENT
    monkeypatch.setitem(seat, kind, twice)
    found = simulated_outcome(job, 1)
    assert found.judgement == Judgement.INCONSISTENT
    assert found.classes["half-done"] == 3
