"""One order as a goal sees it: from the judge's verdict and the ledgers."""

from dataclasses import dataclass
from typing import Any

from kernel.ledger import Effect
from kernel.saga import Saga
from scenarios.judge.verdict import OrderClass
from scenarios.runs.driver import Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`over`: nothing can happen any more. `certain`: nothing can change its class any more. `parked_at`: the operation that waits for an operator, "" = none does.

    `rows`: its ledger rows, oldest first, each with its participant.
    """

    order_id: str
    order_class: str
    over: bool
    certain: bool
    lied: bool
    why: str
    status: str
    parked_at: str
    rows: tuple[dict[str, Any], ...]

    def done(self, operation: str) -> int:
        """How often it was applied."""
        return sum(
            row["operation"] == operation and row["effect"] in (Effect.DONE, Effect.UNDONE)
            for row in self.rows
        )

    def net(self, participant: str) -> int:
        """The sum of all changes there."""
        return sum(row["delta"] for row in self.rows if row["participant"] == participant)


def facts(ended: Ended, saga: Saga, *, over: bool) -> list[Facts]:
    """Every order. `over`: nothing can happen any more; before that, only what was done twice is certain."""
    statuses = {row["order_id"]: row["status"] for row in ended.ledgers[saga.opener]["orders"]}
    parked = {one.order_id: one.operation for one in ended.parked}
    found = []
    for order in ended.verdict.orders:
        rows = [
            {"participant": name, **row}
            for name in saga.services
            for row in ended.ledgers[name]["ledger"]
            if row["order_id"] == order.order_id
        ]
        found.append(
            Facts(
                order_id=order.order_id,
                order_class=str(order.order_class),
                over=over,
                certain=over or order.order_class is OrderClass.DUPLICATED,
                lied=order.lied and over,
                why=order.why,
                status=statuses.get(order.order_id, ""),
                parked_at=parked.get(order.order_id, ""),
                rows=tuple(sorted(rows, key=lambda row: float(row["mono_s"]))),
            )
        )
    return found
