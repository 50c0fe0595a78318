"""One order in several styles as steps that belong together, with what every participant holds after each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from report.saga import Saga
from scenarios.fault_plan import MEANING, Moment
from scenarios.traceability.answer import UNDOES, because_of
from scenarios.traceability.truth import true_account
from shared_domain.account import ENDS, REFUSED

_DONE = {
    ("PlaceOrder", "done"): "The order is opened, and not yet confirmed.",
    ("PlaceOrder", "refused"): "The order is refused: nothing is opened.",
    ("ReserveStock", "done"): "{units} held for this order.",
    ("ReserveStock", "refused"): "Out of stock: nothing is held.",
    ("ChargePayment", "done"): "{money} taken from the customer.",
    ("ChargePayment", "refused"): "The card is declined: no money is taken.",
    ("BookShipment", "done"): "The parcel is booked: from here the saga only goes forward.",
    ("BookShipment", "refused"): "Undeliverable: no parcel is booked.",
    ("ConfirmOrder", "done"): "The order is confirmed.",
    ("CancelShipment", "undone"): "The parcel is cancelled.",
    ("RefundPayment", "undone"): "{money} given back to the customer.",
    ("ReleaseStock", "undone"): "{units} free again.",
    ("CancelOrder", "undone"): "The order is cancelled.",
}
_EFFECT = {
    "tombstone": "There is nothing to undo; should {step} still come, it is refused.",
    "kept": "Too late: the parcel is booked already, so the saga goes forward.",
    "gave up": "All attempts failed: {operation} is given up.",
    "refused": "{operation} is refused: it comes after its compensation.",
}
STATUS = {"PlaceOrder": "PENDING", "ConfirmOrder": "CONFIRMED", "CancelOrder": "CANCELLED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened. `mark`: done, refused, undone, failed, fault or told. `key`: the same for the same thing elsewhere.

    `holds`: what the participants hold of this order then, as four short texts.
    """

    at_ms: float
    actor: str
    title: str
    text: str
    mark: str
    key: str
    node: str
    holds: tuple[str, str, str, str]


HELD = ("order", "stock held", "money taken", "parcels")


def steps(saga: Saga) -> list[Step]:
    """Everything that happened to an order, oldest first."""
    found: list[Step] = []
    rows: list[dict[str, Any]] = []
    for at_s, what in sorted(_entries(saga), key=lambda entry: entry[0]):
        if row := what.pop("row", None):
            rows.append(row)
        found.append(Step(at_ms=1000 * (at_s - saga.begun_s), holds=_holds(rows), **what))
    return found


def _entries(saga: Saga) -> Iterator[tuple[float, dict[str, Any]]]:
    line, order, offset_s = saga.line, saga.line["order"], saga.offset_s
    wanted = f"{order['quantity']} x {order['item']} for {_money(order['amount_cents'])}"
    yield saga.begun_s, _step("customer", "orders", f"The customer wants {wanted}.", "told")
    if line["accepted_mono_s"] is not None:
        told = f"The customer is told: {line['told'][0]}."
        yield line["accepted_mono_s"] + offset_s, _step("customer", "is answered", told, "told")
    for row in saga.ledger:
        yield row["wall_s"], _row_step(row)
    for fault in saga.faults:
        if fault["at_mono_s"] is not None:
            text = f"{MEANING[Moment(fault['moment'])].capitalize()}."
            # A refusal is noted after its commit; it is told before what it led to.
            at_s = fault["at_mono_s"] + offset_s
            if fault["moment"] == Moment.REFUSED:
                at_s = min([r["wall_s"] for r in saga.ledger if r["operation"] == fault["operation"]] or [at_s]) - 1e-6  # fmt: skip
            yield (
                at_s,
                _step("fault", fault["operation"], text, "fault", node=fault["operation"]),
            )
    seen: set[str] = set()
    for call in saga.account.calls:
        if not call.answer:
            text = call.failure or "There is no answer."
            yield call.at_s, _step(call.service, f"{call.operation} fails", text, "failed", node=call.operation)  # fmt: skip
        elif call.operation in seen:
            text = f"It was done before: {call.answer} is answered again, and nothing changes."
            yield call.at_s, _step(call.service, f"{call.operation} again", text, "told", node=call.operation)  # fmt: skip
        seen.add(call.operation if call.answer else "")
    last_s = max([row["wall_s"] for row in saga.ledger] + [c.at_s for c in saga.account.calls] + [saga.begun_s])  # fmt: skip
    if parked := saga.parked.parked_at:
        text = f"An operator has to look: {saga.parked.parked_why}"
        yield last_s + 1e-6, _step("operator", f"parked at {parked}", text, "failed", node=parked)
    if len(line["told"]) > 1:
        told = f"The customer asks, and is told: {line['told'][-1]}."
        yield last_s + 2e-6, _step("customer", "asks", told, "told")


