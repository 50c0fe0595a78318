"""Whom a disturbance of the coordinator could have changed."""

from scenarios.faults.injector import FaultInjector
from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.faults.planned import PlannedFaults
from scenarios.runs.customers import Customer
from scenarios.runs.driver import changed
from scenarios.runs.environment import RunningSystem
from shared_domain.order.messages import ChargePayment
from shared_domain.order.saga import SAGA
from tests.samples import FAST, ORDER, FixedClock, command

FREEZE = Fault(orders=(0,), operation="ChargePayment", moment=Moment.COORDINATOR_FROZEN, for_s=0)


class _Coordinator:
    def freeze(self):
        pass

    def thaw(self):
        pass


class _Ordered:
    """A system whose order service knows an order already."""

    def __init__(self, status):
        self._status = status

    async def ledgers(self):
        empty = {name: {"ledger": []} for name in SAGA.services}
        row = {"order_id": ORDER.order_id, "status": self._status}
        return {**empty, "order": {"ledger": [], "orders": [row]}}


class _Clock(FixedClock):
    async def sleep(self, seconds):
        assert seconds == 0


async def _freeze_while(status):
    """What a freeze has changed whose customer has not heard yet that the order was accepted."""
    system, clock = _Ordered(status), _Clock()
    faults = PlannedFaults(
        FaultPlan(faults=(FREEZE,)), [ORDER.order_id], saga=SAGA, seed=1, policy=FAST, clock=clock
    )
    disturber = FaultInjector(
        RunningSystem(system=system, coordinator=_Coordinator()),
        faults=faults,
        clock=clock,
        customers=[Customer(order=ORDER, intended_mono_s=0.0)],
        failed=[].append,
    )
    async with disturber.at_work():
        await faults.disturb(FREEZE, ORDER.order_id, faults.arrive(command(ChargePayment)))
        in_flight = disturber.orders_in_flight
    (injection,) = changed(faults, await system.ledgers(), saga=SAGA, orders_in_flight=in_flight)
    assert injection.struck
    return in_flight


async def test_an_order_is_in_flight_before_its_customer_has_heard_of_it():
    assert await _freeze_while("PENDING") == 1


async def test_an_order_that_is_over_is_in_flight_no_more():
    assert await _freeze_while("CONFIRMED") == 0
