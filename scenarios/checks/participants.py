"""A participant's rules tried on rows in memory: what an undo gives back, what comes too late, what is found without an answer."""

import sqlite3
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from random import Random
from typing import Any

from kernel.database import Transaction
from kernel.ledger import Decision, Effect
from kernel.messages import Command
from kernel.pages import of_rule, place
from kernel.resources import Pool
from kernel.saga import Saga
from kernel.steps import Step
from scenarios.checks.finding import Finding
from scenarios.runs.scenario import PLENTY


class _Desk:
    """One participant with rows of its own, and plenty of everything."""

    def __init__(self, saga: Saga, service: str, order: Any) -> None:
        self._business, self._order = saga.participants[service], order
        connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.executescript(self._business.SCHEMA)
        self._connection, self._tx = connection, Transaction(connection)
        if stock_up := saga.workload.stock.get(service):
            stock_up(self._tx, {saga.workload.item: PLENTY})

    def gone(self, pool: Pool) -> int:
        """How many units of a pool are not free."""
        row = self._tx.one(f"SELECT sum(initial) - sum(free) AS gone FROM {pool.table}")
        return int(row["gone"]) if row else 0

    def close(self) -> None:
        """Lose the rows."""
        self._connection.close()

    def does(self, kind: type[Command], *, cause: str, tombstoned: bool = False) -> Decision:
        """What its rule decides, written down."""
        command = kind(order=self._order, caused_by=f"{self._order.order_id}:{cause}")
        record = self._business.load(self._tx, command, tombstoned=tombstoned)
        record, decision = self._business.RULES[kind](record, command)
        self._business.save(self._tx, record, command, wall_s=1.0)
        return decision


def participant_findings(saga: Saga) -> Iterator[Finding]:
    """What the rules do otherwise than the rows and the resources say."""
    order = saga.workload.order(0, n=1, chance=Random(1), item=saga.workload.item)
    with closing(_Fresh(saga, order)) as desks:
        for number, step in enumerate(saga.steps):
            before = [s for s in saga.steps[:number] if s.service == step.service]
            try:
                yield from _forward(saga, desks, step, before)
                if step.undo:
                    yield from _undone(saga, desks, step, before)
            except Exception as error:
                yield _raised(saga, step, error)
                return
        yield from _wholes(saga, desks, order)