def _row_step(row: dict[str, Any]) -> dict[str, Any]:
    operation, effect = row["operation"], row["effect"]
    text = _DONE.get((operation, effect)) or _EFFECT[effect]
    n = abs(row["delta"])
    words = {
        "units": f"{n} unit{'s' if n != 1 else ''} {'are' if n != 1 else 'is'}",
        "money": f"{_money(n)} is",
        "operation": operation,
        "step": UNDOES.get(operation, ""),
    }
    mark = {"done": "done", "undone": "undone", "tombstone": "undone", "kept": "told"}
    return _step(
        row["participant"],
        operation,
        text.format(**words),
        mark.get(effect, "refused"),
        node=operation,
    ) | {"row": row}


def _step(actor: str, title: str, text: str, mark: str, *, node: str = "") -> dict[str, Any]:
    key = f"{mark}:{actor}:{title}"
    return {"actor": actor, "title": title, "text": text, "mark": mark, "key": key, "node": node}


def _holds(rows: list[dict[str, Any]]) -> tuple[str, str, str, str]:
    net = dict.fromkeys(("inventory", "payment", "shipping"), 0)
    status = "none"
    for row in rows:
        if row["participant"] in net:
            net[row["participant"]] += row["delta"]
        if row["operation"] in STATUS and row["effect"] in ("done", "undone", "tombstone"):
            status = STATUS[row["operation"]]
        elif row["operation"] == "PlaceOrder":
            status = "REJECTED"
    return status, str(-net["inventory"]), _money(net["payment"]), str(net["shipping"])


def _money(cents: int) -> str:
    return f"{cents / 100:,.2f}"


Together = tuple[int | None, ...]
"""Which step of each saga stands in a row; None = it has none there."""


def side_by_side(sagas: Sequence[Saga]) -> list[Together]:
    """The rows of a replay of one saga or two: the same step of both stands in one row, what only one of them did in its own."""
    told = [steps(saga) for saga in sagas]
    if len(told) == 1:
        return [(number,) for number in range(len(told[0]))]
    left, right = ([step.key for step in one] for one in told[:2])
    found: list[Together] = []
    for tag, i0, i1, j0, j1 in SequenceMatcher(a=left, b=right, autojunk=False).get_opcodes():
        if tag == "equal":
            found += zip(range(i0, i1), range(j0, j1), strict=True)
        else:
            found += [(i, None) for i in range(i0, i1)]
            found += [(None, j) for j in range(j0, j1)]
    return found


def in_one_sentence(saga: Saga) -> str:
    """Which step failed, what was undone in which order, and what the customer was told: from the ledgers."""
    truth = true_account(saga.order_id, saga.ledger)
    undone = [
        f"{row['operation']}{' (nothing was there to undo)' if row['effect'] == 'tombstone' else ''}"
        for row in saga.ledger
        if row["effect"] in ("undone", "tombstone")
    ]
    told = saga.line["told"][-1] if saga.line["told"] else "nothing"
    parts = []
    if failed := because_of(truth):
        answers = {call.answer for call in truth.answered() if call.operation == failed}
        how = "was refused" if answers & REFUSED else "did not work out"
        parts.append(f"{failed} {how}.")
        parts.append(f"Undone, in this order: {', '.join(undone)}." if undone else "Nothing was undone.")  # fmt: skip
    elif truth.status() in ENDS.values():
        parts.append("Every step was done, nothing was undone.")
    if saga.parked.parked_at:
        parts.append(f"It waits for an operator at {saga.parked.parked_at}.")
    return " ".join([*parts, f"The customer was told: {told}."])
