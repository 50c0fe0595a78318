"""What a failure story is: orders, faults, and what must become of each order."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from scenarios.fault_plan import FaultPlan, Moment
from scenarios.processes import RestartPolicy
from scenarios.refusals import refusable
from scenarios.workload import NO_TIME, ServiceTimes
from shared_domain.messages import Order

CITIES = ("Oslo", "Lima", "Accra", "Hanoi", "Turin", "Quito")
PLENTY = 1_000_000

Classes = frozenset[str]
COMMITTED: Classes = frozenset({"committed"})
COMPENSATED: Classes = frozenset({"compensated"})
PARKED: Classes = frozenset({"parked"})
LATE: Classes = frozenset({"late"})
ENDED: Classes = COMMITTED | COMPENSATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One story; `name` is its module's name, `story` its module's docstring (put in by catalog.index).

    `faults(n)`: the plan for n orders. `expects(i)`: the classes in which order i may end.
    `stock(n)`: initial units of each item. `item(i)`: what order i wants.
    `check`: a further demand on all classes in order of index; the text says what is wrong, "" = nothing.
    """

    name: str
    story: str = ""
    faults: Callable[[int], FaultPlan] = lambda n: FaultPlan()
    expects: Callable[[int], Classes] = lambda i: COMMITTED
    stock: Callable[[int], dict[str, int]] = lambda n: {"book": PLENTY}
    item: Callable[[int], str] = lambda i: "book"
    check: Callable[[Sequence[str]], str] = lambda classes: ""
    service_times: ServiceTimes = NO_TIME
    """How long the services take beyond the work itself."""
    probed: bool = False
    """Whether a customer and a clerk keep reading while the run lasts."""
    restart: RestartPolicy = field(default_factory=RestartPolicy)
    """What happens to a participant's process that died, where it has one."""
    least_time_scale: float = 0.0
    """Deadlines shorter than this times the policy's would only measure the restart of a broker."""

    def orders(self, n: int, *, seed: int, plan: FaultPlan) -> list[Order]:
        """The n orders of a run; a planned refusal is in what is ordered."""
        chance = random.Random(seed)
        made = []
        for index in range(n):
            order = Order(
                order_id=f"order-{index:05d}",
                customer=f"customer-{chance.randrange(10 * n):05d}",
                item=self.item(index),
                quantity=1,
                amount_cents=chance.randrange(500, 20_000),
                destination=chance.choice(CITIES),
            )
            for fault in plan.faults:
                if fault.moment is Moment.REFUSED and fault.strikes_order(index, seed=seed):
                    order = refusable(order, fault.operation)
            made.append(order)
        return made


def every(step: int, struck: Classes, otherwise: Classes = COMMITTED) -> Callable[[int], Classes]:
    """Expect `struck` of every step-th order, matching the selector {"every": step}."""
    return lambda index: struck if index % step == step - 1 else otherwise
