"""`saga new` and `saga check`: a fresh folder has nothing to mend, and a mistake in one of its files is named with its line."""

import itertools
import json
import re
import shutil
import sys

import pytest

from kernel.errors import UsageError
from kernel.loading import load_saga, read_saga
from scenarios.checks.index import findings_of
from testbed.cli import command
from testbed.commands.new import TEMPLATE

NUMBERS = itertools.count()


@pytest.fixture
def fresh(tmp_path):
    """A folder as `saga new` makes it, of a name that was never imported."""
    folder = tmp_path / f"fresh_{next(NUMBERS)}"
    shutil.copytree(TEMPLATE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    yield folder
    sys.path.remove(str(tmp_path)) if str(tmp_path) in sys.path else None


def edit(folder, file, old, new):
    path = folder / file
    text = path.read_text()
    assert old in text, f"{old!r} is not in {file}"
    path.write_text(text.replace(old, new, 1))


def machine(folder, change):
    path = folder / "saga.asl.json"
    page = json.loads(path.read_text())
    change(page["States"])
    path.write_text(json.dumps(page, indent=1))


def said(folder):
    return [f"{f} | {f.costs}" for f in findings_of(read_saga(str(folder)))]


@pytest.mark.parametrize("saga", ["order", "trip", str(TEMPLATE), "tests/sagas/ticket"])
def test_our_own_sagas_have_nothing_to_mend(saga):
    assert said(saga) == []


REACTIONS = [
    ('    SoldOut: ("desk", CancelOrder),\n', "", "nobody reacts to SoldOut; the rows say that desk does CancelOrder"),
    ('ItemHeld: ("till", TakeMoney)', 'ItemHeld: ("desk", CloseOrder)', "after ItemHeld desk does CloseOrder; the rows say that till does TakeMoney"),
    ('PaymentFailed: ("till", VoidPayment)', 'PaymentFailed: ("store", FreeItem)', "after PaymentFailed store does FreeItem; the rows say that till does VoidPayment"),
    ('    OrderExpired: ("till", VoidPayment),\n', "", "nobody reacts to OrderExpired; the rows say that till does VoidPayment"),
    ('PaymentVoided: ("store", FreeItem)', 'PaymentVoided: ("desk", CancelOrder)', "after PaymentVoided desk does CancelOrder; the rows say that store does FreeItem"),
    ('SoldOut: ("desk", CancelOrder)', 'SoldOut: ("store", FreeItem)', "after SoldOut store does FreeItem; the rows say that desk does CancelOrder"),
    ('MoneyTaken: ("desk", CloseOrder)', 'MoneyTaken: [("desk", CloseOrder), ("store", FreeItem)]', "store does FreeItem after MoneyTaken; the rows know no such reaction"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "sentence"), REACTIONS)
def test_a_mistake_in_the_reactions_is_named_with_its_line(fresh, old, new, sentence):
    edit(fresh, "reactions.py", old, new)
    (found,) = said(fresh)
    assert re.search(r"reactions\.py:\d+: ", found)
    assert sentence in found


def _catch(states, task, to, errors="States.ALL"):
    states[task]["Catch"] = [{"ErrorEquals": [errors], "ResultPath": "$.failure", "Next": to}]


def _never(states):
    states["Forgotten"] = {"Type": "Succeed"}
    rule = dict(states["HoldAnswer"]["Choices"][0], StringEquals="Never", Next="Forgotten")
    states["HoldAnswer"]["Choices"].append(rule)


MACHINES = [
    (lambda s: _catch(s, "HoldItem", "CancelOrder"), "HoldItem that fails leads to CancelOrder; the rows say FreeItem", "HoldItem is never undone"),
    (lambda s: _catch(s, "TakeMoney", "OrderParked"), "TakeMoney that fails leads to the end; the rows say VoidPayment", "an operator has to undo OpenOrder, HoldItem, TakeMoney by hand"),
    (lambda s: s["TakeMoney"].pop("Catch"), "TakeMoney that fails leads to the end; the rows say VoidPayment", "an operator"),
    (lambda s: _catch(s, "TakeMoney", "VoidPayment", errors="CardError"), "TakeMoney that does not answer in time leads to the end; the rows say VoidPayment", "an operator"),
    (lambda s: s["PaymentAnswer"].update(Default="CloseOrder"), "TakeMoney with an answer that nobody expects leads to CloseOrder; the rows say VoidPayment", "said to be done without TakeMoney"),
    (lambda s: s["PaymentAnswer"]["Choices"][0].update(Next="OrderClosed"), "TakeMoney, done, leads to the end; the rows say CloseOrder", "said to be done without CloseOrder"),
    (lambda s: s["FreeItem"].update(Next="OrderCancelled"), "FreeItem, done, leads to the end; the rows say CancelOrder", "OpenOrder is never undone"),
    (lambda s: s.update(OrderCancelled={"Type": "Succeed"}), "CancelOrder, done, ends as CONFIRMED; the rows say CANCELLED", "said to be done without"),
    (lambda s: s["FreeItem"].pop("Retry"), "FreeItem has no Retry", "until an operator comes"),
    (lambda s: s["HoldItem"]["Retry"][-1].update(MaxAttempts=9), "HoldItem is retried with MaxAttempts 9; the policy of both styles says 3", "not the style"),
    (lambda s: s["TakeMoney"].update(TimeoutSeconds=60), "TakeMoney has TimeoutSeconds 60; the policy of both styles says 5", "not the style"),
    (lambda s: s["HoldItem"].pop("ResultPath"), "HoldAnswer cannot work on what it is given: States.Runtime", "an operator has to undo OpenOrder, HoldItem by hand"),
    (lambda s: s["HoldItem"].update(Resource=s["TakeMoney"]["Resource"]), "HoldItem is called at till, which does not serve it", "parked"),
    (lambda s: s["VoidAnswer"]["Choices"][1].update(Next="FreeItem"), "VoidPayment answered AlreadyPaid leads to FreeItem; the rows say CloseOrder", "TakeMoney"),
    (lambda s: s.update(Forgotten={"Type": "Succeed"}), 'State "Forgotten" is not reachable', "no order can be placed"),
    (_never, "no answer ever leads to the state Forgotten", "it can go"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "sentence", "cost"), MACHINES)
def test_a_mistake_in_the_state_machine_is_named_with_its_line(fresh, change, sentence, cost):
    machine(fresh, change)
    found = [text for text in said(fresh) if sentence in text]
    assert found, said(fresh)
    assert re.search(r"saga\.asl\.json:\d+: ", found[0])
    assert cost in found[0]


RULES = [
    ("store.py", "free=shelf.free + shelf.held", "free=shelf.free - shelf.held", ["FreeItem after HoldItem does not leave as many units free as there were before"]),
    ("store.py", "delta=shelf.held)", "delta=-shelf.held)", ["FreeItem changes -1 (undone) after HoldItem has changed -1"]),
    ("store.py", "    if shelf.held == 0:", '    if not command.caused_by.endswith("CardDeclined"):', ["FreeItem changes +0 (tombstone) after HoldItem has changed -1, asked for because of HoldFailed"]),
    ("store.py", "    if shelf.held == 0:\n        return shelf, Decision(answer=ItemFreed, effect=Effect.TOMBSTONE)\n    freed = replace(shelf, free=shelf.free + shelf.held, freed=shelf.freed + shelf.held)\n    return freed, Decision(answer=ItemFreed, effect=Effect.UNDONE, delta=shelf.held)", "    return shelf, Decision(answer=ItemFreed, effect=Effect.UNDONE, delta=1)", ["FreeItem after HoldItem does not leave as many units free as there were before"]),
    ("store.py", "if shelf.tombstoned or shelf.free < 1:", "if shelf.free < 1:", ["HoldItem is done though FreeItem was there before it"]),
    ("store.py", "if shelf.tombstoned or shelf.free < 1:", "if shelf.tombstoned:", ["HoldItem is done though the order was made to be refused at it"]),
    ("till.py", "    if payment.taken_cents:\n        kept", "    if payment.taken_cents < 0:\n        kept", ["VoidPayment after TakeMoney answers PaymentVoided"]),
    ("laws.py", "due=lambda order: -1", "due=lambda order: -2", ["a whole saga changes items held by -1; laws.py says -2"]),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "sentences"), RULES)
