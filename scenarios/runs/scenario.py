"""What a failure scenario is: orders, faults, and what must become of each order."""

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from kernel.saga import Saga
from scenarios.faults.plan import FaultPlan, Moment
from scenarios.runs.probe import Probe
from scenarios.runs.processes import RestartPolicy
from scenarios.runs.variety import IDS, named, varied
from scenarios.runs.workload import NO_TIME, ServiceTimes

PLENTY = 1_000_000

Classes = frozenset[str]
COMMITTED: Classes = frozenset({"committed"})
COMPENSATED: Classes = frozenset({"compensated"})
PARKED: Classes = frozenset({"parked"})
LATE: Classes = frozenset({"late"})
ENDED: Classes = COMMITTED | COMPENSATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario; `name` is its module's name, `description` its module's docstring (put in by catalog.index).

    `faults(n)`: the plan for n orders. `expects(i)`: the classes in which order i may end.
    `stock(n)`: initial units of each item; None = plenty. `item(i)`: what order i wants; None = the saga's usual item.
    `check`: a further demand on all classes in order of index; the text says what is wrong, "" = nothing.
    """

    name: str
    description: str = ""
    faults: Callable[[int], FaultPlan] = lambda n: FaultPlan()
    expects: Callable[[int], Classes] = lambda i: COMMITTED
    stock: Callable[[int], dict[str, int]] | None = None
    item: Callable[[int], str] | None = None
    check: Callable[[Sequence[str]], str] = lambda classes: ""
    service_times: ServiceTimes = NO_TIME
    """How long the services take beyond the work itself."""
    probe: Probe | None = None
    """Who keeps reading while the run lasts, and what was wrong with what they were shown."""
    restart: RestartPolicy = field(default_factory=RestartPolicy)
    """What happens to a participant's process that died, where it has one."""
    any_item: bool = False
    """Whether its stock stands for any item: of each there is as much."""
    least_time_scale: float = 0.0
    """Deadlines shorter than this times the policy's would only measure the restart of a broker."""

    def orders(
        self, saga: Saga, n: int, *, seed: int, plan: FaultPlan, variety: Collection[str] = ()
    ) -> list[Any]:
        """The n orders of a run; a planned refusal is in what is ordered. `variety`: see variety.py."""
        chance, customers = random.Random(seed), saga.workload
        made = []
        own = self.item is not None or (self.stock is not None and not self.any_item)
        for index in range(n):
            item = customers.item if self.item is None else self.item(index)
            order = customers.order(index, n=n, chance=chance, item=item)
            order = varied(saga, order, index, seed=seed, kinds=variety, own_stock=own)
            for fault in plan.faults:
                if fault.moment is Moment.REFUSED and fault.strikes_order(index, seed=seed):
                    order = customers.refusable(order, fault.operation)
            made.append(order)
        return named(made, seed=seed) if IDS in variety else made

    def units(self, saga: Saga, n: int, *, variety: Collection[str] = ()) -> dict[str, int]:
        """The initial units of each item for n orders."""
        usual = saga.workload.item
        units = {usual: PLENTY} if self.stock is None else self.stock(n)
        if variety and (self.stock is None or self.any_item) and self.item is None:
            units = units | dict.fromkeys(saga.workload.items, units[usual])
        return units


def every(step: int, struck: Classes, otherwise: Classes = COMMITTED) -> Callable[[int], Classes]:
    """Expect `struck` of every step-th order, matching the selector {"every": step}."""
    return lambda index: struck if index % step == step - 1 else otherwise
