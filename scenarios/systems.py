"""The one file that names both styles."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from choreography import account as choreography_account
from choreography.reactions import STEP_ORDERS
from orchestration import account as orchestration_account
from scenarios import choreographed, orchestrated
from scenarios.part import Part
from scenarios.planned_faults import PlannedFaults
from scenarios.setting import Assembled, Setting
from shared_domain.account import Account, Evidence
from shared_domain.participant import Participant
from shared_domain.ports import Clock

STYLES: dict[str, Callable[[Setting], AbstractAsyncContextManager[Assembled]]] = {
    "choreography": choreographed.choreography,
    "orchestration": orchestrated.orchestration,
}
"""Style -> how it is assembled for a run."""

NATIVE: dict[str, Callable[[str, Evidence], Account]] = {
    "choreography": choreography_account.native_account,
    "orchestration": orchestration_account.native_account,
}
"""Style -> a saga as what an operator has for free tells it."""

LEADS_TO: dict[str, dict[str, str]] = {
    step_order: {heard.__name__: command.__name__ for heard, (_, command) in reactions.items()}
    for step_order, reactions in STEP_ORDERS.items()
}
"""Step order -> answer -> the operation that it leads to, in either style."""

HOSTS: dict[
    str,
    Callable[[Part, Participant, PlannedFaults, Clock, int], AbstractAsyncContextManager[None]],
] = {"choreography": choreographed.host, "orchestration": orchestrated.host}
"""Style -> how one participant serves it in a process of its own."""
