"""Who must be redeployed for a change, and in which order: whoever must understand a message comes before whoever sends it first."""

from collections.abc import Iterator
from dataclasses import fields
from graphlib import CycleError, TopologicalSorter

from bench.changes.folders import Change
from bench.changes.lines import files_touched, services_touched
from kernel.errors import UsageError
from kernel.saga import Saga
from scenarios.runs.rollout import CONDUCTOR

CLIENT = "client"
"""Whoever places orders."""


def deployment(change: Change, *, conducted: bool) -> tuple[str, ...]:
    """The parts in the order in which they are replaced; parts that do not depend on each other in the order of the rows.

    Raise UsageError if parts wait for each other.
    """
    old, new = change.old.saga, change.new.saga
    parts = services_touched(change, conducted=conducted)
    if payload_differs(change):
        # A message carries the whole order: whoever reads any message reads the field.
        parts |= {*new.services, CLIENT}
    pages = [path.name for path in new.state_machines.values()]
    if conducted and set(pages) & set(files_touched(change, conducted=True)):
        parts.add(CONDUCTOR)
    edges = _when_conducted(old, new) if conducted else _when_reacting(old, new)
    waiting: dict[str, set[str]] = {part: set() for part in parts}
    for first, then in (*edges, *((part, CLIENT) for part in parts - {CLIENT})):
        if first in parts and then in parts and first != then:
            waiting[then].add(first)
    return tuple(_sorted(change, waiting))


def payload_differs(change: Change) -> bool:
    """Whether an order of one version lacks a field of the other, or has one more."""
    old, new = (_payload(version.saga) for version in (change.old, change.new))
    return old != new


def _payload(saga: Saga) -> list[tuple[str, object]]:
    return [(field.name, field.type) for field in fields(saga.order)]


def _when_reacting(old: Saga, new: Saga) -> Iterator[tuple[str, str]]:
    """(who hears a new event, who announces it)."""
    senders = {answer: new.served_by[op] for op, answers in new.answers.items() for answer in answers}  # fmt: skip
    for service in new.services:
        for name in new.heard_by(service, new.variant):
            if name not in old.codec.kinds and name in senders:
                yield service, senders[name]


def _when_conducted(old: Saga, new: Saga) -> Iterator[tuple[str, str]]:
    """(who serves a new command, the conductor), and (the conductor, who gives an old command a new answer)."""
    for operation, service in new.served_by.items():
        if operation not in old.served_by:
            yield service, CONDUCTOR
        elif set(new.answers[operation]) - set(old.answers[operation]):
            yield CONDUCTOR, service


def _sorted(change: Change, waiting: dict[str, set[str]]) -> Iterator[str]:
    places = {name: n for n, name in enumerate((*change.new.saga.services, CONDUCTOR, CLIENT))}
    sorter = TopologicalSorter(waiting)
    try:
        sorter.prepare()
    except CycleError as error:
        raise UsageError(
            f"{change.name}: these wait for each other: {', '.join(error.args[1])}"
        ) from error
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=places.__getitem__)
        yield from ready
        sorter.done(*ready)
