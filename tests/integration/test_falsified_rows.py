"""Clean runs whose rows are falsified, one value at a time or wholly: the judge notices, and never fails."""

import copy
import random
from collections import Counter
from functools import cache
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from kernel.ledger import Effect
from kernel.loading import load_saga
from scenarios.campaigns.simulation.schedule import Schedule
from scenarios.campaigns.simulation.simulated import play
from scenarios.judge.judgement import judge
from scenarios.judge.verdict import Judgement
from scenarios.runs import driver
from scenarios.runs.variety import kinds_of

STYLES = ("choreography", "orchestration")
ONLY_TIMES = {"mono_s", "wall_s", "placed_wall_s"}
"""A time that is wrong by so little that its neighbours do not contradict it cannot be noticed."""


@cache
def _run(saga, style):
    """What the judge was given of a clean run with a refusal in it."""
    seen = []

    def judging(**given):
        seen.append(given)
        return judge(**given)

    schedule = Schedule(
        style=style,
        saga=saga,
        orders=8,
        seed=3,
        scenario="any_ending",
        variety=kinds_of(load_saga(saga)),
    )
    with patch.object(driver, "judge", judging):
        assert play(schedule).ended.verdict.judgement is Judgement.CONSISTENT
    return seen[0]


def _places(ledgers):
    return [
        (participant, table, number, column)
        for participant, tables in ledgers.items()
        for table, rows in tables.items()
        for number, row in enumerate(rows)
        for column in row
    ]


def _others(value, chance):
    if isinstance(value, str):
        return ["", value + "x", value[:-1], "o'none"]
    return [value + chance.choice((1, 100)), value - 1, 0 if value else 7, -value or 3]


def _judged(given, ledgers):
    return judge(**given | {"ledgers": ledgers})


@pytest.mark.parametrize("saga", ["order", pytest.param("trip", marks=pytest.mark.slow)])
@pytest.mark.parametrize("style", STYLES)
def test_every_falsified_value_is_noticed(saga, style):
    given, chance = _run(saga, style), random.Random(1)
    unnoticed, tried = Counter(), Counter()
    for participant, table, number, column in _places(given["ledgers"]):
        value = given["ledgers"][participant][table][number][column]
        other = chance.choice([o for o in _others(value, chance) if o != value])
        ledgers = copy.deepcopy(given["ledgers"])
        ledgers[participant][table][number][column] = other
        tried[table, column] += 1
        if _judged(given, ledgers).judgement is not Judgement.INCONSISTENT:
            unnoticed[table, column] += 1
    left = {place: n for place, n in unnoticed.items() if place[1] not in ONLY_TIMES}
    assert not left
    assert {column for _, column in tried} >= {"seq", "answer", "caused_by", "message", "free"}
    for place, n in unnoticed.items():  # the first and the last row of a ledger have one neighbour
        assert n <= tried[place] / 2, (place, n, tried[place])


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("kind", ["left out", "twice", "of nobody"])
def test_rows_that_are_missing_or_too_many_are_noticed(style, kind):
    given = _run("order", style)
    for participant, tables in given["ledgers"].items():
        for table, rows in tables.items():
            for number, row in enumerate(rows):
                ledgers = copy.deepcopy(given["ledgers"])
                changed = ledgers[participant][table]
                if kind == "left out":
                    del changed[number]
                elif kind == "twice":
                    changed.append(dict(row))
                elif "order_id" in row:
                    changed.append(row | {"order_id": "nobody"})
                else:
                    continue
                verdict = _judged(given, ledgers)
                if kind == "left out" and table == "stock" and not row["initial"] - row["free"]:
                    assert verdict.judgement is Judgement.INCONSISTENT  # it was stocked up
                assert verdict.judgement is Judgement.INCONSISTENT, (participant, table, row)


@pytest.mark.parametrize("skew_s", [0.005, -0.005, 1.0, -20.0])
@pytest.mark.parametrize("style", STYLES)
def test_clocks_of_hosts_that_differ_change_no_verdict(style, skew_s):
    given = _run("order", style)
    for participant in given["ledgers"]:
        ledgers = copy.deepcopy(given["ledgers"])
        for row in ledgers[participant]["ledger"]:
            row["mono_s"] += skew_s
            row["wall_s"] += skew_s
        assert _judged(given, ledgers).judgement is Judgement.CONSISTENT, participant


_ANY = some.one_of(
    some.none(), some.booleans(), some.integers(), some.floats(), some.text(max_size=20),
    some.lists(some.integers(), max_size=2), some.sampled_from(["order-00000", "order-00001", *Effect]),
)  # fmt: skip
_LEDGER_ROW = some.fixed_dictionaries(
    {
        "seq": some.integers(-1, 5),
        "order_id": some.sampled_from(["order-00000", "order-00001", "nobody", ""]),
        "operation": some.sampled_from(["PlaceOrder", "ReserveStock", "ReleaseStock", "ChargePayment", "RefundPayment",
                                        "BookShipment", "CancelShipment", "ConfirmOrder", "CancelOrder", "Dance"]),
        "effect": some.sampled_from([*map(str, Effect), "vanished"]),
        "delta": some.integers(-10**20, 10**20),
        "answer": some.sampled_from(["OrderPlaced", "StockReserved", "PaymentCharged", "ShipmentBooked", "OrderConfirmed", ""]),
        "message_id": some.sampled_from(["order-00000:PlaceOrder", "x", ""]),
        "caused_by": some.sampled_from(["order-00000:customer", "order-00000:OrderPlaced", "order-00000:OrderConfirmed", "::", ""]),
        "mono_s": some.floats(allow_nan=True),
        "wall_s": some.floats(),
    }
)  # fmt: skip
_ROW = some.one_of(_LEDGER_ROW, some.dictionaries(some.sampled_from(
    ["seq", "order_id", "operation", "effect", "delta", "answer", "message_id", "caused_by", "mono_s", "wall_s", "status", "message",
     "expired", "item", "initial", "free", "reserved", "released", "charged_cents", "refunded_cents", "booked"]), _ANY), _ANY)  # fmt: skip
_TABLE = some.one_of(some.lists(_ROW, max_size=5), some.lists(_LEDGER_ROW, max_size=6), _ANY)
_LEDGERS = some.fixed_dictionaries(
    {},
    optional={
        name: some.one_of(
            some.none(),
            some.fixed_dictionaries(
                {}, optional=dict.fromkeys(["ledger", "orders", "stock", "reservations", "payments", "shipments"], _TABLE)
            ),
        )
        for name in ("order", "inventory", "payment", "shipping")
    },
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(ledgers=_LEDGERS, style=some.sampled_from(STYLES), keep=some.booleans())
def test_whatever_the_rows_are_there_is_a_verdict_in_single_lines(ledgers, style, keep):
    given = _run("order", style)
    mixed = {**copy.deepcopy(given["ledgers"]), **ledgers} if keep else ledgers
    verdict = _judged(given, mixed)
    assert verdict.judgement in (Judgement.INCONSISTENT, Judgement.CONSISTENT, Judgement.UNKNOWN)
    lines = [
        *(o.why for o in verdict.orders),
        *(law.why for law in verdict.laws),
        *verdict.problems,
    ]
    assert not any("\n" in line for line in lines)
