"""What a style of coordination is, as one object: all that machinery, reports and benchmarks ask of it."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from kernel.participant import Participant
from kernel.saga import Saga
from kernel.timeline import Evidence, Timeline
from scenarios.faults.plan import Moment
from scenarios.faults.planned import PlannedFaults
from scenarios.runs.environment import Backends, RunEnvironment, RunningSystem
from scenarios.runs.participant_config import ParticipantConfig
from scenarios.runs.process_of_a_run import ProcessOfARun
from scenarios.runs.rollout import Rollout, Versions

Open = Callable[[RunEnvironment], AbstractAsyncContextManager[RunningSystem]]
Host = Callable[
    [ParticipantConfig, Participant, PlannedFaults, int], AbstractAsyncContextManager[None]
]
Entrance = Callable[[ProcessOfARun], AbstractAsyncContextManager[Callable[[Any], Awaitable[str]]]]
RollOut = Callable[[Versions], AbstractAsyncContextManager[Rollout]]
Native = Callable[[Saga, str, Evidence], Timeline]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a style is drawn, so that everybody can tell it apart: colour, line and marker."""

    colour: str
    line: str
    marker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One way to coordinate a saga.

    `open`: the running system of one run. `host`: one participant in a process of its own; its port is where its function is
    served, if it is called. `entrance`: how customers in a process of their own place an order: see ports.SagaSystem.start. `roll_out`: two versions of a saga at once, over the embedded backends. `native`: a saga rebuilt from what the coordinator keeps by itself. `audited`: the same with an audit queue and the
    services' plain logs, which somebody has to set up; what keeps a history needs neither. `coordinator`: the backend that
    coordinates. `conducted`: whether somebody calls the participants. `forgotten(saga, variant, operation)`: the worst that a
    saga comes to if its coordinator forgets it at that operation, whatever the safeguards.
    `parked`: its word for a parked saga, and `parked_command` the command that lists them; `kept_evidence`: the source of which
    an earlier life's rows stay when a finished run is repaired, "" = none.
    """

    name: str
    words: str
    open: Open
    host: Host
    entrance: Entrance
    roll_out: RollOut
    native: Native
    audited: Native
    coordinator: Callable[[Backends], str]
    conducted: bool
    parked: str
    parked_command: str
    look: Look
    forgotten: Callable[[Saga, str, str], str]
    parked_evidence: tuple[str, str]
    """Where a finished run has what is parked: the source of evidence, and the key by which it is found."""
    discards: bool = False
    """Whether what is parked can be deleted."""
    kept_evidence: str = ""
    moments_without: Mapping[Moment, str] = field(default_factory=dict)
    """Moments without counterpart, and why."""
    guards_without: frozenset[str] = frozenset()
    """Guards that mean nothing here."""
