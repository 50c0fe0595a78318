"""A saga as its ledgers tell it: what every timeline is measured against. No timeline ever sees it."""

from collections.abc import Iterable
from typing import Any

from kernel.saga import Saga
from kernel.timeline import Call, Timeline, name_of


def true_timeline(
    saga: Saga, order_id: str, rows: Iterable[dict[str, Any]], *, parked_at: str = ""
) -> Timeline:
    """The saga of the ledger rows of one order, with the operation at which the parked register has it, if it has it."""
    return Timeline(
        saga=saga,
        order_id=order_id,
        calls=tuple(
            Call(
                operation=row["operation"],
                service=row["participant"],
                began_s=None,
                ended_s=row["wall_s"],
                answer=row["answer"],
                cause=name_of(row["caused_by"]),
            )
            for row in sorted(rows, key=lambda row: float(row["mono_s"]))
        ),
        parked_at=parked_at,
    )
