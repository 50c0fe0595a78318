"""The sections about evidence: what can be seen of a saga, and what that costs."""

from report import traceability
from report.again import command_of
from report.found import Found
from report.section import Section, few


def reconstruction(found: Found) -> Section | None:
    """Whether one can see what happened."""
    if not found.scored:
        return None
    bare, audited = (_told(found, kind) for kind in ("native", "audited"))
    return Section(
        name="traceability",
        title="Can you see what happened, and why?",
        answer=f"'Where is my order, and why?' was answered correctly from the coordinator alone for {bare}; with an audit queue and plain service logs, which have to be set up, for {audited}.",
        reading=traceability.READING,
        not_reading=traceability.NOT_READING,
        command=_command(found),
        figure=traceability.score_chart(found.scored),
        table=traceability.summary(found.scored),
    )


def by_scenario(found: Found) -> Section | None:
    """The same for each scenario."""
    if not found.scored:
        return None
    return Section(
        name="traceability_by_scenario",
        title="Can you see it in every scenario?",
        answer=traceability.worst_scenarios(found.scored),
        reading="One line per scenario, arm, context and kind of evidence. Context: whether trace context was intact, or lost by one service.",
        not_reading="A scenario without faults has no cause to find.",
        command=_command(found),
        figure=None,
        table=traceability.by_scenario(found.scored),
    )


def costs(found: Found) -> Section | None:
    """What an answer costs."""
    if not found.scored:
        return None
    return Section(
        name="evidence",
        title="What does an answer cost?",
        answer=traceability.costs_in_words(found.scored),
        reading="Means per saga. AWS limits an account to 20 GetExecutionHistory calls a second, so that many sagas take longer there; other backends have no such quota.",
        not_reading="Times are those of this program on this machine; logs and queues without an index must be read completely to find one order's lines.",
        command=_command(found),
        figure=None,
        table=traceability.costs(found.scored),
    )


def _told(found: Found, kind: str) -> str:
    parts = traceability.parts_of(found.scored, kind)
    return few([f"{arm} {share}" for arm, share in parts.items()]) or "no run"


def _command(found: Found) -> str:
    """The campaign that made the runs, or else the runs themselves."""
    return "; ".join(found.traced_by) or command_of([*found.rows, *found.broken])
