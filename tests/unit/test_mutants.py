"""Operators make the mutants that they say; what cannot be loaded is invalid, what never ends is killed, what is undone is gone."""

import ast
import json
from contextlib import ExitStack
from unittest.mock import patch

import pytest

from kernel.environment import Environment
from kernel.errors import UsageError
from kernel.inbox import Inbox
from kernel.loading import load_saga
from orchestration.saga_definition import saga_definition
from report.campaign_sections import mutants as mutants_section
from report.found import Found
from report.mutant_tables import survivors
from scenarios.campaigns.mutants import campaign, functions, hunt
from scenarios.campaigns.mutants.equivalent import equivalents_of
from scenarios.campaigns.mutants.hunt import INVALID, KILLED, NEVER_ENDS, SURVIVED, hunt_one
from scenarios.campaigns.mutants.index import OPERATORS, chosen, mutants_of, sampled
from scenarios.campaigns.mutants.mutant import Mutant
from scenarios.styles.index import STYLES
from testbed.commands.mutants import exit_code

SAGAS = ("order", "trip")
RULE = """
def reserve(stock, command):
    quantity = command.order.quantity
    if stock.tombstoned or stock.free < quantity:
        why = "released before" if stock.tombstoned else "out of stock"
        return stock, Decision(answer=StockRefused, effect=Effect.REFUSED, reason=why)
    held = replace(stock, free=stock.free - quantity)
    return held, Decision(answer=StockReserved, effect=Effect.DONE, delta=-quantity)
"""
SAVE = """
def save(tx, record, command) -> None:
    tx.run("UPDATE stock SET free = ? WHERE item = ?", record.free, record.item)
    tx.run("INSERT INTO ledger VALUES (?, ?)", command.order_id, record.free)
"""
READ = """
def load(tx, command):
    return tx.one("SELECT free FROM stock WHERE item = ?", command.order.item)
"""
REACT = """
async def react(self, delivery) -> None:
    if self.joins:
        self.log = 1
    else:
        self.log = 2
    try:
        await self.call(delivery)
    except Failure:
        await delivery.requeue()
    else:
        await delivery.ack()
"""
REPLY = """
def reply(kind, to) -> Event:
    return kind(order=to.order, caused_by=to.message_id, key=f"{to.order.order_id}:{to.name}")
"""
STATUS = """
def confirm(order):
    return "CONFIRMED" if order.status == "PENDING" else order.status
"""


def _changes(source, operator):
    module = ast.parse(source)
    return [change.text for change in functions.OPERATORS[operator](module.body[0], module)]


@pytest.mark.parametrize(
    ("source", "operator", "change"),
    [
        (RULE, "arithmetic", "stock.free - quantity -> stock.free + quantity"),
        (RULE, "arithmetic", "-quantity -> quantity"),
        (RULE, "comparison", "stock.free < quantity -> stock.free >= quantity"),
        (RULE, "boundary", "stock.free < quantity -> stock.free <= quantity"),
        (RULE, "dropped-guard", "if stock.tombstoned or stock.free < quantity: why = "),
        (RULE, "wrong-condition", "stock.tombstoned or stock.free < quantity -> stock.free < quantity"),
        (RULE, "stale-state", "replace(stock, free=stock.free - quantity) -> replace(stock)"),
        (RULE, "stale-state", "delta=-quantity)) -> return (stock, "),
        (RULE, "wrong-answer", "StockReserved -> StockRefused"),
        (RULE, "wrong-effect", "Effect.DONE -> Effect.REFUSED"),
        (SAVE, "dropped-row", "tx.run('INSERT INTO ledger VALUES (?, ?)', command.order_id, record.free) -> nothing"),
        (SAVE, "repeated-row", "tx.run('INSERT INTO ledger VALUES (?, ?)', command.order_id, record.free) -> twice"),
        (SAVE, "early-return", "before: tx.run('UPDATE stock SET free = ? WHERE item = ?', record.free, record.item) -> return"),
        (SAVE, "write-order", "-> the second one first"),
        (SAVE, "wrong-row", "WHERE item = ?' -> 'UPDATE stock SET free = ? WHERE item <> ?'"),
        (SAVE, "wrong-row", "WHERE item = ?' -> 'UPDATE stock SET free = ? WHERE (item = ? OR 1)'"),
        (SAVE, "wrong-row", "-> tx.run('UPDATE stock SET free = ? WHERE item = ?', record.item, record.free)"),
        (SAVE, "wrong-key", "command.order_id -> command.message_id"),
        (READ, "stale-state", "-> stale_read(tx.one, 'SELECT free FROM stock WHERE item = ?', command.order.item)"),
        (REACT, "swapped-branches", "if self.joins: A else: B -> B else A"),
        (REACT, "swallowed-exception", "except Failure: await delivery.requeue() -> pass"),
        (REACT, "dropped-call", "await delivery.ack() -> nothing"),
        (REACT, "swallowed-exception", "await self.call(delivery) -> try: await self.call(delivery) except Exception: pass"),
        (REACT, "moved-call", "await delivery.ack() -> first of all"),
        (REPLY, "wrong-cause", "caused_by=''"),
        (REPLY, "wrong-key", "to.message_id -> to.caused_by"),
        (REPLY, "key-collision", "-> f':{to.name}'"),
        (REPLY, "truncated-id", "to.message_id -> to.message_id[:-1]"),
        (STATUS, "wrong-status", "'PENDING' -> 'CONFIRMED'"),
    ],
)  # fmt: skip
def test_an_operator_makes_what_it_says(source, operator, change):
    assert any(change in text for text in _changes(source, operator)), _changes(source, operator)


