"""The unreliable network, as wrappers around the parts that it connects.

| moment | choreography | orchestration |
|---|---|---|
| request lost | the delivery is lost before the handler; the broker redelivers | the invocation fails before the handler |
| answer lost | the connection breaks before ack and confirm: redelivered, published again | the connection breaks after the commit |
| duplicated | the message is handled twice | the task is invoked twice with one message_id |
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from choreography.broker import Broker, DeadLetter, Delivery, Wanted
from choreography.cloud_events import Envelope
from scenarios.fault_plan import Moment
from scenarios.planned_faults import PlannedFaults
from shared_domain.errors import ConnectionLost, NotDelivered, OutcomeUnknown
from shared_domain.messages import EVENTS, Command, Event
from shared_domain.ports import Clock, Service

RECONNECT_S = 0.02
"""What a lost connection costs before anybody can try again, the same in both styles."""


class UnreliableLink:
    """A Service behind a network that loses, repeats and delays requests and answers."""

    def __init__(self, service: Service, faults: PlannedFaults, clock: Clock) -> None:
        self.name = service.name
        self._service, self._faults, self._clock = service, faults, clock

    async def call(self, command: Command) -> Event:
        """See ports.Service."""
        with self._faults.holding():
            return await self._carry(command)

    async def _carry(self, command: Command) -> Event:
        faults, key = self._faults, (command.order_id, command.name)
        attempt = faults.arrive(command)
        if faults.strike(Moment.REQUEST_LOST, *key, attempt):
            await self._clock.sleep(RECONNECT_S)
            raise NotDelivered(f"{command.name}: injected loss of the request")
        if fault := faults.strike(Moment.REQUEST_DELAYED, *key, attempt):
            await self._clock.sleep(faults.delay_s(fault))
        if faults.strike(Moment.REQUEST_DUPLICATED, *key, attempt):
            await self._service.call(command)
            faults.arrive(command)
        answer = await self._service.call(command)
        number = faults.answer(command)
        if fault := faults.strike(Moment.ANSWER_DELAYED, *key, number):
            await self._clock.sleep(faults.delay_s(fault))
        if faults.strike(Moment.ANSWER_LOST, *key, number):
            raise ConnectionLost(f"{command.name}: injected loss of the answer")
        return answer


class UnreliableBroker:
    """A Broker whose confirms are lost together with the answers that they belong to."""

    def __init__(self, broker: Broker, faults: PlannedFaults) -> None:
        self._broker, self._faults = broker, faults
        self._sent: set[str] = set()

    async def publish(self, message: Envelope) -> None:
        """See Broker. The answer itself has arrived when its confirm is lost."""
        await self._broker.publish(message)
        first = message.message_id not in self._sent
        self._sent.add(message.message_id)
        operation = message.caused_by.rpartition(":")[2]
        is_answer = message.routing_key in EVENTS and message.routing_key != "OrderExpired"
        if (
            first
            and is_answer
            and self._faults.strike(Moment.ANSWER_LOST, message.order_id, operation, 1)
        ):
            raise OutcomeUnknown(f"{message.routing_key}: injected loss of the confirm")

    async def audited(self) -> None:
        """See Broker."""
        await self._broker.audited()

    def subscribe(self, queue: str) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        """See Broker."""
        return self._broker.subscribe(queue)

    async def dead_letters(self) -> list[DeadLetter]:
        """See Broker."""
        return await self._broker.dead_letters()

    async def redrive(self, wanted: Wanted) -> list[DeadLetter]:
        """See Broker."""
        return await self._broker.redrive(wanted)

    async def discard(self, wanted: Wanted) -> list[DeadLetter]:
        """See Broker."""
        return await self._broker.discard(wanted)

    async def restore(self, letters: list[DeadLetter]) -> None:
        """See Broker."""
        await self._broker.restore(letters)

    async def waiting(self) -> int:
        """See Broker."""
        return await self._broker.waiting()

    async def audit(self) -> list[Envelope]:
        """See Broker."""
        return await self._broker.audit()

    async def aclose(self) -> None:
        """See Broker."""
        await self._broker.aclose()