def _raised(saga: Saga, step: Step, error: Exception) -> Finding:
    """A rule, or the SQL beside it, that ends in an error."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    says = f"{step.name} or what undoes it raises {type(error).__name__}: {error}"
    return Finding(place(frame.filename, frame.lineno or 0), says, "no order gets beyond it")


class _Fresh:
    """Makes desks at which the steps before have been done."""

    def __init__(self, saga: Saga, order: Any) -> None:
        self._saga, self.order = saga, order
        self._made: list[_Desk] = []

    def close(self) -> None:
        """Close all of them."""
        for desk in self._made:
            desk.close()

    def after(self, service: str, steps: list[Step], order: Any = None) -> _Desk:
        desk = _Desk(self._saga, service, order or self.order)
        self._made.append(desk)
        for step in steps:
            desk.does(step.command, cause=step.name)
        return desk


def _rule(saga: Saga, service: str, kind: type[Command]) -> Callable[..., Any]:
    return saga.participants[service].RULES[kind]


def _forward(saga: Saga, desks: _Fresh, step: Step, before: list[Step]) -> Iterator[Finding]:
    at = of_rule(_rule(saga, step.service, step.command))
    did = desks.after(step.service, before).does(step.command, cause="customer")
    if (did.answer, did.effect) != (step.done, Effect.DONE):
        yield Finding(
            at,
            f"{step.name} of a usual order answers {did.answer.__name__}, {did.effect};"
            f" the rows say {step.done.__name__}, {Effect.DONE}",
            "no order ever ends well",
        )
    if step.refused is None or step is saga.ending:
        return
    refused = saga.workload.refusable(desks.order, step.name)
    if refused == desks.order:
        yield Finding(
            of_rule(saga.workload.refusable),
            f"workload.refusable changes nothing for {step.name}, so no order is ever refused at it",
            "no run can show what a refusal there leads to",
        )
        return
    did = desks.after(step.service, before, refused).does(step.command, cause="customer")
    if did.effect is Effect.DONE:
        yield Finding(
            at,
            f"{step.name} is done though the order was made to be refused at it (workload.refusable)",
            "what cannot be had is sold",
        )
    elif did.answer is not step.refused or did.delta:
        yield Finding(
            at,
            f"{step.name} refuses with {did.answer.__name__} and a change of {did.delta};"
            f" the rows say {step.refused.__name__} and none",
            "what was refused is held all the same",
        )


def _undone(saga: Saga, desks: _Fresh, step: Step, before: list[Step]) -> Iterator[Finding]:
    assert step.undo is not None
    assert step.undone is not None
    at = of_rule(_rule(saga, step.service, step.undo))
    undo, own = step.undo, step.undo.__name__
    pools = [pool for name, pool in saga.pools() if name == step.service]
    causes = [a.__name__ for a in (step.gave_up, saga.expired) if a] + ["nobody"]
    for cause in causes:
        desk = desks.after(step.service, before)
        gone = [desk.gone(pool) for pool in pools]
        done = desk.does(step.command, cause="customer")
        back = desk.does(undo, cause=cause)
        if step.kept:
            if (back.answer, back.delta) != (step.kept, 0):
                yield Finding(
                    at,
                    f"{own} after {step.name} answers {back.answer.__name__} and changes {back.delta};"
                    f" the rows say {step.kept.__name__}: it is past the pivot",
                    "what is final is taken back, or is called undone and is not",
                )
                return
        elif back.delta != -done.delta or back.effect is not Effect.UNDONE:
            found = f", asked for because of {cause}"
            yield Finding(
                at,
                f"{own} changes {back.delta:+d} ({back.effect}) after {step.name} has changed {done.delta:+d}{found}",
                "what was taken is not given back, or is taken once more",
            )
            return
        elif [desk.gone(pool) for pool in pools] != gone:
            yield Finding(
                at,
                f"{own} after {step.name} does not leave as many units free as there were before",
                "what was given back cannot be sold again, or is sold twice",
            )
            return
    desk = desks.after(step.service, before)
    early = desk.does(undo, cause="nobody")
    if early.delta or early.effect is not Effect.TOMBSTONE:
        yield Finding(
            at,
            f"{own} before {step.name} changes {early.delta:+d} ({early.effect}); there is nothing to undo, so it must be a tombstone",
            "something is given back that was never taken, or the step acts when it comes later",
        )
    if early.answer is not step.undone:
        yield Finding(
            at,
            f"{own} before {step.name} answers {early.answer.__name__}; the rows say {step.undone.__name__}",
            "the way back ends there",
        )
    late = desk.does(step.command, cause="customer", tombstoned=True)
    if late.effect is Effect.DONE:
        forward = of_rule(_rule(saga, step.service, step.command))
        yield Finding(
            forward,
            f"{step.name} is done though {own} was there before it (the record is tombstoned)",
            "a customer whose order was cancelled pays, or goods are held for nobody",
        )


def _wholes(saga: Saga, desks: _Fresh, order: Any) -> Iterator[Finding]:
    """A whole saga leaves what the resources say is due, and nothing that no resource knows."""
    for step in saga.steps:
        if step.service not in {resource.participant for resource in saga.resources}:
            did = desks.after(step.service, []).does(step.command, cause="customer")
            if did.delta:
                yield Finding(
                    of_rule(_rule(saga, step.service, step.command)),
                    f"{step.name} changes a balance by {did.delta}, and laws.py has no resource of {step.service}",
                    "the judge cannot see what is taken twice or never given back",
                )
    for resource in saga.resources:
        mine = [step for step in saga.steps if step.service == resource.participant]
        desk = desks.after(resource.participant, [])
        net = sum(desk.does(step.command, cause="customer").delta for step in mine)
        if net != (due := resource.due(order)):
            yield Finding(
                of_rule(resource.due),
                f"a whole saga changes {resource.name} by {net}; laws.py says {due}",
                "either every order is judged half-done, or none that is",
            )
