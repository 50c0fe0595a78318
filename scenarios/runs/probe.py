"""Readers that look at a run while it lasts, and the judgement of what they were shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Readers(Protocol):
    """Somebody who reads until cancelled."""

    visits: list[Any]
    """Dataclasses: what was shown so far."""

    async def run(self) -> None:
        """Read until cancelled."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """`readers(system, participants, customers, guards, seed, clock)`, all by keyword. `anomalies(visits, facts, ledgers)`:
    a dataclass of what was wrong with what was shown.
    """

    readers: Callable[..., Readers]
    anomalies: Callable[[Sequence[Any], Any, Any], Any]
