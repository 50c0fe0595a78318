"""The phases that every run has, on a clock of any kind: customers come, faults strike, all settles, the ledgers are judged."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from choreography.broker import MAX_REDELIVERIES
from kernel.environment import Environment
from kernel.ports import Clock, Ledgers, Parked, SagaSystem, Settlement, Tracer
from kernel.saga import Saga
from scenarios.faults.injector import FaultInjector
from scenarios.faults.plan import DISTURBANCES, HELD
from scenarios.faults.planned import PlannedFaults
from scenarios.faults.record import FaultRecord, Injection
from scenarios.judge.judgement import judge
from scenarios.judge.verdict import Verdict
from scenarios.runs.arrivals import offsets_s
from scenarios.runs.customers import Customer, come
from scenarios.runs.environment import RunningSystem
from scenarios.runs.probe import Readers
from scenarios.runs.spec import RunSpec
from scenarios.runs.variety import repeated
from scenarios.styles.index import STYLES

WARM_UP_S = 0.1
"""Between opening a system and its first order: consumers are subscribed by then."""
MOST_REDRIVES = 3
"""What was parked may have hidden a second thing that was."""
MOST_PATIENCE = MAX_REDELIVERIES + 1
"""A fault that strikes every attempt can hold a request back as often as that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """All that is known when a run is over."""

    ledgers: Ledgers
    parked: list[Parked]
    injections: list[Injection]
    settlement: Settlement
    verdict: Verdict


class Readable(Protocol):
    """As much of a SagaSystem as a run is judged by."""

    async def outcome(self, order_id: str) -> str:
        """See SagaSystem."""
        ...

    async def ledgers(self) -> Ledgers:
        """See SagaSystem."""
        ...

    async def parked(self) -> list[Parked]:
        """See SagaSystem."""
        ...


def changed(
    faults: PlannedFaults, ledgers: Ledgers, *, saga: Saga, orders_in_flight: int
) -> list[Injection]:
    """Every injection, with `changed`: the saga's rows or attempts differ from the fault-free template.

    `orders_in_flight`: how many orders a disturbance of the coordinator could have changed.
    """
    rows: dict[str, list[tuple[str, str]]] = {}
    for name in saga.services:
        for row in ledgers[name]["ledger"]:
            rows.setdefault(row["order_id"], []).append((row["operation"], row["effect"]))
    template = sorted((operation, "done") for operation in saga.forward)
    repeated = {order_id for (order_id, _), n in faults.record.attempts.items() if n > 1}
    injections = faults.injections()
    for injection in injections:
        order_id = injection.order_id
        differs = order_id in repeated or sorted(rows.get(order_id, [])) != template
        if injection.moment in DISTURBANCES:
            differs = differs or orders_in_flight > 0
        injection.changed = injection.struck and differs
    return injections


