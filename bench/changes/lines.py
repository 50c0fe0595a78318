"""Which files and lines a change touches in a style, and whose they are: read from the folders, line by line."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from bench.changes.folders import Change, Version
from kernel.saga import Saga
from scenarios.runs.rollout import CONDUCTOR

PAGE, CONTRACT = "reactions.py", "messages.py"
SHARED = "shared messages"
"""Whose the messages are: everybody's who sends or reads them."""
_PARTICIPANTS = "participants/"


@dataclass(slots=True, kw_only=True)
class Touched:
    """What one owner has to change."""

    files: int = 0
    added: int = 0
    removed: int = 0


def touched(change: Change, *, conducted: bool) -> dict[str, Touched]:
    """Owner -> what it has to change: services, CONDUCTOR, SHARED, or PAGE for the lines of the page that are nobody's own.

    `conducted`: whether the state machine is deployed, or the reactions. What only the testbed reads is not counted: see described.
    """
    found: dict[str, Touched] = {}
    for path in _deployed(change, conducted=conducted):
        own = dict[str, Touched]()
        for owner, sign in _owners(change, path):
            one = own.setdefault(owner, Touched(files=1))
            one.added += sign > 0
            one.removed += sign < 0
        for owner, one in own.items():
            whole = found.setdefault(owner, Touched())
            whole.files += one.files
            whole.added += one.added
            whole.removed += one.removed
    return found


def files_touched(change: Change, *, conducted: bool) -> list[str]:
    """The deployed files of which any line differs."""
    return [p for p in _deployed(change, conducted=conducted) if list(_signs(change, p))]


def described(change: Change) -> Touched:
    """What differs in the files that tell the testbed what must be true, and that no service is made of."""
    deployed = {*_deployed(change, conducted=True), *_deployed(change, conducted=False)}
    found = Touched()
    for path in sorted({*change.old.files, *change.new.files} - deployed):
        signs = [sign for _, _, sign in _signs(change, path)]
        found.files += bool(signs)
        found.added += signs.count(1)
        found.removed += signs.count(-1)
    return found


def services_touched(change: Change, *, conducted: bool) -> set[str]:
    """The services of which a rule or, where they react, a reaction differs."""
    owners = touched(change, conducted=conducted).keys()
    found = {owner for owner in owners if owner in change.new.saga.services}
    return found if conducted else found | reacting_otherwise(change)


def reacting_otherwise(change: Change) -> set[str]:
    """The services whose part of the page is another one."""
    old, new = _reactions(change.old.saga), _reactions(change.new.saga)
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def _reactions(saga: Saga) -> dict[str, set[tuple[frozenset[str], str]]]:
    found: dict[str, set[tuple[frozenset[str], str]]] = {}
    for reaction in saga.reacting(saga.variant):
        heard = frozenset(kind.__name__ for kind in reaction.hears())
        found.setdefault(reaction.service, set()).add((heard, reaction.command.__name__))
    return found


def _deployed(change: Change, *, conducted: bool) -> list[str]:
    """The files that something which runs in this style is made of."""
    page = PAGE
    if conducted:
        saga = change.new.saga
        page = saga.state_machines[saga.variant].name
    paths = sorted({*change.old.files, *change.new.files})
    return [p for p in paths if p.startswith(_PARTICIPANTS) or p in (CONTRACT, page)]


def _owners(change: Change, path: str) -> Iterator[tuple[str, int]]:
    """Whose each differing line is, and +1 if it is new, -1 if it is gone."""
    otherwise = reacting_otherwise(change)
    for version, line, sign in _signs(change, path):
        if path.startswith(_PARTICIPANTS):
            yield path.removeprefix(_PARTICIPANTS).removesuffix(".py"), sign
        elif path == CONTRACT:
            yield SHARED, sign
        elif path == PAGE:
            named = _services_by_line(version).get(line, [])
            yield next((s for s in named if s in otherwise), PAGE), sign
        else:
            yield CONDUCTOR, sign


def _signs(change: Change, path: str) -> Iterator[tuple[Version, int, int]]:
    """(version, line from 1, +1 or -1) of every line that only one version has."""
    old, new = change.old.files.get(path, []), change.new.files.get(path, [])
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            yield from ((change.old, n, -1) for n in range(a + 1, b + 1))
            yield from ((change.new, n, 1) for n in range(c + 1, d + 1))


def _services_by_line(version: Version) -> dict[int, list[str]]:
    """Line of the page -> the services that the reaction in it names."""
    tree = ast.parse("\n".join(version.files[PAGE]))
    services = version.saga.services
    found: dict[int, list[str]] = {}
    for page in (node for node in ast.walk(tree) if isinstance(node, ast.Dict)):
        for key, value in zip(page.keys, page.values, strict=True):
            texts = [n.value for n in ast.walk(value) if isinstance(n, ast.Constant)]
            named = [str(text) for text in texts if text in services]
            first = value.lineno if key is None else key.lineno
            for line in range(first, (value.end_lineno or first) + 1):
                found[line] = named
    return found
