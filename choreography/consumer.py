"""From a delivery to the participant, and back: ack, retry, give up or dead letter.

The twin of orchestration/engine/interpreter.py: what Retry and Catch say there is decided here.
"""

import asyncio
from collections.abc import Awaitable

from choreography.broker import Broker, Delivery, envelope
from choreography.reactions import FORWARD, GAVE_UP, Reactions
from shared_domain import messages
from shared_domain.database import Database
from shared_domain.errors import (
    ConnectionLost,
    Failure,
    NotDelivered,
    OutcomeUnknown,
    StillParked,
    UnreadableMessage,
)
from shared_domain.exactly_once import ExactlyOnce
from shared_domain.guards import Guards
from shared_domain.messages import Command
from shared_domain.policy import Policy
from shared_domain.ports import Service


class Consumer:
    """Carries one participant's reactions out."""

    def __init__(
        self,
        *,
        service: Service,
        database: Database,
        reactions: Reactions,
        broker: Broker,
        once: ExactlyOnce,
        policy: Policy,
        guards: Guards,
    ) -> None:
        self._service, self._database = service, database
        self._reactions, self._broker = reactions, broker
        self._once, self._policy, self._guards = once, policy, guards

    async def run(self) -> None:
        """Handle deliveries, many at a time, until cancelled. Raise ParticipantCrashed if a fault says so."""
        async with (
            self._broker.subscribe(self._service.name) as deliveries,
            asyncio.TaskGroup() as handling,
        ):
            async for delivery in deliveries:
                handling.create_task(self._handle(delivery))

    async def _handle(self, delivery: Delivery) -> None:
        try:
            command = self._command(delivery)
        except UnreadableMessage as error:
            await self._park(delivery, "", f"unreadable: {error}")
            return
        try:
            await self._call(command)
        except (NotDelivered, ConnectionLost):
            await delivery.requeue()
        except OutcomeUnknown as failure:
            await self._after_failure(delivery, command, failure)
        except StillParked:
            await delivery.ack()
        else:
            await delivery.ack()

    def _command(self, delivery: Delivery) -> Command:
        """What this service does when it hears this. Raise UnreadableMessage if it does not know."""
        message = messages.from_bytes(delivery.envelope.body)
        if type(message) not in self._reactions:
            raise UnreadableMessage(f"{self._service.name} has no reaction to {message.name}")
        _, operation = self._reactions[type(message)]
        return message if isinstance(message, Command) else messages.follow(operation, message)

    async def _call(self, command: Command) -> None:
        if self._guards.outbox:
            await self._service.call(command)
            return
        # What tutorials do: commit, then publish, then ack. An answer that is only recalled is not published.
        known = await self._database.read(lambda tx: self._once.answered(tx, command))
        answer = await self._service.call(command)
        if not known:
            await self._broker.publish(envelope(answer))

    async def _after_failure(
        self, delivery: Delivery, command: Command, failure: OutcomeUnknown
    ) -> None:
        forward = type(command) in FORWARD
        budget = self._policy.retries(compensation=not forward, guards=self._guards)
        if delivery.attempt <= budget:
            await self._or_requeue(delivery, delivery.retry())
        elif gave_up := GAVE_UP.get(type(command)):
            answer = await self._database.write(lambda tx: self._once.give_up(tx, command, gave_up))
            if not self._guards.outbox:
                await self._broker.publish(envelope(answer))
            await delivery.ack()
        else:
            reason = f"retry budget spent: {failure}"
            if self._guards.dead_letters:
                await self._database.write(lambda tx: self._once.park(tx, command, reason))
            await self._park(delivery, command.name, reason)

    async def _park(self, delivery: Delivery, operation: str, reason: str) -> None:
        if self._guards.dead_letters:
            await self._or_requeue(delivery, delivery.dead_letter(operation, reason))
        else:
            await delivery.ack()

    async def _or_requeue(self, delivery: Delivery, move: Awaitable[None]) -> None:
        try:
            await move
        except Failure:
            await delivery.requeue()