def test_what_only_a_tracer_hears_and_what_runs_without_a_safeguard_is_left_alone():
    source = """
async def run(self, command) -> None:
    self._tracer.tag(answer=command.name)
    if not self._guards.outbox:
        await self.publish(command)
    if self._guards.inbox:
        return
    await self.again(command)
"""
    module = ast.parse(source)
    assert [
        change.text
        for name, operator in functions.OPERATORS.items()
        for change in operator(module.body[0], module)
        if name != "early-return"
    ] == []


@pytest.mark.parametrize(
    ("name", "least"), [("order", 600), pytest.param("trip", 400, marks=pytest.mark.slow)]
)
def test_there_are_enough_of_them_and_all_can_be_planted_and_undone(name, least):
    mutants = mutants_of(name)
    assert len(mutants) >= least
    assert all(any(m.operator == o for m in mutants.values()) for o in OPERATORS if o != "asl-branches" and o != "reaction-not-joined")  # fmt: skip
    before = Inbox.recall.__code__
    for mutant in mutants.values():
        with ExitStack() as stack:
            mutant.plant(stack)
            if mutant.place == "Inbox.recall":
                assert Inbox.recall.__code__ is not before
        assert Inbox.recall.__code__ is before


@pytest.mark.parametrize("name", SAGAS)
def test_every_field_of_every_state_is_changed(name):
    saga = load_saga(name)
    machine = saga_definition(Environment(saga=saga, variant=saga.variant))
    changed = {m.change.partition(":")[0] for m in mutants_of(name).values()}
    words = {"Comment", "Cause"}
    for place, state in machine["States"].items():
        for field in state.keys() - words - ({"Type"} if "Next" in state or "Choices" in state or state["Type"] == "Fail" else set()):  # fmt: skip
            assert any(text.startswith(f"{place} {field}") for text in changed), (place, field)


@pytest.mark.parametrize("name", SAGAS)
def test_every_reaction_is_dropped_redirected_and_doubled(name):
    saga = load_saga(name)
    changes = [m.change for m in mutants_of(name).values() if m.room == "reactions"]
    for reaction in saga.reacting(saga.variant):
        for kind in reaction.hears():
            line = f"{kind.__name__}: {reaction.service} does {reaction.command.__name__} -> "
            ends = [change.removeprefix(line) for change in changes if change.startswith(line)]
            assert "nothing" in ends, line
            assert any(" as well" in end for end in ends), line
            assert len(ends) >= 4, line


def test_a_sample_is_the_same_each_time_and_names_choose_among_the_mutants():
    every = list(mutants_of("order").values())
    assert sampled(every, 20, seed=3) == sampled(every, 20, seed=3) != sampled(every, 20, seed=4)
    some = chosen(every, operators=["dropped-row"], modules=["inbox"])
    assert {(m.operator, m.room) for m in some} == {("dropped-row", "inbox")}
    with pytest.raises(UsageError, match=r"did you mean 'dropped-row'.*arithmetic"):
        campaign.check_names(load_saga("order"), ["droped-row"], [])
    with pytest.raises(UsageError, match=r"unknown module 'inbx'.*kernel.inbox"):
        campaign.check_names(load_saga("order"), [], ["inbx"])


def _hunt(plant, **changes):
    mutant = Mutant(
        room="inbox", module="m", place="p", operator="o", number=1, change="a -> b", styles=tuple(STYLES), plant=plant
    )  # fmt: skip
    with patch.object(hunt, "mutants_of", lambda address: {mutant.address: mutant}):
        return hunt_one("order", mutant.address, next(iter(STYLES)), changes.get("runs", 2), 1)


