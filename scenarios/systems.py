"""The one file that names both styles."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from scenarios import choreographed, orchestrated
from scenarios.part import Part
from scenarios.planned_faults import PlannedFaults
from scenarios.setting import Assembled, Setting
from shared_domain.participant import Participant
from shared_domain.ports import Clock

STYLES: dict[str, Callable[[Setting], AbstractAsyncContextManager[Assembled]]] = {
    "choreography": choreographed.choreography,
    "orchestration": orchestrated.orchestration,
}
"""Style -> how it is assembled for a run."""

HOSTS: dict[
    str,
    Callable[[Part, Participant, PlannedFaults, Clock, int], AbstractAsyncContextManager[None]],
] = {"choreography": choreographed.host, "orchestration": orchestrated.host}
"""Style -> how one participant serves it in a process of its own."""
