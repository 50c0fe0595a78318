"""The modules that a student wrote: whether they have what is needed, and what their functions raise while they run."""

import sqlite3
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from kernel.database import Transaction
from kernel.errors import UsageError
from kernel.pages import place
from kernel.participants import SCHEMA
from kernel.saga import Saga
from kernel.supplied import OwnOutbox

INBOX, OUTBOX = ("recall", "remember"), ("put", "waiting", "published")
"""What a module must have that stands in for the kernel's."""


def check_modules(saga: Saga, folder: Path) -> None:
    """Raise UsageError if a module lacks a function, or has a mistake in its SQL."""
    for own, wanted in ((saga.inbox, INBOX), (saga.outbox, OUTBOX)):
        if missing := [name for name in wanted if own is not None and not hasattr(own, name)]:
            raise UsageError(
                f"{place(str(getattr(own, '__file__', folder)))}: there is no function {missing[0]} in it"
            )
    for module in (*saga.participants.values(), *saga.supplies):
        file = place(str(getattr(module, "__file__", folder)))
        try:
            with closing(sqlite3.connect(":memory:")) as connection:
                connection.executescript(module.SCHEMA)
                made = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        except AttributeError as error:
            raise UsageError(f"{file}: it has no SCHEMA; a text without tables will do") from error
        except (sqlite3.Error, TypeError, ValueError) as error:
            raise UsageError(f"{file}: SCHEMA: {error}") from error
        if taken := sorted(made & _taken()):
            raise UsageError(
                f"{file}: SCHEMA: every participant has a table {taken[0]} already: choose another name"
            )


def _taken() -> set[str]:
    """The kernel's own tables and indexes."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


@dataclass(slots=True)
class Watch:
    """What a student's functions raised: the styles take some of it for a failure of the participant, and retry."""

    folder: Path
    raised: str = ""

    def over(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its errors noted."""

        @wraps(function)
        def watched(*arguments: Any, **named: Any) -> Any:
            try:
                return function(*arguments, **named)
            except BaseException as error:
                self.raised = self.raised or self.told(error)
                raise

        return watched

    def told(self, error: BaseException) -> str:
        """What was raised, and in which line of the student's."""
        frames = traceback.extract_tb(error.__traceback__)
        mine = [f for f in frames if Path(f.filename).is_relative_to(self.folder.resolve())]
        at = f"{place(mine[-1].filename, mine[-1].lineno or 0)}: " if mine else ""
        return f"{at}{type(error).__name__}: {error}".rstrip(": ")


def watch_all(saga: Saga, watch: Watch) -> None:
    """Put a watch over every function that a student may have written."""
    for business in saga.participants.values():
        business.RULES.update({kind: watch.over(rule) for kind, rule in business.RULES.items()})
        for name in ("load", "save"):
            setattr(business, name, watch.over(getattr(business, name)))
    for own in saga.supplies:
        for name in (*INBOX, *OUTBOX):
            if hasattr(own, name):
                setattr(own, name, watch.over(getattr(own, name)))


def outbox_alone(own: OwnOutbox) -> str:
    """What is wrong with an outbox that is tried by itself, two events at a time; "" = nothing. Runs hardly ever have two at once."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.executescript(own.SCHEMA)
        tx = Transaction(connection)
        try:
            for name in ("first", "second"):
                own.put(tx, f"message-{name}", f"the {name}")
            both = own.waiting(tx)
            own.published(tx, "message-first")
            left = own.waiting(tx)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    if both != ["the first", "the second"]:
        return f"put 'the first' and 'the second': waiting gives {both}"
    if left != ["the second"]:
        return (
            f"put 'the first' and 'the second', then the first is published: waiting gives {left}"
        )
    return ""
