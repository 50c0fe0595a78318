"""What a planted bug is: a patch over the code, and where it must be found."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from scenarios.faults.plan import Fault, FaultPlan, Moment
from scenarios.judge.rules import Rule
from scenarios.styles import choreography, orchestration

Plant = Callable[[ExitStack], None]
"""Enters patches into a stack; they are undone when it is closed."""
CHOREOGRAPHY, ORCHESTRATION = choreography.STYLE.name, orchestration.STYLE.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One bug. `found_by`: style -> a rule that must be among those that break. A style that is not there cannot have the bug.

    `scenario`: the scenario that shows it, with `faults` beside its own.
    """

    name: str
    words: str
    plant: Plant
    scenario: str
    found_by: Mapping[str, Rule]
    faults: tuple[Fault, ...] = ()

    @property
    def plan(self) -> FaultPlan:
        """The faults that the scenario does not have itself."""
        return FaultPlan(faults=self.faults)


def both(rule: Rule) -> dict[str, Rule]:
    """Found by the same rule in both styles."""
    return {CHOREOGRAPHY: rule, ORCHESTRATION: rule}


def choreographed(rule: Rule) -> dict[str, Rule]:
    """A bug of the choreography only."""
    return {CHOREOGRAPHY: rule}


def orchestrated(rule: Rule) -> dict[str, Rule]:
    """A bug of the orchestration only."""
    return {ORCHESTRATION: rule}


def replaced(target: object, name: str, by: object) -> Plant:
    """An attribute with another value."""

    def plant(stack: ExitStack) -> None:
        stack.enter_context(patch.object(target, name, by))

    return plant


def entry(table: dict[Any, Any], key: Any, value: Any) -> Plant:
    """An entry of a table with another value."""

    def plant(stack: ExitStack) -> None:
        stack.enter_context(patch.dict(table, {key: value}))

    return plant


def every(step: int, operation: str, moment: Moment, *, always: bool = False) -> Fault:
    """A fault at every step-th order."""
    attempts = "all" if always else (1,)
    return Fault(orders={"every": step}, operation=operation, moment=moment, attempts=attempts)
