"""Opens and closes requests."""

from dataclasses import replace

from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.orders import SCHEMA, TABLES, OrderRecord, load, save
from kernel.steps import Rule
from ticket.messages import Ask, Asked, Close, Closed, Withdraw, Withdrawn


def ask(record: OrderRecord, command: Command) -> tuple[OrderRecord, Decision]:
    """Open it, unless it was withdrawn before it came."""
    if record.tombstoned:
        late = Decision(answer=Withdrawn, effect=Effect.REFUSED, reason="withdrawn before it came")
        return record, late
    return replace(record, status="PENDING"), Decision(answer=Asked, effect=Effect.DONE)


def close(record: OrderRecord, command: Command) -> tuple[OrderRecord, Decision]:
    """The guest is seated."""
    return replace(record, status="CONFIRMED"), Decision(answer=Closed, effect=Effect.DONE)


def withdraw(record: OrderRecord, command: Command) -> tuple[OrderRecord, Decision]:
    """Close it without a seat."""
    if record.status:
        undone = Decision(answer=Withdrawn, effect=Effect.UNDONE)
        return replace(record, status="CANCELLED"), undone
    return record, Decision(answer=Withdrawn, effect=Effect.TOMBSTONE)


RULES: dict[type[Command], Rule] = {Ask: ask, Close: close, Withdraw: withdraw}

__all__ = ["RULES", "SCHEMA", "TABLES", "load", "save"]
