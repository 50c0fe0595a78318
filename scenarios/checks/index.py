"""Everything that can be said of a saga without running it."""

from collections.abc import Iterator

from kernel.saga import Saga
from scenarios.checks.finding import Finding
from scenarios.checks.machine import machine_findings
from scenarios.checks.participants import participant_findings
from scenarios.checks.reactions import reaction_findings


def findings_of(saga: Saga) -> Iterator[Finding]:
    """Every mistake, in the order of rules, reactions, state machines."""
    yield from participant_findings(saga)
    for variant in saga.variants:
        yield from reaction_findings(saga, variant)
        yield from machine_findings(saga, variant)
