"""What every part of one running saga shares, as one value instead of seven arguments."""

from dataclasses import dataclass, field

from kernel.clock import SystemClock
from kernel.faults import NoFaults
from kernel.guards import Guards
from kernel.messages import Message
from kernel.policy import Policy
from kernel.ports import Clock, Faults, Tracer
from kernel.reactions import Reaction
from kernel.saga import Saga
from kernel.tracing import NoTracer


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The saga and its variant, the policy and guards of both styles, and where time, spans and faults come from.

    `durability`: see database.SYNCHRONOUS.
    """

    saga: Saga
    variant: str
    policy: Policy = field(default_factory=Policy)
    guards: Guards = field(default_factory=Guards.all)
    faults: Faults = field(default_factory=NoFaults)
    tracer: Tracer = field(default_factory=NoTracer)
    clock: Clock = field(default_factory=SystemClock)
    durability: str = "process"

    def reactions_of(self, service: str) -> dict[type[Message], Reaction]:
        """Message -> what the service does when it hears it, as its page says."""
        mine = (r for r in self.saga.reacting(self.variant) if r.service == service)
        return {kind: reaction for reaction in mine for kind in reaction.hears()}