class Driver:
    """One run's customers, faults and policy, and its phases over a living system."""

    def __init__(
        self,
        spec: RunSpec,
        *,
        clock: Clock,
        tracer: Tracer,
        record: FaultRecord | None = None,
        exact: bool = False,
        planned: type[PlannedFaults] = PlannedFaults,
    ) -> None:
        """`exact`: nothing takes longer than it must, as under virtual time. `planned`: the kind of faults that strike."""
        self.spec, self.clock, self._exact = spec, clock, exact
        self.policy, self.plan = spec.policy(), spec.plan()
        orders = spec.scenario.orders(
            spec.saga, spec.orders, seed=spec.seed, plan=self.plan, variety=spec.variety
        )
        self.order_ids = [order.order_id for order in orders]
        self.faults = planned(
            self.plan,
            self.order_ids,
            saga=spec.saga,
            seed=spec.seed,
            policy=self.policy,
            clock=clock,
            tracer=tracer,
            record=record,
            service_times=spec.times(),
        )
        self.environment = Environment(
            saga=spec.saga,
            variant=spec.variant,
            policy=self.policy,
            guards=spec.guards,
            faults=self.faults,
            tracer=tracer,
            clock=clock,
            durability=spec.durability,
        )
        offsets = offsets_s(spec.arrivals, spec.orders, rate_per_s=spec.rate_per_s, seed=spec.seed)
        self.customers = [
            Customer(
                order=order,
                intended_mono_s=offset,
                also=repeated(spec.saga, order, index, seed=spec.seed, kinds=spec.variety),
            )
            for index, (order, offset) in enumerate(zip(orders, offsets, strict=True))
        ]
        self.failures: list[str] = []
        self._counted = True

    def disturber(
        self, running_system: RunningSystem, elsewhere: Sequence[Path] = ()
    ) -> FaultInjector:
        """What disturbs the coordinator as planned. `elsewhere`: see FaultInjector."""
        return FaultInjector(
            running_system,
            faults=self.faults,
            clock=self.clock,
            customers=self.customers,
            failed=self.failures.append,
            elsewhere=elsewhere,
        )

    async def start(self) -> float:
        """Let the system warm up, and fix when each customer is meant to come; when that was, in monotonic seconds."""
        await self.clock.sleep(WARM_UP_S)
        begun = self.clock.mono_s()
        for customer in self.coming():
            customer.intended_mono_s += begun
        return begun

    def take_up(self, customers: Sequence[Customer]) -> None:
        """Go on with the customers of an earlier life: the first one of those who had not been served comes at once."""
        self.customers = list(customers)
        self._counted = False  # a kill takes along what was recorded last
        first = min((c.intended_mono_s for c in self.coming()), default=0.0)
        for customer in self.coming():
            customer.intended_mono_s -= first

    def coming(self) -> list[Customer]:
        """Those who have not been served."""
        return [c for c in self.customers if c.accepted_mono_s is None]

    async def serve(self, system: SagaSystem, accepted: Callable[[Customer], None]) -> None:
        """Let every customer come. `accepted`: see come."""
        await come(self.coming(), start=system.start, clock=self.clock, accepted=accepted)

    async def settle(
        self, system: SagaSystem, elsewhere: Callable[[], Sequence[FaultRecord]] = lambda: ()
    ) -> Settlement:
        """Settle, and again for as long as a fault holds requests back that could still change something.

        Give up when there has been no sign of life (a request that arrived) for twice the saga deadline and what faults
        hold back; or after `MOST_PATIENCE` times as long. `elsewhere`: what other processes have recorded of faults so far.
        """
        ids = [c.order.order_id for c in self.customers if c.accepted_mono_s]
        held_s = sum(self.faults.delay_s(f) for f in self.plan.faults if f.moment in HELD)
        patience_s = 2 * self.policy.saga_s() + held_s + 3
        begun = self.clock.mono_s()

        def records() -> list[FaultRecord]:
            return [self.faults.record, *elsewhere()]

        def give_up_at() -> float:
            signs = [s for r in records() for times in r.times_mono_s.values() for s in times]
            return min(max([begun, *signs]), begun + (MOST_PATIENCE - 1) * patience_s) + patience_s

        def in_flight() -> int:
            return sum(record.in_flight for record in records())

        while True:
            now = self.clock.mono_s()
            left_s = max(self.policy.quiet_s(), give_up_at() - now)
            settlement = await system.settle(ids, deadline_s=left_s)
            now, left = self.clock.mono_s(), in_flight()
            if now > give_up_at() or (settlement.how == "quiescent" and not left):
                break
            if settlement.how == "quiescent":
                await self.clock.sleep(self.policy.quiet_s())
        if left:  # what comes again after that was answered before
            self.failures.append(f"{left} requests were still held back at the end")
        return settlement

    async def send_on(
        self,
        system: SagaSystem,
        ended: Ended,
        *,
        orders_in_flight: int,
        sent: Callable[[list[Parked]], None] = lambda parked: None,
    ) -> Ended:
        """Lift every fault, redrive what is parked as an operator would, and judge again: all of it must end now.

        What cannot be read is left alone. `sent` is called with what has been sent on.
        """
        redriven: set[str] = set()
        settlement = ended.settlement
        waiting = ended.parked
        for _ in range(MOST_REDRIVES):
            chosen = [parked.parked_id for parked in waiting if parked.operation or parked.reported]
            if not chosen:
                break
            self.faults.lift()
            going = await system.redrive(chosen)
            sent(going)
            redriven |= {parked.order_id for parked in going}
            settlement = await self.settle(system)
            waiting = await system.parked()
        if not redriven:
            return ended
        return await self.end(
            system,
            settlement=settlement,
            orders_in_flight=orders_in_flight,
            redriven=redriven,
            finished=redriven,
        )

    async def end(
        self,
        system: Readable,
        *,
        settlement: Settlement,
        orders_in_flight: int,
        redriven: Collection[str] = (),
        finished: Collection[str] = (),
        discarded: Collection[str] = (),
        resumed: Collection[str] = (),
        readers: Readers | None = None,
        elsewhere: Iterable[FaultRecord] = (),
    ) -> Ended:
        """Ask for every order once more, read the ledgers, and judge.

        `orders_in_flight`: see changed. `elsewhere`: what other processes have recorded of faults.
        """
        ended = self.clock.mono_s()
        for customer in self.customers:
            customer.told.append(await system.outcome(customer.order.order_id))
        ledgers, parked = await system.ledgers(), await system.parked()
        for record in elsewhere:
            self.faults.record.add(record)
        injections = changed(
            self.faults, ledgers, saga=self.spec.saga, orders_in_flight=orders_in_flight
        )
        verdict = judge(
            saga=self.spec.saga,
            variant=self.spec.variant,
            scenario=self.spec.scenario,
            asked=[customer.asked() for customer in self.customers],
            ledgers=ledgers,
            parked=parked,
            injections=injections,
            policy=self.policy,
            run_ended_mono_s=ended,
            guards=self.spec.guards,
            conducted=STYLES[self.spec.style].conducted,
            units=self.spec.units(),
            attempts=self.faults.record.attempts if self._counted else None,
            times_mono_s=self.faults.record.times_mono_s if self._counted else None,
            exact=self._exact,
            troubled=self.spec.trouble_every_s > 0,
            never_struck=self.faults.never_struck(STYLES[self.spec.style].moments_without),
            failures=self.failures,
            still_changing=settlement.still_changing,
            redriven=redriven,
            finished=finished,
            discarded=discarded,
            resumed=resumed,
            visits=readers.visits if readers else None,
        )
        return Ended(
            ledgers=ledgers,
            parked=parked,
            injections=injections,
            settlement=settlement,
            verdict=verdict,
        )
