"""The unreliable network, as wrappers around the parts that it connects.

| moment | choreography | orchestration |
|---|---|---|
| request lost | the delivery is lost before the handler; the broker redelivers | the invocation fails before the handler |
| request duplicated | the message is handled twice | the task is invoked twice with one message_id |
| request delayed, reordered | the message is held back on its way to the handler | the invocation is |
| trace context lost | the event's header has none | the function's payload has none |
| request replayed | the message is handled once more, long after | the task is invoked once more, long after |
| unexpected answer | the event has a type that nobody knows | the response has a name that nobody knows |
| unreadable data | the event is published as garbage | the function is invoked with garbage |
| answer lost | the connection breaks before ack and confirm: redelivered, published again | the connection breaks after the commit |
| answer duplicated | the event is published twice | no counterpart |
| answer delayed, reordered | the event is held back on its way to the broker | the response is |
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import orjson

from choreography.broker import Broker, DeadLetter, Delivery, Wanted
from choreography.cloud_events import Envelope
from kernel.environment import Environment
from kernel.errors import (
    ConnectionLost,
    Failure,
    NotDelivered,
    OutcomeUnknown,
    ParticipantCrashed,
)
from kernel.messages import MAX_BYTES, Command, Event
from kernel.ports import Clock, Service
from scenarios.faults.plan import BROKEN_PROMISES, CORRUPTED, DISTURBANCES, Moment
from scenarios.faults.planned import PlannedFaults
from scenarios.faults.soft_wire import SoftWire

RECONNECT_S = 0.02
"""What a lost connection costs before anybody can try again, the same in both styles."""


class Later:
    """Lets a message be overtaken: it waits for the next one of its saga to go by."""

    def __init__(self) -> None:
        self._passed: dict[str, asyncio.Event] = {}

    def goes_by(self, order_id: str) -> None:
        """A message of this saga has gone by."""
        if order_id in self._passed:
            self._passed.pop(order_id).set()

    async def overtaken(self, order_id: str, *, at_most_s: float) -> None:
        """Wait for the next one, or `at_most_s`."""
        passed = self._passed.setdefault(order_id, asyncio.Event())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await passed.wait()


class UnreliableLink:
    """A Service behind a network that loses, repeats and delays requests and answers."""

    def __init__(
        self,
        service: Service,
        faults: PlannedFaults,
        clock: Clock,
        *,
        answers_return: bool,
        wire: SoftWire | None = None,
    ) -> None:
        """`answers_return`: whether answers travel back this way, instead of through a broker."""
        self.name = service.name
        self._service, self._faults, self._clock = service, faults, clock
        self._answers_return, self._wire = answers_return, wire
        self._requests, self._answers = Later(), Later()
        self._replaying: set[asyncio.Task[None]] = set()
        forgets = BROKEN_PROMISES if answers_return else frozenset()
        self._disturbing = sorted(DISTURBANCES | forgets)

    async def call(self, command: Command) -> Event:
        """See ports.Service."""
        with self._faults.holding():
            return await self._carry(command)

    async def _carry(self, command: Command) -> Event:
        faults, key = self._faults, (command.order_id, command.name)
        if self._wire is not None:
            self._wire.check()
        attempt = faults.arrive(command)
        await faults.admit(command, attempt)
        for moment in self._disturbing:
            fault = faults.strike(moment, *key, attempt, succeed=False)
            if fault and faults.disturb is not None:
                await faults.disturb(fault, command.order_id, attempt)
        if faults.strike(Moment.REQUEST_LOST, *key, attempt):
            await self._clock.sleep(RECONNECT_S)
            raise NotDelivered(f"{command.name}: injected loss of the request")
        if fault := faults.strike(Moment.REQUEST_DELAYED, *key, attempt):
            await self._clock.sleep(faults.delay_s(fault))
        if fault := faults.strike(Moment.REQUEST_REORDERED, *key, attempt):
            await self._requests.overtaken(command.order_id, at_most_s=faults.delay_s(fault))
        if faults.strike(Moment.REQUEST_DUPLICATED, *key, attempt):
            await self._service.call(command)
            faults.arrive(command)
        answer = await self._service.call(command)
        if fault := faults.strike(Moment.REQUEST_REPLAYED, *key, attempt):
            self._replay(command, faults.delay_s(fault))
        self._requests.goes_by(command.order_id)
        number = faults.answer(command)
        if self._answers_return:
            await faults.send(command.order_id, command.name, answer.name, number)
            await self._hold_back(command, number)
        if faults.strike(Moment.ANSWER_LOST, *key, number):
            await self._clock.sleep(RECONNECT_S)
            raise ConnectionLost(f"{command.name}: injected loss of the answer")
        if self._wire is not None and self._answers_return:
            self._wire.check_answer()
        return answer

    def _replay(self, command: Command, after_s: float) -> None:
        """Let the request come once more, later; nobody waits for its answer."""

        async def come_again() -> None:
            with self._faults.holding(), contextlib.suppress(Failure, ParticipantCrashed):
                await self._clock.sleep(after_s)
                self._faults.arrive(command)
                await self._service.call(command)

        task = asyncio.create_task(come_again())
        self._replaying.add(task)
        task.add_done_callback(self._replaying.discard)

    async def _hold_back(self, command: Command, number: int) -> None:
        faults, key = self._faults, (command.order_id, command.name)
        if fault := faults.strike(Moment.ANSWER_DELAYED, *key, number):
            await self._clock.sleep(faults.delay_s(fault))
        if fault := faults.strike(Moment.ANSWER_REORDERED, *key, number):
            await self._answers.overtaken(command.order_id, at_most_s=faults.delay_s(fault))
        self._answers.goes_by(command.order_id)


def unreliable_function(
    function: Callable[[bytes], Awaitable[bytes]], faults: PlannedFaults
) -> Callable[[bytes], Awaitable[bytes]]:
    """A function whose payload and response may be corrupted on their way."""

    async def call(payload: bytes) -> bytes:
        message = orjson.loads(payload)
        order_id, operation = message["order"]["order_id"], message["name"]
        attempt = faults.record.attempts[order_id, operation] + 1
        if faults.strike(Moment.CONTEXT_LOST, order_id, operation, attempt):
            payload = orjson.dumps(message | {"traceparent": ""})
        payload = _corrupted_as_planned(payload, faults, order_id, operation, attempt)
        answer = await function(payload)
        number = faults.record.answers[order_id, operation]
        if faults.strike(Moment.OVERSIZED_ANSWER, order_id, operation, number):
            answer = corrupted(answer, Moment.OVERSIZED)
        elif faults.strike(Moment.UNEXPECTED_ANSWER, order_id, operation, number):
            answer = corrupted(answer, Moment.UNEXPECTED_ANSWER)
        return answer

    return call


def _corrupted_as_planned(
    body: bytes, faults: PlannedFaults, order_id: str, operation: str, attempt: int
) -> bytes:
    """The body, or the first of the planned ways to make it unreadable: it is unreadable only once."""
    for moment in sorted(CORRUPTED):
        if faults.strike(moment, order_id, operation, attempt):
            return corrupted(body, moment)
    return body


def corrupted(body: bytes, moment: Moment) -> bytes:
    """A message in JSON, made unreadable."""
    match moment:
        case Moment.POISON:
            return body[: len(body) // 2]
        case Moment.UNKNOWN_VERSION:
            document = orjson.loads(body)
            if "version" in document:
                document["version"] = 99
            else:
                document["type"] = document["type"].rpartition(".")[0] + ".v99"
            return orjson.dumps(document)
        case Moment.UNEXPECTED_ANSWER:
            document = orjson.loads(body)
            key = "type" if "type" in document else "name"
            return orjson.dumps(document | {key: "SomethingElse"})
        case _:
            return body + b" " * MAX_BYTES  # it may be unreadable already


class UnreliableBroker:
    """A Broker behind a network that corrupts, repeats, delays and loses what is published, and confirms with it."""

    def __init__(
        self,
        broker: Broker,
        faults: PlannedFaults,
        environment: Environment,
        *,
        wire: SoftWire | None = None,
    ) -> None:
        self._broker, self._faults, self._wire = broker, faults, wire
        self._clock, self._saga = environment.clock, environment.saga
        self._leads_to = self._saga.leads_to(environment.variant)
        self._answers = Later()

    async def publish(self, message: Envelope) -> None:
        """See Broker. The answer itself has arrived when its confirm is lost."""
        if self._wire is not None:
            self._wire.check()
        with self._faults.holding():
            await self._carry(message)

    async def _carry(self, message: Envelope) -> None:
        faults, order_id = self._faults, message.order_id
        # LOOK: the saga deadline's own event answers no request and is not struck: it is what comes to the rescue.
        if message.routing_key == self._saga.expired.__name__:
            await self._broker.publish(message)
            return
        number, as_published = faults.publish(message.message_id), message.body
        if message.routing_key in self._saga.events:
            operation = message.caused_by.rpartition(":")[2]
            await faults.send(order_id, operation, message.routing_key, number)
        for operation in self._leads_to.get(message.routing_key, ()):
            led = faults.lead(order_id, operation)
            if message.body == as_published:
                body = _corrupted_as_planned(message.body, faults, order_id, operation, led)
                message = replace(message, body=body)
            if faults.strike(Moment.CONTEXT_LOST, order_id, operation, led):
                message = replace(message, traceparent="")
            if faults.strike(Moment.COORDINATOR_FORGOT, order_id, operation, led):
                return
        if message.routing_key not in self._saga.events:
            await self._broker.publish(message)
        else:
            await self._carry_answer(message, as_published, number)

    async def _carry_answer(self, message: Envelope, as_published: bytes, number: int) -> None:
        operation = message.caused_by.rpartition(":")[2]
        faults, key = self._faults, (message.order_id, operation, number)
        if faults.strike(Moment.OVERSIZED_ANSWER, *key):
            message = replace(message, body=corrupted(message.body, Moment.OVERSIZED))
        elif message.body == as_published and faults.strike(Moment.UNEXPECTED_ANSWER, *key):
            message = replace(message, body=corrupted(message.body, Moment.UNEXPECTED_ANSWER))
        if fault := faults.strike(Moment.ANSWER_DELAYED, *key):
            await self._clock.sleep(faults.delay_s(fault))
        if fault := faults.strike(Moment.ANSWER_REORDERED, *key):
            await self._answers.overtaken(message.order_id, at_most_s=faults.delay_s(fault))
        if faults.strike(Moment.ANSWER_DUPLICATED, *key):
            await self._broker.publish(message)
        await self._broker.publish(message)
        self._answers.goes_by(message.order_id)
        if number == 1 and faults.strike(Moment.ANSWER_LOST, *key):
            raise OutcomeUnknown(f"{message.routing_key}: injected loss of the confirm")

    async def audited(self) -> None:
        """See Broker."""
        await self._broker.audited()

    def subscribe(self, queue: str) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        """See Broker."""
        if self._wire is None:
            return self._broker.subscribe(queue)
        return self._wire.subscribe(self._broker, queue)

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