def test_a_mutant_that_cannot_be_loaded_is_invalid_and_not_killed():
    def plant(stack):
        raise SyntaxError("no such code")

    found = _hunt(plant)
    assert (found.outcome, found.schedules, found.rules) == (INVALID, 0, ())
    assert "no such code" in found.why


def test_a_machine_that_the_engine_refuses_is_invalid_and_not_killed():
    """The last Choice of a machine without a way to its end: the engine does not take it."""
    ends = [m for m in mutants_of("order").values() if m.operator == "asl-end"]
    outcomes = {m: hunt_one("order", m.address, m.styles[0], 1, 1) for m in ends[-2:]}
    assert all(found.outcome == INVALID for found in outcomes.values())
    assert all("could be opened" in found.why for found in outcomes.values())


def test_a_mutant_that_changes_nothing_survives():
    found = _hunt(lambda stack: None)
    assert (found.outcome, found.schedules, found.faults) == (SURVIVED, 2, None)


def test_a_mutant_that_never_comes_back_is_killed(monkeypatch):
    def recall(self, tx, command):
        while True:
            pass

    monkeypatch.setattr(hunt, "CPU_S", 0.5)
    found = _hunt(lambda stack: stack.enter_context(patch.object(Inbox, "recall", recall)))
    assert (found.outcome, found.rules, found.schedules) == (KILLED, (NEVER_ENDS,), 1)


def test_a_kill_names_rules_schedules_and_faults():
    found = _hunt(lambda stack: stack.enter_context(patch.object(Inbox, "recall", lambda *_: None)), runs=200)  # fmt: skip
    assert found.outcome == KILLED
    assert "every effect is applied once" in found.rules
    assert found.faults <= 3
    assert 1 <= found.schedules <= 200


@pytest.mark.parametrize("name", SAGAS)
def test_what_is_listed_as_equivalent_is_still_what_it_was(name):
    saga, mutants = load_saga(name), mutants_of(name)
    listed = equivalents_of(saga, mutants)
    assert all(e.reason and set(e.styles) <= set(STYLES) for es in listed.values() for e in es)


def test_a_stale_address_among_the_equivalent_ones_is_an_error(tmp_path, monkeypatch):
    address, mutant = next(iter(mutants_of("order").items()))
    file = tmp_path / "equivalent_mutants.json"
    monkeypatch.setattr("scenarios.campaigns.mutants.equivalent.resources.files", lambda _: tmp_path)  # fmt: skip
    for listed, told in (({address: "another change"}, "is now"), ({"gone:x:y:1": "a"}, "is not there")):  # fmt: skip
        file.write_text(json.dumps({"equivalent": [{"reason": "so", "mutants": listed}]}))
        with pytest.raises(UsageError, match=told):
            equivalents_of(load_saga("order"), mutants_of("order"))
    file.write_text(json.dumps({"equivalent": [{"reason": "so", "mutants": {address: mutant.change}}]}))  # fmt: skip
    assert set(equivalents_of(load_saga("order"), mutants_of("order"))) == {address}


def _row(outcome, **changes):
    about = {
        "mutant": "m:p:comparison:1", "room": "inbox", "operator": "comparison", "change": "a -> b", "style": next(iter(STYLES)),
        "outcome": outcome, "schedules": 3, "rules": (), "faults": None, "crashed": False, "reached": True, "why": "",
    }  # fmt: skip
    return campaign.Row(**about | changes)


def test_the_report_has_a_section_of_operator_and_style(tmp_path):
    found = Found(folder=tmp_path, rows=[], left_out=[])
    assert mutants_section(found) is None
    found.mutants = [
        _row(KILLED, rules=("every effect is applied once",), faults=1),
        _row(SURVIVED, style=list(STYLES)[1], reached=False),
        _row(INVALID, operator="asl-next"),
        _row(campaign.EQUIVALENT, why="nobody reads it"),
    ]
    section = mutants_section(found)
    _, lines = section.table
    assert [str(cell) for cell in lines[0]] == [
        "comparison",
        "1",
        "0",
        "1",
        "0",
        "0",
        "1",
        "0",
        "0",
    ]
    assert [str(cell) for cell in lines[-1]] == ["all", "1", "0", "1", "1", "0", "1", "0", "0"]
    assert "1 of 2" in section.answer
    assert survivors(found.mutants)[1][0][-1].startswith("the workload")


def test_the_table_is_right_if_enough_are_killed_and_none_that_is_said_to_be_equivalent():
    many = [_row(KILLED)] * 97
    assert exit_code([*many, *[_row(SURVIVED)] * 3, _row(INVALID), _row(campaign.EQUIVALENT)]) == 0
    assert exit_code([*many, *[_row(SURVIVED)] * 4]) == 1
    assert exit_code([*many, _row(KILLED, contradicted=True)]) == 1
