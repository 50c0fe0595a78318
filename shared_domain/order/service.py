"""The order service: one transaction per message, and the saga deadline."""

import orjson

from shared_domain import messages
from shared_domain.database import Transaction
from shared_domain.exactly_once import ExactlyOnce
from shared_domain.messages import Command, Event, OrderExpired
from shared_domain.order import model, store
from shared_domain.ports import Clock


class OrderService:
    """Answers PlaceOrder, ConfirmOrder and CancelOrder."""

    def __init__(self, *, once: ExactlyOnce, clock: Clock) -> None:
        self._once, self._clock = once, clock

    def handle(self, tx: Transaction, command: Command) -> Event:
        """The answer to `command`, inside its transaction."""
        if earlier := self._once.recall(tx, command):
            return earlier
        tombstoned = self._once.tombstoned(tx, command.order_id)
        order = store.load(tx, command, tombstoned=tombstoned)
        order, decision = model.RULES[type(command)](order, command)
        text = messages.to_bytes(command).decode()
        store.save(tx, order, command, text=text, wall_s=self._clock.wall_s())
        return self._once.remember(tx, command, decision)

    def expire(self, tx: Transaction, *, deadline_s: float, announce: bool = True) -> list[Event]:
        """Mark every order that is PENDING for longer than `deadline_s`, once; the OrderExpired of each.

        `announce`: whether they go into the outbox; otherwise nobody hears of it until somebody asks for `overdue`.
        """
        late = tx.all(
            "SELECT order_id, message FROM orders"
            " WHERE status = 'PENDING' AND expired = 0 AND placed_wall_s < ? LIMIT 100",
            self._clock.wall_s() - deadline_s,
        )
        expired: list[Event] = []
        for row in late:
            tx.run("UPDATE orders SET expired = 1 WHERE order_id = ?", row["order_id"])
            placed = messages.from_json(orjson.loads(row["message"]))
            expired.append(messages.reply(OrderExpired, placed, "saga deadline passed"))
            if announce:
                self._once.enqueue(tx, expired[-1])
        return expired


def overdue(tx: Transaction) -> list[Event]:
    """The OrderExpired of every order that is open past its deadline."""
    rows = tx.all("SELECT message FROM orders WHERE status = 'PENDING' AND expired = 1")
    placed = [messages.from_json(orjson.loads(row["message"])) for row in rows]
    return [messages.reply(OrderExpired, order, "saga deadline passed") for order in placed]
