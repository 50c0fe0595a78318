"""The faults of a run as they happen: struck as the plan says."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Container, Iterable, Iterator
from contextlib import contextmanager

from kernel.errors import OutcomeUnknown, ParticipantCrashed
from kernel.faults import Point
from kernel.messages import Command, Event
from kernel.policy import Policy
from kernel.ports import Clock, Tracer
from kernel.saga import Saga
from kernel.tracing import NoTracer
from scenarios.faults.plan import CLOCKS, Fault, FaultPlan, Moment
from scenarios.faults.record import FaultRecord, Injection
from scenarios.runs.workload import NO_TIME, ServiceTimes


def without_effect(plan: FaultPlan, struck: Container[int]) -> list[str]:
    """The lines of a plan that are not among those that struck, in words. `struck`: numbers of faults."""
    return [
        f"no {fault.moment} at {fault.operation} ever struck (fault {number} of the plan)"
        for number, fault in enumerate(plan.faults)
        if number not in struck
    ]


def drop_work(reason: str) -> None:
    """The participant is gone for this request."""
    raise ParticipantCrashed(reason)


class _WrongClock:
    """A host's clock: everything on it is ahead, and its time of day is set back now and then."""

    def __init__(self, clock: Clock, ahead_s: float, set_back_s: Callable[[], float]) -> None:
        self._clock, self._ahead_s, self._set_back_s = clock, ahead_s, set_back_s

    def wall_s(self) -> float:
        """See Clock."""
        return self._clock.wall_s() + self._ahead_s - self._set_back_s()

    def mono_s(self) -> float:
        """See Clock."""
        return self._clock.mono_s() + self._ahead_s

    async def sleep(self, seconds: float) -> None:
        """See Clock."""
        await self._clock.sleep(seconds)