def test_a_mistake_in_the_rules_is_named_with_its_line(fresh, file, old, new, sentences):
    edit(fresh, file, old, new)
    found = said(fresh)
    for sentence in sentences:
        assert any(sentence in text for text in found), found
        assert re.search(rf"{file}:\d+: ", "\n".join(found))


def test_a_rule_that_raises_is_named_with_its_line(fresh):
    edit(fresh, "store.py", "    if shelf.held == 0:", "    if shelf.hold == 0:")
    (found,) = [text for text in said(fresh) if "raises" in text]
    assert re.search(r"store\.py:\d+: HoldItem or what undoes it raises AttributeError", found)


def test_a_machine_that_never_ends_is_named(fresh, monkeypatch):
    monkeypatch.setattr("scenarios.checks.played.LONGEST_S", 1.0)
    machine(fresh, lambda s: s["VoidPayment"].update(Next="VoidPayment"))
    machine(fresh, lambda s: s.pop("VoidAnswer"))
    assert any("goes round in circles" in text for text in said(fresh)), said(fresh)


def _no_retry_anywhere(states):
    for state in states.values():
        state.pop("Retry", None)


PUBLISHED = {
    "1 iii: a compensated order finishes as a success": (
        lambda s: s.update(OrderCancelled={"Type": "Succeed"}), "ends as CONFIRMED; the rows say CANCELLED"),
    "1 iv: later states do not see the order": (
        lambda s: s["OpenOrder"].update(ResultPath="$"), "OpeningAnswer cannot work on what it is given: States.Runtime"),
    "4.2: an unknown status counts as success": (
        lambda s: s["PaymentAnswer"].update(Default="CloseOrder"), "leads to CloseOrder; the rows say VoidPayment"),
    "4.3: errors go straight to the end": (
        lambda s: _catch(s, "TakeMoney", "OrderParked"), "TakeMoney that fails leads to the end; the rows say VoidPayment"),
    "4.4: success never confirms": (
        lambda s: s["PaymentAnswer"]["Choices"][0].update(Next="OrderClosed"), "the rows say CloseOrder"),
    "4.5, 1 ii: no retry anywhere": (_no_retry_anywhere, "FreeItem has no Retry"),
}  # fmt: skip


