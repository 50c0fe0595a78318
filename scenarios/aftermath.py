"""What is put together and written down when a run is over."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from scenarios.customers import Customer
from scenarios.fault_plan import DISTURBANCES
from scenarios.planned_faults import Injection, PlannedFaults
from scenarios.rules import STEPS
from scenarios.run_folder import RunFolder, leave_lines, verdict_document
from scenarios.run_spec import now_utc
from scenarios.verdict import Verdict
from shared_domain.participants import NAMES
from shared_domain.ports import Ledgers, Parked, Settlement

OPERATOR = "evidence/operator.jsonl"
"""What operators did, one act per line."""


def acts_of(action: str, sagas: Iterable[Parked]) -> list[dict[str, Any]]:
    """What an operator has done just now, as lines of OPERATOR."""
    utc = now_utc()
    return [
        {"utc": utc, "action": action, "order_id": s.order_id, "parked_id": s.parked_id}
        for s in sagas
    ]


def redriven(acts: Iterable[dict[str, Any]]) -> set[str]:
    """The orders that an operator has sent on."""
    return {act["order_id"] for act in acts if act["action"] == "redrive"}


def changed(faults: PlannedFaults, ledgers: Ledgers, *, orders_in_flight: int) -> list[Injection]:
    """Every injection, with `changed`: the saga's rows or attempts differ from the fault-free template.

    `orders_in_flight`: how many orders a disturbance of the coordinator could have changed.
    """
    rows: dict[str, list[tuple[str, str]]] = {}
    for name in NAMES:
        for row in ledgers[name]["ledger"]:
            rows.setdefault(row["order_id"], []).append((row["operation"], row["effect"]))
    template = sorted((operation, "done") for operation in STEPS["inventory-first"])
    repeated = {order_id for (order_id, _), n in faults.record.attempts.items() if n > 1}
    injections = faults.injections()
    for injection in injections:
        order_id = injection.order_id
        differs = order_id in repeated or sorted(rows.get(order_id, [])) != template
        if injection.moment in DISTURBANCES:
            differs = differs or orders_in_flight > 0
        injection.changed = injection.struck and differs
    return injections


def leave(
    folder: RunFolder,
    *,
    customers: Sequence[Customer],
    ledgers: Ledgers,
    parked: list[Parked],
    spans: list[dict[str, Any]],
    injections: list[Injection],
    acts: list[dict[str, Any]],
    verdict: Verdict,
    settlement: Settlement,
) -> None:
    """Write a run down. `acts`: what operators did meanwhile."""
    folder.write_lines("orders.jsonl", [c.line(index) for index, c in enumerate(customers)])
    leave_lines(folder, ledgers, parked)
    folder.write_lines("trace.jsonl", spans)
    folder.write_lines("faults.jsonl", [asdict(injection) for injection in injections])
    if acts:
        folder.write_lines(OPERATOR, acts)
    document = verdict_document(verdict)
    document["timing"]["settlement"] = asdict(settlement)
    folder.write("verdict.json", document)
