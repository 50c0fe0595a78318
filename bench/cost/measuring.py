"""The faults of a run in which everything that a cost needs is counted: committed, refused and retried orders of any saga."""

from kernel.saga import Saga
from scenarios.faults.plan import Fault, FaultPlan, Moment

ORDERS = 24


def measuring_plan(saga: Saga) -> FaultPlan:
    """Every fourth order is refused where that undoes most; of every third one the call after the first fails twice."""
    refused = Fault(orders={"every": 4}, operation=saga.turning().name, moment=Moment.REFUSED)
    failing = Fault(orders={"every": 3}, operation=saga.forward[1], moment=Moment.ERROR, attempts=(1, 2))  # fmt: skip
    return FaultPlan(faults=(refused, failing))