@pytest.mark.parametrize("defect", PUBLISHED)
def test_the_defects_of_the_published_machines_are_named(fresh, defect):
    change, sentence = PUBLISHED[defect]
    machine(fresh, change)
    assert any(sentence in text for text in said(fresh)), said(fresh)


def test_the_compensation_that_subtracts_is_named(fresh):
    """System 4: releasing lowers the stock once more."""
    edit(fresh, "store.py", "free=shelf.free + shelf.held", "free=shelf.free - shelf.held")
    edit(fresh, "store.py", "delta=shelf.held)", "delta=-shelf.held)")
    assert "FreeItem changes -1 (undone) after HoldItem has changed -1" in "".join(said(fresh))


def run(*arguments):
    return command(arguments[0]).main(list(arguments[1:]), standalone_mode=False)


def test_the_command_counts_and_exits(fresh, capsys):
    assert run("check", str(fresh)) == 0
    assert capsys.readouterr().out.strip() == f"{fresh}: nothing to mend"


def test_the_command_names_what_it_finds_and_what_it_costs(fresh, capsys):
    edit(fresh, "reactions.py", '    SoldOut: ("desk", CancelOrder),\n', "")
    assert run("check", str(fresh), "--json") == 1
    document = json.loads(capsys.readouterr().out)
    (found,) = document.pop("findings")
    assert document == {"schema": 1, "ok": False, "exit_code": 1}
    assert found["file"].endswith("reactions.py")
    assert found["line"] > 0
    assert found["says"].startswith("nobody reacts to SoldOut")
    assert "is not undone" in found["costs"]


