"""What is known of a run beside its rows: its rules, its faults, and how often requests came."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kernel.guards import Guards
from kernel.policy import Policy
from kernel.saga import Saga
from scenarios.faults.plan import CORRUPTED, CRASHES, DISTURBANCES, Moment
from scenarios.faults.record import Injection

_FINAL_AT_ONCE = CORRUPTED | {Moment.OVERSIZED_ANSWER, Moment.UNEXPECTED_ANSWER}
"""What nobody tries again: it would fail each time."""
_SHARED = CRASHES | DISTURBANCES
"""What strikes whoever is in the same hands, and takes attempts that never arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a run beside its rows. `attempts`: (order_id, operation) -> how often the request arrived; None = nobody counted.

    `conducted`: whether somebody calls the participants, so that giving up leaves no row of its own.
    """

    policy: Policy
    guards: Guards = field(default_factory=Guards.all)
    injections: Sequence[Injection] = ()
    attempts: Mapping[tuple[str, str], int] | None = None
    conducted: bool = False
    times_mono_s: Mapping[tuple[str, str], Sequence[float]] | None = None
    """(order_id, operation) -> when its requests arrived, oldest first; None = nobody wrote it down."""
    exact: bool = False
    """Whether nothing takes longer than it must, as under virtual time."""
    troubled: bool = False
    """Whether troubles came that no plan names, as in a soak."""

    @property
    def shared(self) -> bool:
        """Whether something struck that others feel."""
        return self.troubled or any(i.moment in _SHARED and i.struck for i in self.injections)

    def set_back(self) -> bool:
        """Whether the time of day was set back anywhere: then a deadline comes later."""
        return any(i.moment == Moment.CLOCK_SET_BACK and i.struck for i in self.injections)

    def at_once(self) -> dict[str, set[str]]:
        """order_id -> the operations at which a fault struck that is final at once."""
        found: dict[str, set[str]] = defaultdict(set)
        for injection in self.injections:
            if injection.moment in _FINAL_AT_ONCE and injection.struck:
                found[injection.order_id].add(injection.operation)
        return found

    def promised(self, operation: str, saga: Saga) -> int:
        """How many attempts the policy promises, the first one included."""
        undo = operation in saga.undoes
        return 1 + self.policy.retries(compensation=undo, guards=self.guards)

    def asked(self, order_id: str, operation: str) -> int:
        """How often a request of this operation came; 0 if nobody counted."""
        return (self.attempts or {}).get((order_id, operation), 0)
