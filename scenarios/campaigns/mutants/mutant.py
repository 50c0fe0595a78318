"""What a mutant is: one small change of the code or of a page of a saga, named by its address."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

Plant = Callable[[ExitStack], None]
"""Enters patches into a stack; they are undone when it is closed. Raise Exception if the change cannot be loaded: the mutant is invalid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change.

    `place`: module and function, or page and entry. `number`: which one of its operator there, from 1. `styles`: those that it can
    affect. `variants`: those of the saga that have it, () = all.
    """

    room: str
    module: str
    place: str
    operator: str
    number: int
    change: str
    styles: tuple[str, ...]
    plant: Plant = field(compare=False, repr=False)
    variants: tuple[str, ...] = ()
    line: tuple[str, int] | None = None
    """File and line of what is changed, where it is code."""

    @property
    def address(self) -> str:
        """Names it within its saga, as long as what is changed stays as it is."""
        return f"{self.module}:{self.place}:{self.operator}:{self.number}"
