"""The ordinary day of a shop, with nothing broken: Zipf demand, slow cards, 2 % declined, 0.5 % undeliverable. The benchmarks' workload."""

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.runs.scenario import COMMITTED, COMPENSATED, PLENTY, Classes, Scenario
from scenarios.runs.workload import ServiceTimes, zipf_item, zipf_shares

_SHARES = zipf_shares(items=100, exponent=1.1)


def _refused(n: int) -> dict[str, list[int]]:
    """Operation -> the orders at which it is refused."""
    return {"ChargePayment": list(range(24, n, 50)), "BookShipment": list(range(99, n, 200))}


def _faults(n: int) -> FaultPlan:
    lines = [
        Fault(orders=orders, operation=operation, moment=Moment.REFUSED)
        for operation, orders in _refused(n).items()
        if orders
    ]
    return FaultPlan(faults=tuple(lines))


def _expects(index: int) -> Classes:
    return COMPENSATED if index % 50 == 24 or index % 200 == 99 else COMMITTED


SCENARIO = Scenario(
    name="base_mix",
    faults=_faults,
    expects=_expects,
    stock=lambda n: {f"item-{rank}": PLENTY for rank in range(len(_SHARES))},
    item=zipf_item(_SHARES, "base"),
    service_times=ServiceTimes.parse("payment=lognormal:80:800"),
)
