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
    NOT_DROPPED = "whatever is announced is acted on by everybody who reacts to it"
    ROWS_AGREE = "business rows agree with the ledger"
    NOBODY_ELSE = "nothing is done that nobody ordered"
    POSSIBLE = "rows are such as a participant writes"
    SIZE = "an effect is as large as was ordered, and its undo the same"
    REFUSED_RIGHTLY = "what is refused has a reason, and what is done has none against it"
    CAUSED = "whatever is done was caused by something that happened"
    WHOLE_BUDGET = "nobody gives up before the whole retry budget is spent"
    FOR_A_REASON = "what is undone was refused, given up or too late"
    DEADLINE = "a saga is too late when its deadline has passed, and not before"
    ANSWERS = "what was answered is what the ledger says"
    PARKED_ONCE = "what an operator has is there once, and nobody does it meanwhile"
    NO_MORE = "nobody is asked more often, or sooner, than there is a reason to"
    RESUMABLE = "what is parked can be finished once the faults are over"


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
        formula="CONFIRMED, CANCELLED or REJECTED ever told implies status is that at this moment, and nothing else told after it; what was"
        " told last is status, if that is final; no order that was shown is unknown afterwards; PARKED last told implies status is not final",
    ),
    Rule.MONEY: Meaning(
        breaks="run",
        formula="sum of net(p) over ended orders = sum of due(p, o) over confirmed orders, for every p that keeps money",
    ),
    Rule.STOCK: Meaning(
        breaks="run",
        formula="for every item: initial = what the run began with = free + reserved - released, and initial + the changes of the orders"
        " that wanted it = free",
    ),
    Rule.NOT_OVERSOLD: Meaning(breaks="run", formula="for every item: free >= 0"),
    Rule.STEP_ORDER: Meaning(
        breaks="run",
        formula="every done row of s has a done row of every step before s among the rows that led to it",
    ),
    Rule.ONLY_FORWARD: Meaning(
        breaks="run",
        formula="n(s, done) > 0 for the pivot or a step after it implies no undone row at all",
    ),
    Rule.CAUSE: Meaning(
        breaks="run",
        formula="n(c, undone) > 0 implies a done row of its step before it; n(c, tombstone) > 0 implies no done row of its step;"
        " n(c, kept) > 0 implies a done row of the pivot, or of what comes after it, before it",
    ),
    Rule.REFUSED_IS_DONE: Meaning(
        breaks="run",
        formula="no row of a compensation is caused by its own step's refusal",
    ),
    Rule.REVERSE: Meaning(
        breaks="run",
        formula="of two undone rows the one of the later step is among the rows that led to the other (unless the steps run at the same time)",
    ),
    Rule.NOT_DROPPED: Meaning(
        breaks="run",
        formula="for every answer in the ledgers, and every deadline that was announced, each service that reacts to it has a row of that"
        " operation, or an operator has the message (where services react)",
    ),
    Rule.ROWS_AGREE: Meaning(
        breaks="run",
        formula="for every order and resource p: each column of its business row = the sum of the ledger's changes that it counts, and its"
        " item is the one ordered; the row in orders holds the message that the customer sent",
    ),
    Rule.NOBODY_ELSE: Meaning(breaks="run", formula="every row's order_id was ordered"),
    Rule.POSSIBLE: Meaning(
        breaks="run",
        formula="every table and column is there and has its type; ledgers are numbered 1, 2, 3, ... and no row is older than the one"
        " before; operation, effect, answer and message_id fit each other; nothing has two rows",
    ),
    Rule.SIZE: Meaning(
        breaks="run",
        formula="the change of a done row of the step that acts on p = due(p, o), of an undone row of its undo -due(p, o), of any other row 0",
    ),
    Rule.REFUSED_RIGHTLY: Meaning(
        breaks="run",
        formula="a step is refused if and only if the order is one to be refused, too few units were free at that moment, or the order had"
        " been undone there before",
    ),
    Rule.CAUSED: Meaning(
        breaks="run",
        formula="every row is caused by answers in the ledgers of its order, or an announced deadline, or the customer if it opens the order;"
        " where services react, by one that leads to it",
    ),
    Rule.WHOLE_BUDGET: Meaning(
        breaks="run",
        formula="given up or parked at s implies as many requests of s as the policy promises, unless a fault struck that is final at once",
    ),
    Rule.FOR_A_REASON: Meaning(
        breaks="run",
        formula="a row of a compensation, or a status that is not CONFIRMED, implies a refused or given-up step, a spent budget or a deadline",
    ),
    Rule.DEADLINE: Meaning(
        breaks="run",
        formula="caused by the deadline implies that it was announced, and not before; open for longer implies that it was"
        " (on the clock of the service that opened it)",
    ),
    Rule.ANSWERS: Meaning(
        breaks="run",
        formula="every ledger row has an answer in the inbox and every answer a row; its name is the row's, it names the command as its"
        " cause, and is about the order that was asked for",
    ),
    Rule.PARKED_ONCE: Meaning(
        breaks="run",
        formula="a message that leads to a step is parked at most once, by its service's own account, too, and then has no row but that of"
        " giving up (where services react:"
        " a conductor cannot know what was done without an answer)",
    ),
    Rule.NO_MORE: Meaning(
        breaks="run",
        formula="under virtual time, where no fault strikes an order: as many requests of s as announcements that lead to s; where attempts"
        " fail: at most the promised ones, and each after the promised wait",
    ),
    Rule.RESUMABLE: Meaning(
        breaks="order: stuck-in-the-open",
        formula="redriven after its faults are over, a parked order ends CONFIRMED, CANCELLED or REJECTED",
    ),
}
