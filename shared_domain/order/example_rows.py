"""The ledgers of a counter-example, and the verdict on them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from kernel.messages import to_bytes
from kernel.policy import Policy
from kernel.ports import Ledgers, Parked
from scenarios.judge.judgement import judge
from scenarios.judge.oracle import Asked
from scenarios.judge.verdict import OrderClass, Verdict
from scenarios.runs.scenario import Scenario
from shared_domain.order.counter_examples import ITEM, ORDER, ORDER_ID, PRICE, CounterExample, Row
from shared_domain.order.saga import SAGA


def judged(example: CounterExample) -> Verdict:
    """The verdict on a counter-example: one order for one book at 500 cents, ten books in stock."""
    status = example.status
    asked = Asked(
        order=example.order, accepted=True,
        told=("PENDING", example.told or status), intended_mono_s=100, accepted_mono_s=100,
    )  # fmt: skip
    waiting = [
        Parked(order_id=ORDER_ID, operation=step, where="failed execution", why="budget spent")
        for step in (example.parked,)
        if step
    ]
    anything = Scenario(name="example", expects=lambda i: frozenset(OrderClass))
    return judge(
        saga=SAGA,
        variant=SAGA.variant,
        scenario=anything,
        asked=[asked],
        ledgers=ledgers_of(example),
        parked=waiting,
        injections=(),
        policy=Policy(),
        run_ended_mono_s=1_000,
        exact=True,
        attempts=None
        if example.tried is None
        else {(ORDER_ID, k): n for k, n in example.tried.items()},
        redriven=[ORDER_ID] if example.redriven else (),
        finished=[ORDER_ID] if example.redriven else (),
    )


def ledgers_of(example: CounterExample) -> Ledgers:
    """The four participants' rows."""
    ledgers = ledgers_with(example.rows, lasts_s=example.lasts_s or len(example.rows) - 1)
    net = _net(example.rows)
    if example.recalled:
        _fill_inboxes(ledgers, *example.recalled)
    opened: dict[str, Any] = {"order_id": ORDER_ID, "status": example.status}
    if any(row[4] == "OrderExpired" for row in example.rows):
        opened["expired"] = 1
    ledgers["order"]["orders"] = [opened]
    held = -sum(row[3] for row in example.rows if row[1:3] == ("ReserveStock", "done"))
    freed = sum(row[3] for row in example.rows if row[1:3] == ("ReleaseStock", "undone"))
    free = example.initial + net["inventory"] if example.free is None else example.free
    ledgers["inventory"]["stock"] = [{"item": ITEM, "initial": example.initial, "free": free}]
    ledgers["inventory"]["reservations"] = [
        {"order_id": ORDER_ID, "item": ITEM, "reserved": held, "released": freed}
    ]
    taken = sum(row[3] for row in example.rows if row[1:3] == ("ChargePayment", "done"))
    charged = taken if example.charged is None else example.charged
    ledgers["payment"]["payments"] = [
        {"order_id": ORDER_ID, "charged_cents": charged, "refunded_cents": taken - net["payment"]}
    ]
    booked = sum(row[3] for row in example.rows if row[1:3] == ("BookShipment", "done"))
    ledgers["shipping"]["shipments"] = [{"order_id": ORDER_ID, "booked": booked}]
    if example.stranger:
        row = _row(2, example.stranger, "ChargePayment", "done", PRICE, "StockReserved", 103.5)
        ledgers["payment"]["ledger"].append(row)
        ledgers["payment"]["payments"].append(
            {"order_id": example.stranger, "charged_cents": PRICE, "refunded_cents": 0}
        )
    return ledgers


def ledgers_with(
    rows: Sequence[Row], *, lasts_s: float
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The participants' ledgers with these rows, from second 100 on and at equal distances, and no other table yet."""
    ledgers: dict[str, dict[str, list[dict[str, Any]]]] = {
        name: {"ledger": []} for name in SAGA.services
    }
    apart_s = lasts_s / max(1, len(rows) - 1)
    for number, (participant, operation, effect, delta, caused_by) in enumerate(rows):
        ledger = ledgers[participant]["ledger"]
        at = 100 + apart_s * number
        ledger.append(_row(len(ledger) + 1, ORDER_ID, operation, effect, delta, caused_by, at))
    return ledgers


def _fill_inboxes(
    ledgers: dict[str, dict[str, list[dict[str, Any]]]], operation: str, answer: str
) -> None:
    """Every answer as the ledger has it, but for one."""
    for tables in ledgers.values():
        tables["inbox"] = []
        for row in tables["ledger"]:
            name = answer if row["operation"] == operation else row["answer"]
            event = SAGA.codec.kinds[name](order=ORDER, caused_by=row["message_id"])
            text = to_bytes(event).decode()
            tables["inbox"].append({"message_id": row["message_id"], "answer": text})


def _net(rows: Sequence[Row]) -> Counter[str]:
    net: Counter[str] = Counter()
    for participant, _, _, delta, _ in rows:
        net[participant] += delta
    return net


def answer_of(operation: str, effect: str) -> str:
    """What an operation answers when it had this effect; "" = there is no such answer."""
    for step in SAGA.steps:
        if step.name == operation:
            kind = {"done": step.done, "refused": step.refused, "gave up": step.gave_up}.get(effect)
            return kind.__name__ if kind else ""
        if step.undo and step.undo.__name__ == operation:
            kind = {"undone": step.undone, "tombstone": step.undone, "kept": step.kept}.get(effect)
            return kind.__name__ if kind else ""
    return ""


def _row(
    seq: int, order_id: str, operation: str, effect: str, delta: int, caused_by: str, mono_s: float
) -> dict[str, Any]:
    return {
        "seq": seq,
        "order_id": order_id,
        "operation": operation,
        "effect": effect,
        "delta": delta,
        "answer": answer_of(operation, effect),
        "message_id": f"{order_id}:{operation}",
        "caused_by": f"{order_id}:{caused_by}",
        "mono_s": mono_s,
    }
