"""The sections about campaigns: the fault space, the safeguards, and mutants."""

from bench.latency import proportion
from kernel.guards import OFF
from report.found import Found
from report.guard_matrix import guard_matrix, guards_in_words
from report.heat_map import heat_map
from report.mutant_tables import by_operator, summary, survivors
from report.section import Section
from report.sweep_tables import bad_cells, what
from report.text_table import Row
from scenarios.campaigns.ablation import ALL, NONE
from scenarios.campaigns.sweep import NOT_RUN

MOST_LINES = 200
"""Longest table of cells in the page; the rest is in the files that it names."""


def faults(found: Found) -> Section | None:
    """Which faults break it."""
    if not found.cells or found.swept is None:
        return None
    run = [cell for cell in found.cells if cell.worst != NOT_RUN]
    kept = [cell for cell in run if not cell.expected]
    bad = sum(cell.inconsistent for cell in kept)
    shown = bad_cells(found.cells)
    lines: list[Row] = [
        (cell.style, what(cell), cell.worst, proportion(cell.bad, cell.orders), cell.why)
        for cell in shown[:MOST_LINES]
    ]
    return Section(
        name="faults",
        title="Which faults break it?",
        answer=f"{proportion(bad, len(kept))} cells of the fault space are inconsistent while the coordinator keeps its promises; {len(run) - len(kept)} cells break a promise on purpose.",
        reading="Rows are operations, columns are faults; a cell shows the worst outcome of any order.",
        not_reading="A pale cell is not proof: it was tried with few orders, or under virtual time. The last column breaks a promise that no coordinator breaks.",
        command="; ".join(found.swept_by),
        figure=heat_map(
            found.swept, found.cells, title="The worst in each cell of the fault space"
        ),
        table=(("style", "faults", "worst", "orders", "why"), lines),
    )


def safeguards(found: Found) -> Section | None:
    """Which safeguard prevents what."""
    if not found.ablated:
        return None
    styles = list(dict.fromkeys(cell.style for cell in found.ablated))
    lines: list[Row] = [
        (guard, *(guards_in_words(found.ablated, guard, style) for style in styles))
        for guard in (*OFF, NONE)
    ]
    damaged = {c.guard for c in found.ablated if c.damage and c.guard not in (ALL, NONE)}
    return Section(
        name="guards",
        title="Which safeguard prevents what?",
        answer=f"{len(damaged)} of {len(OFF)} safeguards prevent damage that some scenario shows as soon as they are off.",
        reading="Rows are the safeguard that is off, columns the scenarios; a cell is the worst that the scenario does not expect.",
        not_reading="An empty row of a style means that no scenario here needs it there, not that nothing could.",
        command="; ".join(found.ablated_by),
        figure=guard_matrix(found.ablated),
        table=(("guard off", *styles), lines),
    )


def mutants(found: Found) -> Section | None:
    """What the judge does not see."""
    if not found.mutants:
        return None
    _, lines = survivors(found.mutants)
    unseen = f" The first survivor: {lines[0][0]}, {lines[0][1]}." if lines else ""
    return Section(
        name="mutants",
        title="Would the judge see a mistake in the code?",
        answer=f"{summary(found.mutants)}{unseen}",
        reading="Rows are mutation operators: each changes one thing in a team's code, at every place where it applies. A cell counts the mutants that were killed by a rule, survived, are equivalent to the original, or could not be loaded.",
        not_reading="Mutants are artificial. A surviving one points to a missing rule or workload, not to a defect of the sagas.",
        command="; ".join(found.mutated_by),
        figure=None,
        table=by_operator(found.mutants),
    )
