"""The rules by which ledgers are judged, in words and as formulas. docs/oracle.md shows them with counter-examples.

Notation: for an order o, `n(op, effect)` = its ledger rows of that operation and effect; `net(p)` = the sum of its changes
at participant p; `due(p, o)` = the change that a confirmed order o must leave at p; `status` = what the service that opened it says.
"""

from dataclasses import dataclass
from enum import StrEnum


class Rule(StrEnum):
    """The name of a rule, as a verdict gives it."""

    ONCE = "every effect is applied once"
    UNDONE_ONCE = "every undo is applied once"
    CONFIRMED_IS_WHOLE = "a confirmed order has all its effects"
    ENDED_IS_CLEAN = "an order that ended otherwise has no effects left"
    ENDED_BY_A_ROW = "an order that ended has the row that ended it"
    ENDS_OR_SHOWS = "an accepted order ends, or an operator can see it"
    PARKED_IN_PLACE = "a saga is parked only where it has nowhere else to go"
    TOLD_THE_TRUTH = "nobody is told the contrary of what is"
    MONEY = "money is conserved"
    STOCK = "stock is conserved"
    NOT_OVERSOLD = "never oversold"
    STEP_ORDER = "a step is done only after all steps before it"
    ONLY_FORWARD = "past the pivot a saga only goes forward"
    CAUSE = "a compensation only after its forward step, or as its tombstone"
    REFUSED_IS_DONE = "what was refused is not undone"
    REVERSE = "compensations run in reverse order"
    NOT_DROPPED = "no saga is dropped and left to its deadline"
    ROWS_AGREE = "business rows agree with the ledger"
    NOBODY_ELSE = "nothing is done that nobody ordered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a broken rule makes of an order or a run, and the rule as a formula."""

    breaks: str
    formula: str


MEANING: dict[Rule, Meaning] = {
    Rule.ONCE: Meaning(
        breaks="order: duplicated",
        formula="for every forward step s: n(s, done) <= 1",
    ),
    Rule.UNDONE_ONCE: Meaning(
        breaks="order: duplicated",
        formula="for every compensation c: n(c, undone) <= 1",
    ),
    Rule.CONFIRMED_IS_WHOLE: Meaning(
        breaks="order: half-done",
        formula="status = CONFIRMED implies net(p) = due(p, o) for every resource p, and n(s, done) > 0 for every step s",
    ),
    Rule.ENDED_IS_CLEAN: Meaning(
        breaks="order: half-done",
        formula="status in {CANCELLED, REJECTED} implies net(p) = 0 for every resource p, and n(s, done) <= n(undo of s, undone) for every"
        " step s that can be undone",
    ),
    Rule.ENDED_BY_A_ROW: Meaning(
        breaks="order: half-done",
        formula="status CONFIRMED, CANCELLED or REJECTED implies a row of the last step, of the first step's undo, or of the first step",
    ),
    Rule.ENDS_OR_SHOWS: Meaning(
        breaks="order: stuck",
        formula="accepted implies status is final, or the order is in the parked register",
    ),
    Rule.PARKED_IN_PLACE: Meaning(
        breaks="order: stuck",
        formula="parked at s implies s has no event for giving up, or is unreadable",
    ),
    Rule.TOLD_THE_TRUTH: Meaning(
        breaks="order: lied",
        formula="CONFIRMED, CANCELLED or REJECTED ever told implies status is that, and nothing else told after it;"
        " PARKED last told implies status is not final",
    ),
    Rule.MONEY: Meaning(
        breaks="run",
        formula="sum of net(p) over ended orders = sum of due(p, o) over confirmed orders, for every p that keeps money",
    ),
    Rule.STOCK: Meaning(
        breaks="run",
        formula="for every item: initial = free + reserved - released, and initial + sum of its changes = free",
    ),
    Rule.NOT_OVERSOLD: Meaning(breaks="run", formula="for every item: free >= 0"),
    Rule.STEP_ORDER: Meaning(
        breaks="run",
        formula="n(s, done) > 0 implies a done row of every step before s, earlier than it",
    ),
    Rule.ONLY_FORWARD: Meaning(
        breaks="run",
        formula="n(s, done) > 0 for the pivot or a step after it implies no undone row at all",
    ),
    Rule.CAUSE: Meaning(
        breaks="run",
        formula="n(c, undone) > 0 implies a done row of its step before it; n(c, tombstone) > 0 implies no done row of its step",
    ),
    Rule.REFUSED_IS_DONE: Meaning(
        breaks="run",
        formula="no row of a compensation is caused by its own step's refusal",
    ),
    Rule.REVERSE: Meaning(
        breaks="run",
        formula="in the order of the undone rows, the places of the steps that they undo never rise (steps at the same time share a place)",
    ),
    Rule.NOT_DROPPED: Meaning(
        breaks="run",
        formula="before a row caused by the saga deadline no silence (neither row nor arrival) longer than a whole retry budget,"
        " unless an operator could see why",
    ),
    Rule.ROWS_AGREE: Meaning(
        breaks="run",
        formula="for every order and resource p: its business row = net(p)",
    ),
    Rule.NOBODY_ELSE: Meaning(breaks="run", formula="every row's order_id was ordered"),
}
