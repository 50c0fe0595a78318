"""What became of mutants, as tables: counts by operator and style, and every one that was not killed."""

from collections import Counter
from collections.abc import Sequence

from bench.latency import proportion
from report.text_table import Row as Line
from report.text_table import TextTable
from scenarios.campaigns.mutants.campaign import EQUIVALENT, Row, ratio, styles_of
from scenarios.campaigns.mutants.hunt import INVALID, KILLED, SURVIVED

OUTCOMES = KILLED, SURVIVED, EQUIVALENT, INVALID
ALL = "all"


def by_operator(rows: Sequence[Row]) -> TextTable:
    """Operator x style: how many were killed, survived, are equivalent, are invalid."""
    styles = styles_of(rows)
    columns = ("operator", *(f"{style}: {outcome}" for style in styles for outcome in OUTCOMES))
    counted = Counter((row.operator, row.style, row.outcome) for row in rows)
    counted += Counter((ALL, row.style, row.outcome) for row in rows)
    lines: list[Line] = [
        (operator, *(counted[operator, style, outcome] for style in styles for outcome in OUTCOMES))
        for operator in dict.fromkeys([*(row.operator for row in rows), ALL])
    ]
    return columns, lines


def by_rule(rows: Sequence[Row]) -> TextTable:
    """Which rule killed how many; a schedule may break several."""
    killed = [row for row in rows if row.outcome == KILLED]
    rules = sorted({rule for row in killed for rule in row.rules})
    counted = {rule: sum(rule in row.rules for row in killed) for rule in rules}
    alone = {rule: sum(row.rules == (rule,) for row in killed) for rule in rules}
    order = sorted(rules, key=lambda rule: -counted[rule])
    return ("rule", "kills", "alone"), [(rule, counted[rule], alone[rule]) for rule in order]


def survivors(rows: Sequence[Row]) -> TextTable:
    """Every mutant that was neither killed nor is known to be equivalent: a hole of the judge, or of the workload."""
    lines: list[Line] = [
        (row.mutant, row.style, row.change, hole(row)) for row in rows if row.outcome == SURVIVED
    ]
    return ("mutant", "style", "change", "hole in"), lines


def every(rows: Sequence[Row]) -> TextTable:
    """All of it, one line each."""
    lines: list[Line] = [
        (
            row.mutant,
            row.style,
            row.change,
            row.outcome,
            "; ".join(row.rules) or row.why,
            row.schedules,
            "" if row.faults is None else row.faults,
        )
        for row in rows
    ]
    return ("mutant", "style", "change", "outcome", "by, or why", "schedules", "faults"), lines


def hole(row: Row) -> str:
    """Who misses a surviving mutant."""
    return "the workload: no schedule comes there" if row.reached is False else "the judge"


def summary(rows: Sequence[Row]) -> str:
    """How many were killed, in a few sentences."""
    killed, counted = ratio(rows)
    kills = [row for row in rows if row.outcome == KILLED]
    schedules = sorted(row.schedules for row in kills)
    text = f"{proportion(killed, counted)} mutants that are not equivalent killed"
    if kills:
        text += f", half of them within {schedules[len(schedules) // 2]} schedules, the last in {schedules[-1]:,}, with at most {max(row.faults or 0 for row in kills)} faults"
        text += f"; {sum(row.crashed for row in kills)} of the kills show an exception, too"
    few = {o: sum(row.outcome == o for row in rows) for o in (EQUIVALENT, INVALID)}
    return f"{text}. {few[EQUIVALENT]} are equivalent, {few[INVALID]} invalid."
