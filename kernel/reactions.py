"""The page of a choreography as a value: who does what when which message is heard.

A page is a dict, written to be read: `heard: (service, command)`. A message that several services react to has a list of them.
A tuple of messages is a join: the service waits for all of them, and `A | B` in it means that either will do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Any

from kernel.messages import Command, Message

Doing = tuple[str, type[Command]]
"""The service, and the command that it carries out."""
Heard = type[Message] | UnionType
Reactions = dict[Heard | tuple[Heard, ...], Doing | list[Doing]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """One line of the page. `needs`: one of each set must have been heard; more than one set is a join."""

    service: str
    command: type[Command]
    needs: tuple[frozenset[type[Message]], ...]

    @property
    def joins(self) -> bool:
        """Whether it waits for more than one message."""
        return len(self.needs) > 1

    def hears(self) -> frozenset[type[Message]]:
        """Every message that it takes notice of."""
        return frozenset().union(*self.needs)

    def complete(self, heard: set[str]) -> bool:
        """Whether messages of these names are all that it waits for."""
        return all(any(kind.__name__ in heard for kind in need) for need in self.needs)


def reactions_of(page: Reactions) -> Iterator[Reaction]:
    """Every reaction of a page."""
    for heard, doing in page.items():
        needs = tuple(map(_either, heard if isinstance(heard, tuple) else (heard,)))
        for service, command in doing if isinstance(doing, list) else [doing]:
            yield Reaction(service=service, command=command, needs=needs)


def _either(heard: Heard) -> frozenset[type[Any]]:
    return frozenset(heard.__args__ if isinstance(heard, UnionType) else (heard,))
