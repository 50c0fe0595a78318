"""From a delivery to the participant, and back: ack, retry, give up or dead letter.

The twin of orchestration/engine/interpreter.py: what Retry and Catch say there is decided here.
"""

import asyncio
import contextlib
from collections.abc import Awaitable
from dataclasses import replace

from choreography.broker import MAX_REDELIVERIES, Attempt, Broker, Delivery
from choreography.cloud_events import envelope, publish, read
from kernel import messages, parked
from kernel.environment import Environment
from kernel.errors import (
    ConnectionLost,
    Failure,
    NotDelivered,
    OutcomeUnknown,
    StillParked,
    UnreadableMessage,
)
from kernel.joins import join
from kernel.messages import Command, Event, Message, traced
from kernel.participant import Participant
from kernel.ports import Service
from kernel.reactions import Reaction
from kernel.timeline import PARKED


class Consumer:
    """Carries one participant's reactions out."""

    def __init__(
        self,
        participant: Participant,
        *,
        service: Service,
        broker: Broker,
        environment: Environment,
    ) -> None:
        """`service`: the participant, or a wrapper around it."""
        self._service, self._database, self._inbox = (
            service,
            participant.database,
            participant.inbox,
        )
        self._broker, self._saga = broker, environment.saga
        self._reactions = environment.reactions_of(participant.name)
        self._policy, self._guards = environment.policy, environment.guards
        self._tracer, self._clock = environment.tracer, environment.clock
        self._showing: set[str] = set()
        """Commands whose dead letter is on its way."""

    async def run(self) -> None:
        """Handle deliveries, many at a time, until cancelled. Raise ParticipantCrashed if a fault says so."""
        async with (
            self._broker.subscribe(self._service.name) as deliveries,
            asyncio.TaskGroup() as handling,
        ):
            async for delivery in deliveries:
                handling.create_task(self._handle(delivery))

    async def _handle(self, delivery: Delivery) -> None:
        message = delivery.envelope
        with self._tracer.span(
            f"deliver {message.routing_key}",
            service=self._service.name,
            parent=message.traceparent,
            order_id=message.order_id,
            kind="consumer",
            message_id=message.message_id,
            operation=self._meant(delivery),
            attempt=str(len(delivery.attempts) + 1),
        ) as traceparent:
            await self._react(delivery, traceparent)

    async def _react(self, delivery: Delivery, traceparent: str) -> None:
        try:
            message, reaction = self._heard(delivery)
        except UnreadableMessage as error:
            await self._park(delivery, "", "unreadable", error)
            return
        command = traced(_command(message, reaction), traceparent)
        if reaction.joins:
            causes = await self._database.write(lambda tx: join(tx, message, reaction))
            if not causes:
                self._tracer.tag(operation="")  # it was only remembered
                await delivery.ack()
                return
            command = replace(command, caused_by=causes)
        try:
            if delivery.redriven:
                await self._database.write(lambda tx: parked.unpark(tx, command))
            if delivery.redelivered and await self._done_with(command):
                await delivery.ack()
                return
            await self._call(command)
        except _CameBackTooOften as error:
            await self._finally(delivery, command, "redelivered too often", error)
        except (NotDelivered, ConnectionLost):
            await delivery.requeue()
        except OutcomeUnknown as failure:
            await self._after_failure(delivery, command, failure)
        except StillParked as waiting:
            await self._still_parked(delivery, command, waiting)
        else:
            await delivery.ack()

    def _heard(self, delivery: Delivery) -> tuple[Message, Reaction]:
        """What was said, and what this service does about it. Raise UnreadableMessage if it does not know."""
        message = read(delivery.envelope.body, self._saga.codec)
        if type(message) not in self._reactions:
            raise UnreadableMessage(f"{self._service.name} has no reaction to {message.name}")
        return message, self._reactions[type(message)]

    def _meant(self, delivery: Delivery) -> str:
        """The operation that a message leads to, or was meant to if it cannot be read; "" = none."""
        heard = delivery.envelope.routing_key
        leads_to = {kind.__name__: r.command.__name__ for kind, r in self._reactions.items()}
        return leads_to.get(heard, "")

    async def _done_with(self, command: Command) -> bool:
        """Count a redelivery before the work that may end this process again; whether nothing but the ack is left to do."""
        times, answered = await self._database.write(
            lambda tx: (parked.redelivered(tx, command), self._inbox.answered(tx, command))
        )
        if times > MAX_REDELIVERIES and not answered:
            raise _CameBackTooOften(f"{command.name} came back {times} times without an ack")
        return times > MAX_REDELIVERIES

    async def _call(self, command: Command) -> None:
        if self._guards.outbox:
            await self._service.call(command)
            return
        # What tutorials do: commit, then publish, then ack. An answer that is only recalled is not published.
        known = await self._database.read(lambda tx: self._inbox.answered(tx, command))
        answer = await self._service.call(command)
        if not known:
            await self._publish(answer)

    async def _after_failure(
        self, delivery: Delivery, command: Command, failure: OutcomeUnknown
    ) -> None:
        try:
            # A second chain that fails before it can learn that the first one is parked.
            await self._database.read(lambda tx: parked.check(tx, command))
        except StillParked as waiting:
            await self._still_parked(delivery, command, waiting)
            return
        undo = command.name in self._saga.undoes
        budget = self._policy.retries(compensation=undo, guards=self._guards)
        if len(delivery.attempts) < budget:
            await self._or_requeue(delivery, delivery.retry(self._attempt(delivery, failure)))
        else:
            await self._finally(delivery, command, "retry budget spent", failure)

    async def _finally(
        self, delivery: Delivery, command: Command, reason: str, failure: Failure
    ) -> None:
        """Announce that the step gave up, or park a message that has nowhere else to go."""
        if gave_up := self._saga.gave_up.get(command.name):
            answer = await self._database.write(
                lambda tx: self._inbox.give_up(tx, command, gave_up)
            )
            self._tracer.tag(answer=answer.name)
            self._tracer.log(self._service.name, command, answer.name)
            if not self._guards.outbox:
                with contextlib.suppress(Failure):  # without an outbox it is lost
                    await self._publish(answer)
            await delivery.ack()
        elif await self._database.read(lambda tx: self._inbox.answered(tx, command)):
            await delivery.ack()  # a second chain found it done, or would have
        elif self._guards.dead_letters:
            await self._show(delivery, command, reason, failure, park=True)
        else:
            await delivery.ack()

    async def _still_parked(
        self, delivery: Delivery, command: Command, waiting: StillParked
    ) -> None:
        """Let a parked message sleep; but if its dead letter may never have reached the broker, send it again.

        That it was delivered before does not tell: RabbitMQ may forget that when it is killed.
        """
        if waiting.shown or not waiting.mine:
            await delivery.ack()
        else:
            await self._show(delivery, command, waiting.reason, waiting)

    async def _show(
        self,
        delivery: Delivery,
        command: Command,
        reason: str,
        failure: Exception,
        *,
        park: bool = False,
    ) -> None:
        """Give a message its dead letter, unless a copy of it is just getting one. `park`: leave it to the operator first."""
        if command.message_id in self._showing:
            await delivery.ack()
            return
        self._showing.add(command.message_id)
        try:
            if park:
                await self._database.write(lambda tx: parked.park(tx, command, reason))
            self._tracer.log(self._service.name, command, f"{PARKED}{reason}: {failure}")
            if await self._park(delivery, command.name, reason, failure):
                await self._database.write(lambda tx: parked.mark_shown(tx, command))
        finally:
            self._showing.discard(command.message_id)

    async def _publish(self, answer: Event) -> None:
        message = envelope(answer, source=self._service.name, wall_s=self._clock.wall_s())
        await publish(self._broker, message, self._tracer, service=self._service.name)

    async def _park(
        self, delivery: Delivery, operation: str, reason: str, failure: Exception
    ) -> bool:
        """Whether the message is a dead letter now."""
        self._tracer.tag(parked=reason)
        if self._guards.dead_letters:
            failed = self._attempt(delivery, failure)
            return await self._or_requeue(delivery, delivery.dead_letter(operation, reason, failed))
        await delivery.ack()
        return False

    async def _or_requeue(self, delivery: Delivery, move: Awaitable[None]) -> bool:
        try:
            await move
        except Failure:
            await delivery.requeue()
            return False
        return True

    def _attempt(self, delivery: Delivery, failure: Exception) -> Attempt:
        fault = f"{type(failure).__name__}: {failure}"
        number = len(delivery.attempts) + 1
        return Attempt(number=number, fault=fault, wall_s=self._clock.wall_s())


def _command(message: Message, reaction: Reaction) -> Command:
    return message if isinstance(message, Command) else messages.follow(reaction.command, message)


class _CameBackTooOften(Failure):
    """A message that nobody can keep in hand long enough to ack it."""
