"""What one order uses, counted in finished runs: transitions and tasks of histories, messages and deliveries of audits and logs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bench.results import RunRow
from kernel.errors import UsageError
from kernel.guards import Guards
from scenarios.faults.plan import Moment
from scenarios.judge.verdict import OrderClass
from scenarios.runs.folder import read_lines
from scenarios.styles.index import STYLES

COMMITTED, REFUSED, RETRIED = "committed", "refused", "retried"
_OUTCOMES = {
    OrderClass.COMMITTED: COMMITTED,
    OrderClass.COMPENSATED: REFUSED,
    OrderClass.REJECTED: REFUSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What one order uses on average. Conducted: `transitions` (retries included), `tasks`, `seconds` of the execution.

    Where services react: `messages` published, `deliveries` to services, `kib` of all messages. What is not of the style is 0.
    """

    orders: int = 0
    transitions: float = 0.0
    tasks: float = 0.0
    seconds: float = 0.0
    messages: float = 0.0
    deliveries: float = 0.0
    kib: float = 0.0


Counts = dict[str, dict[str, Use]]
"""Style -> outcome (committed, refused, retried) -> use of an order that ended so."""


def counts(rows: Sequence[RunRow]) -> Counts:
    """What orders use in these runs: only runs with all safeguards, and orders that ended.

    Raise UsageError if a style has no committed order, or its evidence is missing.
    """
    found: dict[str, dict[str, list[Use]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.about["guards"] != str(Guards.all()) or row.no_counterpart:
            continue
        uses = _conducted(row.folder) if STYLES[row.style].conducted else _reacting(row.folder)
        for order_id, outcome in _outcomes(row):
            if order_id in uses:
                found[row.style][outcome].append(uses[order_id])
    if missing := [style for style in STYLES if COMMITTED not in found[style]]:
        raise UsageError(
            f"no committed order of {missing[0]} with evidence in these runs: saga run happy_path makes some"
        )
    return {
        style: {outcome: _mean(uses) for outcome, uses in outcomes.items()}
        for style, outcomes in found.items()
    }


def _outcomes(row: RunRow) -> Iterable[tuple[str, str]]:
    """Each order that ended, with its outcome: one that a fault struck and that committed all the same was retried."""
    struck = {
        line["order_id"]
        for line in read_lines(row.folder / "faults.jsonl")
        if line["struck"] and line["moment"] != Moment.REFUSED
    }
    for verdict in row.verdict["orders"]:
        outcome = _OUTCOMES.get(verdict["order_class"])
        order_id = str(verdict["order_id"])
        if outcome and order_id in struck:
            outcome = RETRIED if outcome == COMMITTED else None
        if outcome:
            yield order_id, outcome


def _conducted(folder: Path) -> dict[str, Use]:
    uses = {}
    for line in read_lines(folder / "evidence/histories.jsonl"):
        kinds = Counter(str(event["type"]) for event in line["events"])
        entered = sum(n for kind, n in kinds.items() if kind.endswith("StateEntered"))
        tasks = sum(n for kind, n in kinds.items() if kind.endswith("Scheduled"))
        again = tasks - kinds["TaskStateEntered"]
        times = [float(event["timestamp"]) for event in line["events"]]
        uses[str(line["order_id"])] = Use(
            transitions=entered + max(0, again), tasks=tasks, seconds=max(times) - min(times)
        )
    return uses


def _reacting(folder: Path) -> dict[str, Use]:
    messages, size, deliveries = Counter[str](), Counter[str](), Counter[str]()
    for line in read_lines(folder / "evidence/audit.jsonl"):
        messages[str(line["order_id"])] += 1
        size[str(line["order_id"])] += len(str(line["body"]).encode())
    for line in read_lines(folder / "evidence/service_log.jsonl"):
        deliveries[str(line["order_id"])] += 1
    return {
        order_id: Use(messages=n, deliveries=deliveries[order_id], kib=size[order_id] / 1024)
        for order_id, n in messages.items()
    }


def _mean(uses: Sequence[Use]) -> Use:
    def mean(name: str) -> Any:
        return sum(getattr(use, name) for use in uses) / len(uses)

    return Use(
        orders=len(uses), **{f.name: mean(f.name) for f in fields(Use) if f.name != "orders"}
    )
