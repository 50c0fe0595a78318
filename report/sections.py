"""All sections of the report, in order."""

from collections.abc import Callable, Iterator

from report.campaign_sections import faults, mutants, safeguards
from report.damage_sections import damage, what_breaks
from report.decision.section import decision
from report.evidence_sections import by_scenario, costs, reconstruction
from report.found import Found
from report.run_sections import (
    breakdown,
    calls,
    compared,
    course,
    inconsistency,
    latency,
    outcomes,
)
from report.section import Section

_MAKERS: tuple[Callable[[Found], Section | None], ...] = (
    decision, what_breaks, outcomes, damage, latency, compared, course, breakdown, inconsistency, reconstruction, by_scenario, costs, calls, faults,
    safeguards, mutants,
)  # fmt: skip


def sections(found: Found) -> Iterator[Section]:
    """All that there are data for."""
    for make in _MAKERS:
        if section := make(found):
            yield section


def headline(shown: list[Section]) -> list[tuple[str, str, list[str]]]:
    """The answers first: question, answer, and what the answer consists of."""
    return [(section.title, section.answer, list(section.points)) for section in shown]
