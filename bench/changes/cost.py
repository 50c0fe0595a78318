"""What a change touches in each style, computed from the folders before and after: files, lines, services, order of deployment."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from kernel.loading import load_saga
from kernel.reactions import reactions_of
from kernel.saga import Saga
from scenarios.styles.index import STYLES

CONDUCTOR = "conductor"
_TESTING = ("laws.py", "words.py", "workload.py")
"""What the testbed alone needs: no service runs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """What a change touches in one style. `redeploy`: who is deployed again, in this order. `lines`: (added, removed).

    `pause`: why old and new cannot be at work at the same time, "" = they can, in this order.
    """

    style: str
    services: tuple[str, ...]
    files: tuple[str, ...]
    lines: tuple[int, int]
    redeploy: tuple[str, ...]
    pause: str


def touched(before: Path, after: Path) -> list[Touched]:
    """What the step from one saga folder to another touches, for each style. Raise UsageError if one of them is no saga."""
    old, new = load_saga(str(before)), load_saga(str(after))
    changed = _changed_files(before, after)
    return [
        _conducted(old, new, changed, name)
        if style.conducted
        else _reacting(old, new, changed, name)
        for name, style in STYLES.items()
    ]


def _changed_files(before: Path, after: Path) -> dict[str, tuple[int, int]]:
    """File -> lines added and removed, of those that differ."""
    names = {p.name for folder in (before, after) for p in folder.iterdir() if p.is_file()}
    found = {}
    for name in sorted(names - {"README.md"}):
        was, now = (_read(folder / name) for folder in (before, after))
        diff = [line[:1] for line in difflib.ndiff(was, now)]
        if "+" in diff or "-" in diff:
            found[name] = diff.count("+"), diff.count("-")
    return found


def _read(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _modules(saga: Saga, changed: Mapping[str, tuple[int, int]]) -> list[str]:
    return [service for service in saga.services if f"{service}.py" in changed]


def _lines(changed: Mapping[str, tuple[int, int]], files: Sequence[str]) -> tuple[int, int]:
    return sum(changed[f][0] for f in files), sum(changed[f][1] for f in files)


def _conducted(old: Saga, new: Saga, changed: Mapping[str, tuple[int, int]], style: str) -> Touched:  # fmt: skip
    page = Path(str(new.state_machines[new.variant])).name
    pause = _other_payload(old, new)
    services = list(new.services) if pause else _modules(new, changed)
    files = [f for f in changed if f not in (*_TESTING, "reactions.py")]
    redeploy = [*services, *([CONDUCTOR] if page in changed else [])]
    return Touched(
        style=style,
        services=tuple(services),
        files=tuple(files),
        lines=_lines(changed, files),
        redeploy=tuple(redeploy),
        pause=pause,
    )


def _reacting(old: Saga, new: Saga, changed: Mapping[str, tuple[int, int]], style: str) -> Touched:  # fmt: skip
    before, after = _reactions(old), _reactions(new)
    pause = _other_payload(old, new)
    services = [
        s
        for s in new.services
        if pause or s in _modules(new, changed) or _of(s, before) != _of(s, after)
    ]
    page = Path(str(new.state_machines[new.variant])).name
    files = [f for f in changed if f not in (*_TESTING, page)]
    return Touched(
        style=style,
        services=tuple(services),
        files=tuple(files),
        lines=_lines(changed, files),
        redeploy=_hearers_first(services, new, before, after),
        pause=pause or _moved(before, after),
    )


def _moved(before: Mapping[str, tuple[str, str]], after: Mapping[str, tuple[str, str]]) -> str:
    """Events that another service reacts to afterwards, "" = none."""
    moved = [event for event in after if event in before and before[event][0] != after[event][0]]
    if not moved:
        return ""
    first = f"{moved[0]} moves from {before[moved[0]][0]} to {after[moved[0]][0]}"
    more = f", and {len(moved) - 1} more events" if moved[1:] else ""
    return f"{first}{more}: between the two deployments both act on it, or nobody"


def _other_payload(old: Saga, new: Saga) -> str:
    names = [{f.name for f in fields(saga.order)} for saga in (old, new)]
    differ = sorted(names[0] ^ names[1])
    return f"a message with {', '.join(differ)} cannot be read by the other version" if differ else ""  # fmt: skip


def _reactions(saga: Saga) -> dict[str, tuple[str, str]]:
    """Event -> (service, command)."""
    return {
        event.__name__: (reaction.service, reaction.command.__name__)
        for reaction in reactions_of(saga.reactions[saga.variant])
        for event in reaction.hears()
    }


def _of(service: str, reactions: Mapping[str, tuple[str, str]]) -> set[tuple[str, str]]:
    return {(event, command) for event, (own, command) in reactions.items() if own == service}


def _hearers_first(
    services: Sequence[str],
    saga: Saga,
    before: Mapping[str, tuple[str, str]],
    after: Mapping[str, tuple[str, str]],
) -> tuple[str, ...]:
    """Who newly hears an event is deployed before who announces it; in the order of the rows where nothing or a circle decides."""
    announced_by = {a.__name__: s.service for s in saga.steps for a in s.answers()}
    first: dict[str, set[str]] = {service: set() for service in services}
    for event, (hearer, _) in after.items():
        announcer = announced_by.get(event, "")
        if event not in before and hearer in first and announcer in first and hearer != announcer:
            first[announcer].add(hearer)
    try:
        return tuple(TopologicalSorter(first).static_order())
    except CycleError:
        return tuple(services)