class PlannedFaults:
    """The Faults port of a run: strikes what the plan says and keeps a record of it."""

    def __init__(
        self,
        plan: FaultPlan,
        order_ids: Iterable[str],
        *,
        saga: Saga,
        seed: int,
        policy: Policy,
        clock: Clock,
        tracer: Tracer | None = None,
        record: FaultRecord | None = None,
        crash: Callable[[str], None] = drop_work,
        service_times: ServiceTimes = NO_TIME,
    ) -> None:
        """`crash`: ends this participant; by default as a ParticipantCrashed, which its host restarts.

        `tracer`: whose open span is told of every fault that strikes. `service_times`: how long participants work on a
        request, faults or not.
        """
        self.saga = saga
        self.plan, self.record = plan, record or FaultRecord()
        self._seed, self._policy, self._crash = seed, policy, crash
        self.clock = self._clock = clock
        self._tracer, self._service_times = tracer or NoTracer(), service_times
        self._by_operation: dict[str, list[tuple[int, Fault]]] = defaultdict(list)
        for number, fault in enumerate(plan.faults):
            self._by_operation[fault.operation].append((number, fault))
        self._index = {order_id: index for index, order_id in enumerate(order_ids)}
        self._lines: dict[tuple[str, str], list[tuple[int, Fault]]] = {}
        self._over = False
        self._set_back_s: dict[str, float] = {}
        self.disturb: Callable[[Fault, str, int], Awaitable[None]] | None = None
        """What is done when a request arrives at which the coordinator is to be disturbed; None = it is not done from here."""

    def lift(self) -> None:
        """Strike no more."""
        self._over = True

    def arrive(self, command: Command) -> int:
        """A request has reached its participant; which attempt it is."""
        self.record.note("arrived", command.order_id, command.name, self._clock.mono_s())
        attempt = self.record.attempts[command.order_id, command.name]
        self.strike(Moment.CLOCK_AHEAD, command.order_id, command.name, attempt)
        if fault := self.strike(Moment.CLOCK_SET_BACK, command.order_id, command.name, attempt):
            service = self.saga.served_by[command.name]
            self._set_back_s[service] = self._set_back_s.get(service, 0.0) + self.delay_s(fault)
        return attempt

    async def admit(self, command: Command, attempt: int) -> None:
        """Return when a request that has reached its participant may go on: at once, the plan knows its fate beforehand."""

    async def send(self, order_id: str, operation: str, answer: str, number: int) -> None:
        """Return when an answer to `operation` may leave, the n-th one: at once, see admit."""

    def clock_of(self, service: str, clock: Clock) -> Clock:
        """See ports.Faults."""
        ahead_s = sum(
            self.delay_s(fault)
            for fault in self.plan.faults
            if fault.moment is Moment.CLOCK_AHEAD
            and self.saga.served_by[fault.operation] == service
            and any(fault.strikes_order(i, seed=self._seed) for i in self._index.values())
        )
        if not any(f.moment in CLOCKS for f in self.plan.faults):
            return clock
        return _WrongClock(clock, ahead_s, lambda: self._set_back_s.get(service, 0.0))

    def answer(self, command: Command) -> int:
        """An answer is about to leave; which one it is."""
        self.record.note("answered", command.order_id, command.name)
        return self.record.answers[command.order_id, command.name]

    def publish(self, message_id: str) -> int:
        """A message is about to be published; which time it is."""
        self.record.note("published", message_id)
        return self.record.published[message_id]

    def lead(self, order_id: str, operation: str) -> int:
        """A message that leads to this request is about to be published; which one it is."""
        self.record.note("led", order_id, operation)
        return self.record.led[order_id, operation]

    @contextmanager
    def holding(self) -> Iterator[None]:
        """A request is on its way or being worked on."""
        self.record.note("held", 1)
        try:
            yield
        finally:
            self.record.note("held", -1)

    def strike(
        self, moment: Moment, order_id: str, operation: str, attempt: int, *, succeed: bool = True
    ) -> Fault | None:
        """The fault planned for this address, now struck, or None. `succeed` False: only reached.

        Of several lines for one address the first is struck; the others are reached, and the run says so.
        """
        found = None
        if self._over:
            return None
        for number, fault in self._planned(order_id, operation):
            index = self._index[order_id]
            if fault.moment is moment and fault.strikes_attempt(
                attempt, index=index, seed=self._seed
            ):
                what = "struck" if succeed and found is None else "reached"
                known = self.record.injections.get((number, order_id, attempt))
                again = known is not None and known.struck
                self.record.note(
                    what, number, order_id, operation, attempt, moment, self._clock.mono_s()
                )
                if what == "struck" and not again:  # an answer that is repeated is refused once
                    self._tracer.event("fault", moment=moment, operation=operation)
                found = found or fault
        return found

    def never_struck(self, impossible_here: Container[Moment]) -> list[str]:
        """The lines of the plan of which nothing struck, though it could have: the run says nothing about them.

        `impossible_here`: the moments without counterpart in the run's style.
        """
        struck = {number for (number, _, _), i in self.record.injections.items() if i.struck}
        impossible = {
            number
            for number, fault in enumerate(self.plan.faults)
            if fault.moment in impossible_here
        }
        return without_effect(self.plan, struck | impossible)

    def delay_s(self, fault: Fault) -> float:
        """How long a fault lasts, scaled."""
        return fault.lasts_s() * self._policy.time_scale

    def touches(self, command: Command) -> bool:
        """See ports.Faults."""
        return bool(self._planned(command.order_id, command.name))

    async def reach(self, point: str, command: Command, answer: Event | None = None) -> None:
        """See ports.Faults."""
        attempt = self.record.attempts[command.order_id, command.name]
        address = (command.order_id, command.name, attempt)
        if point == Point.BEFORE_COMMIT and self._service_times.of:
            works_s = self._service_times.drawn_s(
                self.saga.served_by[command.name], self._seed, *address
            )
            await self._clock.sleep(works_s * self._policy.time_scale)
        if not self.touches(command):
            return
        if point == Point.BEFORE_COMMIT:
            for moment in (Moment.SLOW, Moment.HANG):
                if fault := self.strike(moment, *address):
                    await self._clock.sleep(self.delay_s(fault))
            if self.strike(Moment.ERROR, *address):
                raise OutcomeUnknown(f"{command.name}: injected error")
            if self.strike(Moment.CRASH_BEFORE_COMMIT, *address):
                self._crash(f"{command.name}: injected crash before commit")
        elif point == Point.AFTER_COMMIT:
            refused = answer is not None and answer.name in self.saga.refused
            # What is ordered is refused at any attempt, so a refusal is addressed as the first one.
            self.strike(Moment.REFUSED, command.order_id, command.name, 1, succeed=refused)
            if self.strike(Moment.CRASH_AFTER_COMMIT, *address):
                self._crash(f"{command.name}: injected crash after commit")

    def injections(self) -> list[Injection]:
        """Every planned fault with every order it was meant for; those never reached included."""
        found = dict(self.record.injections)
        reached = {(number, order_id) for number, order_id, _ in found}
        for order_id in self._index:
            for operation in self._by_operation:
                for number, fault in self._planned(order_id, operation):
                    if (number, order_id) not in reached:
                        found[number, order_id, 1] = Injection(
                            fault=number,
                            order_id=order_id,
                            operation=operation,
                            attempt=1,
                            moment=fault.moment,
                        )
        return [found[key] for key in sorted(found)]

    def _planned(self, order_id: str, operation: str) -> list[tuple[int, Fault]]:
        """The lines of the plan that are meant for this order and operation, by number."""
        key = (order_id, operation)
        if key not in self._lines:
            index = self._index.get(order_id)
            self._lines[key] = [
                (number, fault)
                for number, fault in self._by_operation.get(operation, ())
                if index is not None and fault.strikes_order(index, seed=self._seed)
            ]
        return self._lines[key]
