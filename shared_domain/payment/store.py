"""The rows of payments."""

from shared_domain.database import Transaction
from shared_domain.messages import Command
from shared_domain.payment.model import Account

SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
    order_id TEXT PRIMARY KEY, charged_cents INTEGER NOT NULL, refunded_cents INTEGER NOT NULL);
"""
TABLES = ("payments",)


def load(tx: Transaction, command: Command, *, tombstoned: bool) -> Account:
    """The payments of the order that `command` is about."""
    row = tx.one(
        "SELECT charged_cents, refunded_cents FROM payments WHERE order_id = ?", command.order_id
    )
    return Account(order_id=command.order_id, tombstoned=tombstoned, **(row or {}))


def save(tx: Transaction, account: Account) -> None:
    """Write the payments back."""
    if account.charged_cents:
        tx.run(
            "INSERT OR REPLACE INTO payments VALUES (?, ?, ?)",
            account.order_id,
            account.charged_cents,
            account.refunded_cents,
        )
