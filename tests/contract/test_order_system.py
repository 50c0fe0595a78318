"""What every style promises to customers and operators, over every pair of backends."""

import secrets
from contextlib import AsyncExitStack

import pytest

from kernel.clock import SystemClock
from kernel.guards import Guards
from kernel.policy import Policy
from kernel.tracing import OtelTracer
from scenarios.faults.plan import FaultPlan
from scenarios.faults.planned import PlannedFaults
from scenarios.runs.environment import Backends, RunEnvironment
from scenarios.styles.index import STYLES
from shared_domain.order.participants.payment import CARD_LIMIT_CENTS
from shared_domain.order.saga import SAGA
from tests.samples import FAST, environment, order

FAILING_REFUND = {
    "schema": 1,
    "faults": [
        {
            "orders": "all",
            "operation": "RefundPayment",
            "moment": "participant.error",
            "attempts": "all",
        }
    ],
}


async def _open(
    stack, backends, tmp_path, style, *, plan=None, variant="inventory-first", guards=None
):
    clock, tracer, guards = SystemClock(), OtelTracer(), guards or Guards.all()
    # Deadlines of 100 ms are too short for processes that share two cores with other tests.
    policy = FAST if backends.pair == "embedded" else Policy(time_scale=0.1)
    faults = PlannedFaults(
        FaultPlan.from_json(plan) if plan else FaultPlan(),
        ["o1"],
        saga=SAGA,
        seed=1,
        policy=policy,
        clock=clock,
    )
    core = environment(
        variant=variant, policy=policy, guards=guards, faults=faults, tracer=tracer, clock=clock
    )
    setting = await stack.enter_async_context(
        RunEnvironment.open(
            tmp_path, core, run_id=secrets.token_hex(4), backends=backends, faults=faults
        )
    )
    await setting.participants.stock_up({"book": 10})
    return (await stack.enter_async_context(STYLES[style].open(setting))).system


@pytest.fixture(params=["embedded", "real"])
def backends(request):
    if request.param == "embedded":
        return Backends()
    node = request.getfixturevalue("rabbit")
    return Backends(broker=node.url, node=node, engine="embedded")


@pytest.fixture
async def open_system(backends, tmp_path):
    async with AsyncExitStack() as stack:

        async def opened(style, **more):
            return await _open(stack, backends, tmp_path, style, **more)

        yield opened


styles = pytest.mark.parametrize("style", STYLES)


@styles
@pytest.mark.parametrize("variant", ["inventory-first", "payment-first"])
async def test_an_order_goes_through_every_step_once_in_its_order(open_system, style, variant):
    system = await open_system(style, variant=variant)
    assert await system.start(order("o1")) == "PENDING"
    assert (await system.settle(["o1"], deadline_s=20)).how == "quiescent"
    assert await system.outcome("o1") == "CONFIRMED"
    ledgers = await system.ledgers()
    rows = sorted((r for t in ledgers.values() for r in t["ledger"]), key=lambda r: r["mono_s"])
    middle = ["ReserveStock", "ChargePayment"]
    if variant == "payment-first":
        middle.reverse()
    assert [r["operation"] for r in rows] == ["PlaceOrder", *middle, "BookShipment", "ConfirmOrder"]
    assert {r["effect"] for r in rows} == {"done"}
    assert rows[0]["caused_by"] == "o1:customer"
    assert ledgers["inventory"]["stock"][0]["free"] == 8
    assert ledgers["payment"]["payments"][0]["charged_cents"] == 1500


@styles
async def test_an_order_placed_twice_is_one_order(open_system, style):
    system = await open_system(style)
    for _ in range(2):
        await system.start(order("o1"))
    await system.settle(["o1"], deadline_s=20)
    ledgers = await system.ledgers()
    assert [len(tables["ledger"]) for tables in ledgers.values()] == [2, 1, 1, 1]


@styles
@pytest.mark.parametrize("variant", ["inventory-first", "payment-first"])
async def test_a_declined_card_leaves_nothing_behind(open_system, style, variant):
    system = await open_system(style, variant=variant)
    await system.start(order("o1", amount_cents=CARD_LIMIT_CENTS + 1))
    await system.settle(["o1"], deadline_s=20)
    assert await system.outcome("o1") == "CANCELLED"
    ledgers = await system.ledgers()
    assert ledgers["inventory"]["stock"][0]["free"] == 10
    assert ledgers["payment"]["payments"] == []


@styles
async def test_an_order_of_nothing_is_rejected_and_touches_nobody_else(open_system, style):
    system = await open_system(style)
    await system.start(order("o1", quantity=0))
    await system.settle(["o1"], deadline_s=20)
    assert await system.outcome("o1") == "REJECTED"
    ledgers = await system.ledgers()
    assert [len(tables["ledger"]) for tables in ledgers.values()] == [1, 0, 0, 0]


@styles
async def test_a_saga_whose_refund_fails_for_ever_is_parked_where_an_operator_sees_it(
    open_system, style
):
    system = await open_system(style, plan=FAILING_REFUND)
    await system.start(order("o1", destination="Atlantis"))
    assert (await system.settle(["o1"], deadline_s=20)).how == "quiescent"
    (saga,) = await system.parked()
    assert (saga.order_id, saga.operation) == ("o1", "RefundPayment")
    assert "injected error" in saga.why
    ledgers = await system.ledgers()
    assert ledgers["inventory"]["stock"][0]["free"] == 8, "the chain stops where it is parked"


@styles
async def test_an_order_nobody_placed_is_unknown_and_does_not_settle(open_system, style):
    system = await open_system(style)
    assert await system.outcome("ghost") == "UNKNOWN"
    settlement = await system.settle(["ghost"], deadline_s=0.5)
    assert (settlement.how, settlement.open_orders) == ("deadline", ("ghost",))


@styles
async def test_without_the_semantic_lock_the_customer_is_told_too_early(open_system, style):
    system = await open_system(style, guards=Guards(semantic_lock=False))
    assert await system.start(order("o1", destination="Atlantis")) == "CONFIRMED"
    await system.settle(["o1"], deadline_s=20)
    assert await system.outcome("o1") == "CANCELLED"


@styles
async def test_the_evidence_names_every_order(open_system, style):
    system = await open_system(style)
    await system.start(order("o1"))
    await system.settle(["o1"], deadline_s=20)
    evidence = await system.evidence()
    assert evidence
    assert evidence["definition"]
    rows = [row for source, rows in evidence.items() if source != "definition" for row in rows]
    assert rows
    assert {row["order_id"] for row in rows} == {"o1"}
    assert await system.evidence("o1") == evidence
    other = await system.evidence("o2")
    assert not [row for source, rows in other.items() if source != "definition" for row in rows]
