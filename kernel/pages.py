"""The files of a saga's folder as places: in which line a state, a reaction, a row or a rule stands."""

import ast
import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from kernel.errors import UsageError
from kernel.saga import Saga


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file; 0 = the whole file."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        """As compilers print it."""
        return f"{self.file}:{self.line}" if self.line else self.file


def place(path: Path | str, line: int = 0) -> Place:
    """A place with its path as short as it can be: from here on, if it lies below."""
    here, there = Path.cwd(), Path(path)
    return Place(str(there.relative_to(here) if there.is_relative_to(here) else there), line)


def tasks_of(machine: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and state of every task of a state machine, those in branches included."""
    for name, state in machine["States"].items():
        if state["Type"] == "Task":
            yield name, state
        for branch in state.get("Branches", ()):
            yield from tasks_of(branch)


def in_state_machine(saga: Saga, variant: str, state: str) -> Place:
    """The line in which a state begins."""
    return _line_with(saga.state_machines[variant], f'"{state}": {{')


def in_rows_of(path: Path, command: str) -> Place:
    """The line of a saga's rows that names a command."""
    return _line_with(path, f"command={command},")


def of_rule(rule: Callable[..., Any]) -> Place:
    """The line in which a participant's rule begins."""
    return place(inspect.getsourcefile(rule) or "", rule.__code__.co_firstlineno)


def in_reactions(saga: Saga, package: str, variant: str, message: str) -> Place:
    """The line of a variant's page that names a message, or the page's first line if none does."""
    for name, module in list(sys.modules.items()):
        if name.startswith(f"{package}.") and name != f"{package}.saga":
            page = _name_of(saga.reactions[variant], module)
            if page:
                lines = _lines_of(str(module.__file__))
                line = lines.get((page, message)) or lines.get((page, ""), 0)
                return place(str(module.__file__), line)
    return Place("reactions")


def check_pages(saga: Saga, package: str) -> None:
    """Raise UsageError with the file and the line if a page names what the saga does not have, or is not there."""
    known, served = saga.codec.kinds, saga.served_by
    for variant in saga.variants:
        for what, pages in (("reactions", saga.reactions), ("state machine", saga.state_machines)):
            if variant not in pages:
                raise UsageError(f"saga {saga.name}: variant {variant} has no {what}")
        for reaction in saga.reacting(variant):
            names = sorted(kind.__name__ for kind in reaction.hears())
            at = in_reactions(saga, package, variant, names[0])
            if strangers := [name for name in names if name not in known]:
                raise UsageError(f"{at}: {strangers[0]} is no message of the rows")
            operation = reaction.command.__name__
            if served.get(operation) != reaction.service:
                raise UsageError(f"{at}: {reaction.service} does not serve {operation}")
        for name in read_machine(saga, variant):
            if name not in served:
                at = in_state_machine(saga, variant, name)
                raise UsageError(f"{at}: the task {name} is no operation of the rows")


def read_machine(saga: Saga, variant: str) -> dict[str, dict[str, Any]]:
    """The tasks of a variant's state machine. Raise UsageError with the file and the line if it cannot be read."""
    path = saga.state_machines[variant]
    try:
        return dict(tasks_of(json.loads(path.read_text(encoding="utf-8"))))
    except OSError as error:
        raise UsageError(f"{place(path)}: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise UsageError(f"{place(path, error.lineno)}: not JSON: {error.msg}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{place(path)}: no state machine: {error!r}") from error


def _line_with(path: Path, text: str) -> Place:
    lines = path.read_text(encoding="utf-8").splitlines()
    return place(path, next((n for n, line in enumerate(lines, 1) if text in line), 0))


def _name_of(page: object, module: ModuleType) -> str:
    return next((name for name, value in vars(module).items() if value is page), "")


@cache
def _lines_of(file: str) -> dict[tuple[str, str], int]:
    """(page, message) -> line, (page, "") -> the page's first line."""
    found: dict[tuple[str, str], int] = {}
    for node in ast.parse(Path(file).read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if not isinstance(target, ast.Name):
            continue
        found[target.id, ""] = node.lineno
        for page in (n for n in ast.walk(node) if isinstance(n, ast.Dict)):
            for key in filter(None, page.keys):
                for name in (n for n in ast.walk(key) if isinstance(n, ast.Name)):
                    found[target.id, name.id] = name.lineno
    return found
