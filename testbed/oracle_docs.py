"""docs/oracle.md: every rule of the judge with its formula and rows that break it, and the mutants that it does not see."""

import json
from pathlib import Path
from typing import Any

from report.text_table import markdown
from scenarios.judge.rules import MEANING, Rule
from shared_domain.order.bugs.index import BUGS
from shared_domain.order.counter_examples import EXAMPLES, CounterExample

MUTANTS = Path(__file__).parents[1] / "docs" / "mutants"
"""summary.json of a full `saga check-oracle --mutants`, by saga."""

_INTRO = """\
# The oracle

How a run is judged, and why you may believe it. Code, in reading order, all in `scenarios/judge/`: `possible.py` (rows that cannot be), `causes.py` (what came
before what), `oracle.py` (one order), `laws.py`, `balances.py` and `reasons.py` (the whole run), `clocks.py` and `exposure.py` (times), `judgement.py` (the
verdict): pure functions over the participants' rows. `shared_domain/order/isolation.py` has the readers of one scenario.

## What it reads
The participants' own rows: ledgers, business tables and the answers in inboxes, read after the run had settled. The register of what is parked (dead
letters, failed executions) is read afterwards, and can only turn *stuck* into *parked*. The statuses that the customer got, and those that a reader saw who kept asking, are
compared with the ledgers, never believed. How often a request arrived is counted on the wire, to know whether a whole retry budget was spent. It never reads
the broker's audit, an execution's history or a trace.

What should happen is derived from the rows of the saga, not from the reactions or the state machine, which are on trial; what may be refused stands in
the saga's `laws.py`. What came first is decided by causes and by each participant's own sequence: no clock decides anything between two participants.
Whatever the rows are, there is a verdict: what no participant can have written breaks a rule of its own, and the rest is judged without it.

## How one order is judged
First match wins, in the order of [reference/verdicts.md](reference/verdicts.md). A finding names the rule that is broken, in words, and
its witnesses: the rows that prove it.

## The rules
For an order *n(step, effect)* counts its ledger rows, *net(p)* is the sum of its changes at a participant, *q* and *a* are what was
ordered: quantity and amount. Every example is one order for one book at 500 cents with ten books in stock, and
`tests/unit/test_counter_examples.py` feeds it to the judge.
"""
_END = """\
## Times
*Latency*: intended start to the order's final row. *Money exposure*: charge to confirmation or refund. *Inconsistency-seconds*: from the
moment an order claimed to be over, the time in which its effects said otherwise. Intervals still open at the end are censored and
shown apart. Isolation: [isolation.md](isolation.md).

## Is it blind?
`saga check-oracle` plants {bugs} known saga bugs, one at a time, in every style that can have them, runs the scenario that should show each,
and runs the same scenarios without them; [planted_bugs.md](planted_bugs.md) has the table. When you write a rule, add the bug that it must find.

{mutants}## What it cannot see
- A bug whose effects heal before the run settles, such as an event published before its commit and redelivered.
- A time that was falsified by less than its neighbours in the ledger leave room for.
- In real runs, whether a retry came when it was promised: the machine may have been slow. Under virtual time that is judged.
- Anything that no participant writes down: an e-mail sent twice would need a participant of its own.
- *Money is conserved* compares sums: two orders whose errors cancel out break the rule of the order only.
"""

_MUTANTS = """\
## Mutants
A list of bugs shows what its authors thought of. `saga check-oracle --mutants` changes everything that a team writes, one thing at a
time, by operators: the participants and their rows, messages and ids, the reactions, consumer, relay, inbox, outbox, ledger, and every field
of every state of the state machine. Each mutant is explored in every style that it can affect until a rule is broken or its schedules
have passed. It is *killed* by the rule; *invalid* if it cannot be loaded; *equivalent* if nobody could tell it from the original, with the reason in
`equivalent_mutants.json`; or it has *survived*: a hole in the judge, or in the workload if no schedule comes to the line. Left out is what
runs only with a safeguard off, what an operator alone asks for, and what only a tracer hears.
"""


def oracle() -> str:
    """The whole page."""
    parts = [_INTRO]
    examples = {example.rule: example for example in EXAMPLES}
    parts += [_rule(rule, examples[rule]) for rule in Rule]
    return "\n".join([*parts, _END.format(bugs=len(BUGS), mutants=_mutants())])


def _mutants() -> str:
    """The section about mutants: the tables of the committed runs, and every survivor by name."""
    parts = [_MUTANTS]
    for path in sorted(MUTANTS.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        parts += [
            f"### Mutants of the {path.stem} saga\n",
            f"`{document['command']}` ({document['date']}): {document['mutants']:,} mutants. {document['summary']}\n",
            _table(document["by_operator"]),
            f"Which rule killed them:\n\n{_table(document['by_rule'])}",
        ]
        if document["survivors"]["lines"]:
            parts.append(f"Survivors:\n\n{_table(document['survivors'])}")
        else:
            parts.append("There are no survivors.\n")
    return "\n".join(parts) + "\n"


def _table(table: dict[str, Any]) -> str:
    return markdown(table["columns"], table["lines"])


def _rule(rule: Rule, example: CounterExample) -> str:
    meaning = MEANING[rule]
    lines = [
        f"### {rule[0].upper()}{rule[1:]}",
        "",
        f"`{meaning.formula}`. Broken, it makes the {_broken(meaning.breaks)}.",
        "",
        f"Counter-example: {example.description} {_beside(example)}",
        "",
        "| participant | row | change | caused by |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {participant} | {operation} {effect} | {delta:+d} | {caused_by} |"
        for participant, operation, effect, delta, caused_by in example.rows
    ]
    return "\n".join(lines) + "\n"


def _beside(example: CounterExample) -> str:
    told = [f"Status {example.status}"]
    if example.told:
        told.append(f"the customer was told {example.told}")
    if example.parked:
        told.append(f"parked at {example.parked}")
    if example.initial != 10:
        told.append(f"{example.initial} books at first")
    if example.free is not None:
        told.append(f"the stock row shows {example.free} free")
    if example.charged is not None:
        told.append(f"the account shows {example.charged} cents charged")
    if example.stranger:
        told.append(f"and a charge of {example.stranger}, which nobody ordered")
    if example.lasts_s:
        told.append(f"{example.lasts_s:g} s from the first row to the last")
    return ", ".join(told) + "."


def _broken(breaks: str) -> str:
    kind, _, order_class = breaks.partition(": ")
    return f"{kind} *{order_class}*" if order_class else "run INCONSISTENT"
