"""What is done to a run's coordinator and wires when a fault plan says so."""

import asyncio
from collections.abc import Callable, Sequence

from scenarios.customers import Customer
from scenarios.fault_plan import DISTURBANCES, Fault, Moment
from scenarios.planned_faults import PlannedFaults
from scenarios.setting import Assembled
from shared_domain.messages import COMMANDS
from shared_domain.participants import SERVED_BY
from shared_domain.ports import Clock


class Disturber:
    """Carries the plan's disturbances out, one at a time."""

    def __init__(
        self,
        assembled: Assembled,
        *,
        faults: PlannedFaults,
        clock: Clock,
        customers: Sequence[Customer],
        failed: Callable[[str], None],
    ) -> None:
        """`failed` is told what cannot be done here."""
        self._assembled, self._faults, self._clock = assembled, faults, clock
        self._customers, self._failed = customers, failed
        self._one_at_a_time = asyncio.Lock()
        self._planned = any(fault.moment in DISTURBANCES for fault in faults.plan.faults)
        self.orders_in_flight = 0
        """Most accepted orders that were not over when the coordinator was disturbed."""

    async def after(self, customer: Customer) -> None:
        """Do what the plan has for the moment when this order has been accepted."""
        if not self._planned:
            return
        for moment in DISTURBANCES:
            for operation in COMMANDS:
                address = (customer.order.order_id, operation, 1)
                if fault := self._faults.strike(moment, *address, succeed=False):
                    async with self._one_at_a_time:
                        if await self._disturb(fault):
                            self._faults.strike(moment, *address)

    async def _disturb(self, fault: Fault) -> bool:
        coordinator, wires = self._assembled.coordinator, self._assembled.wires
        await self._count()
        if fault.moment is Moment.COORDINATOR_UNREACHABLE:
            wire = wires.get(SERVED_BY[fault.operation])
            if wire is None:
                self._failed("on this backend there is no wire that can be cut from here")
                return False
            wire.cut()
            await self._clock.sleep(self._faults.delay_s(fault))
            wire.mend()
        elif coordinator is None:
            self._failed("the coordinator of this backend cannot be killed or frozen from here")
            return False
        elif fault.moment is Moment.COORDINATOR_FROZEN:
            coordinator.freeze()
            try:
                await self._clock.sleep(self._faults.delay_s(fault))
            finally:
                coordinator.thaw()
        else:
            await coordinator.kill()
            await coordinator.restart()
        return True

    async def _count(self) -> None:
        ledgers = await self._assembled.system.ledgers()
        over = {r["order_id"] for r in ledgers["order"]["orders"] if r["status"] != "PENDING"}
        accepted = [c for c in self._customers if c.accepted_mono_s is not None]
        in_flight = sum(c.order.order_id not in over for c in accepted)
        self.orders_in_flight = max(self.orders_in_flight, in_flight)
