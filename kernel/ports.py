"""What the styles need from outside, and what every style offers: scenarios and reports see only these."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from kernel.messages import Command, Event, Order


class Clock(Protocol):
    """Where time comes from. Promised: `mono_s` never goes back. Not promised: that `wall_s` does not."""

    def wall_s(self) -> float:
        """Seconds since the Unix epoch."""
        ...

    def mono_s(self) -> float:
        """Seconds on one monotonic clock for the whole host."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after at least `seconds`."""
        ...


class Tracer(Protocol):
    """Records spans, and the lines of the services' logs.

    Promised: it never fails or delays the work by a network call.
    """

    def span(
        self,
        name: str,
        *,
        service: str,
        parent: str,
        order_id: str,
        kind: str = "internal",
        **attributes: str,
    ) -> AbstractContextManager[str]:
        """A span under the W3C traceparent `parent` ("" = a new trace); yields its own traceparent.

        `kind`: internal, client, server, producer or consumer, as OpenTelemetry has them.
        """
        ...

    def tag(self, **attributes: str) -> None:
        """Add attributes to the span that is open here."""
        ...

    def event(self, name: str, **attributes: str) -> None:
        """Something happened within the span that is open here."""
        ...

    def link(self, traceparent: str) -> None:
        """The span that is open here continues the work of another one, too."""
        ...

    def log(self, service: str, command: Command, outcome: str) -> None:
        """A line in the log of a service, whether spans are sampled or not. `outcome`: an answer's name, or what failed."""
        ...


class Faults(Protocol):
    """Named moments in a participant's work at which a fault plan may strike.

    Promised by the caller: every moment is reached in the order in which it is listed in `faults.Point`.
    """

    async def reach(self, point: str, command: Command, answer: Event | None = None) -> None:
        """Called at the moment `point`. May sleep; may raise a Failure or ParticipantCrashed."""
        ...

    def touches(self, command: Command) -> bool:
        """Whether any fault is planned for this command, which then commits alone."""
        ...

    def clock_of(self, service: str, clock: Clock) -> Clock:
        """The clock on this service's host, where `clock` is right."""
        ...


class Service(Protocol):
    """A participant as a coordinator sees it."""

    name: str

    async def call(self, command: Command) -> Event:
        """The participant's answer to `command`, durable by then; a refusal is an answer.

        Raise NotDelivered if the effect is known not to have happened, OutcomeUnknown if it may have,
        ParticipantCrashed if the participant is gone.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A saga that waits for an operator: a dead letter or a failed execution.

    `operation` is the step that stopped it, "" if its message could not even be read. `parked_id` names it on a
    command line: orders may have several. `reported`: it is open past its deadline, and the user wanted to be told.
    """

    order_id: str
    operation: str
    where: str
    why: str
    parked_id: str = ""
    reported: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How `settle` ended: `quiescent`, or `deadline` with what was still open."""

    how: str
    waited_s: float
    open_orders: tuple[str, ...] = ()
    still_changing: bool = False
    """Whether ledgers had changed just before the deadline."""


Ledgers = Mapping[str, Mapping[str, list[dict[str, Any]]]]
"""participant -> table -> rows. The table `ledger` is every effect applied, oldest first."""


class Operator(Protocol):
    """What an operator does with what is parked. Every method raises Failure if the coordinator does not answer."""

    async def parked(self) -> list[Parked]:
        """What waits."""
        ...

    async def show(self, parked_id: str) -> dict[str, Any]:
        """Everything that is known about one of them, as a JSON object; empty if there is none of this name."""
        ...

    async def redrive(self, parked_ids: Collection[str]) -> list[Parked]:
        """Try these again from the step that stopped them, with a fresh retry budget; those that were sent on."""
        ...

    async def discard(self, parked_ids: Collection[str]) -> list[Parked]:
        """Give these up for good; those that are gone. The saga stays as unfinished as it is."""
        ...

    async def kept(self) -> list[dict[str, Any]]:
        """What `restore` needs of what is parked, beside the databases: JSON objects."""
        ...

    async def restore(self, kept: list[dict[str, Any]]) -> None:
        """Park again what an earlier coordinator of this run kept."""
        ...


class SagaSystem(Operator, Protocol):
    """One style, running_system over one pair of backends, serving one run."""

    async def start(self, order: Order) -> str:
        """Accept the order durably and return the status shown to the customer.

        Raise NotDelivered (definitely not accepted) or OutcomeUnknown; repeat with the same order_id.
        """
        ...

    async def outcome(self, order_id: str) -> str:
        """What this style tells the customer now: PENDING, CONFIRMED, CANCELLED, REJECTED, PARKED or UNKNOWN."""
        ...

    async def settle(self, order_ids: Iterable[str], *, deadline_s: float) -> Settlement:
        """Wait until nothing can change any more: every order terminal or parked, nothing unpublished, ledgers quiet."""
        ...

    async def backlog(self) -> int:
        """How many messages lie in work queues, or executions run: 0 once everything is over. Raise Failure."""
        ...

    async def ledgers(self) -> Ledgers:
        """The participants' own rows: the ground truth."""
        ...

    async def evidence(self, order_id: str = "") -> Mapping[str, list[dict[str, Any]]]:
        """What an operator has for free in this style, by source; never read by the judge.

        `order_id`: only what is about this order; the source `definition` is about all of them.
        """
        ...

    async def aclose(self) -> None:
        """Stop serving and free what this run made on shared servers."""
        ...


class Disturbance(Protocol):
    """Breaks the coordinator of a run: its broker or its engine."""

    async def kill(self) -> None:
        """Kill -9; returns when the process (or its embedded stand-in) is gone."""
        ...

    async def restart(self) -> None:
        """Start it again on the same data; returns when it serves."""
        ...

    def freeze(self) -> None:
        """Let it stand still (SIGSTOP): it keeps its connections and answers nothing."""
        ...

    def thaw(self) -> None:
        """Let it go on."""
        ...