BROKEN = [
    (lambda f: (f / "reactions.py").unlink(), r"saga\.py:\d+: ModuleNotFoundError: No module named"),
    (lambda f: (f / "saga.asl.json").unlink(), r"saga\.asl\.json: No such file"),
    (lambda f: edit(f, "saga.py", "done=ItemHeld", "done=ItemHeldd"), r"saga\.py:\d+: NameError: name 'ItemHeldd' is not defined"),
    (lambda f: edit(f, "reactions.py", "SoldOut: (", "SoldOutt: ("), r"reactions\.py:\d+: NameError: name 'SoldOutt' is not defined"),
    (lambda f: edit(f, "reactions.py", 'ItemHeld: ("till", TakeMoney)', 'ItemHeld: ("tilt", TakeMoney)'), r"reactions\.py:\d+: tilt does not serve TakeMoney"),
    (lambda f: edit(f, "reactions.py", "    # forward\n", '    CancelOrder: ("store", FreeItem),\n    Surprise: ("store", FreeItem),\n'), r"reactions\.py:\d+: NameError"),
    (lambda f: edit(f, "store.py", "def hold(", "def hold("[:-1]), r"store\.py:\d+: SyntaxError"),
    (lambda f: edit(f, "workload.py", "WORKLOAD = ", "WORKLOAD = 1 / 0 or "), r"workload\.py:\d+: ZeroDivisionError"),
    (lambda f: edit(f, "saga.py", "gave_up=HoldFailed", "gave_up=SoldOut"), r"saga\.py:\d+: .*row HoldItem: SoldOut is the answer of more than one step"),
    (lambda f: edit(f, "saga.asl.json", '"States": {', '"States": {{'), r"saga\.asl\.json:\d+: not JSON"),
    (lambda f: machine(f, lambda s: s.update(Extra=s["CloseOrder"])), r"saga\.asl\.json:\d+: the task Extra is no operation of the rows"),
    (lambda f: edit(f, "saga.py", "SAGA = Saga(", "SAGA = dict("), r"saga\.py: SAGA is no Saga"),
]  # fmt: skip


@pytest.mark.parametrize(("harm", "line"), BROKEN)
def test_a_broken_folder_is_one_line_with_file_and_line_number(fresh, harm, line):
    harm(fresh)
    with pytest.raises(UsageError, match=line) as error:
        load_saga(str(fresh))
    assert "\n" not in str(error.value)


def test_a_message_that_no_row_names_is_refused(fresh):
    edit(
        fresh,
        "messages.py",
        "class OrderCancelled(Event):",
        'class Rumour(Event):\n    """No row names it."""\n\n\nclass OrderCancelled(Event):',
    )
    edit(fresh, "reactions.py", "    AlreadyPaid,\n", "    AlreadyPaid,\n    Rumour,\n")
    edit(fresh, "reactions.py", "    # forward\n", '    Rumour: ("store", FreeItem),\n')
    with pytest.raises(UsageError, match=r"reactions\.py:\d+: Rumour is no message of the rows"):
        load_saga(str(fresh))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("9x", "small letters, digits and _ only"),
        ("report", "the name of a Python package or of a built-in saga"),
        ("trip", "the name of a Python package or of a built-in saga"),
        ("nowhere/shop", "nowhere is no folder"),
    ],
)
def test_a_name_that_cannot_be_a_saga_is_refused(tmp_path, monkeypatch, name, line):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=line):
        run("new", name)
    assert list(tmp_path.iterdir()) == []


def test_a_new_folder_is_never_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("new", "my_shop")
    kept = (tmp_path / "my_shop" / "saga.py").read_text()
    with pytest.raises(UsageError, match="there already"):
        run("new", "my_shop")
    assert (tmp_path / "my_shop" / "saga.py").read_text() == kept
