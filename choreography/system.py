"""The choreography of one run: services around a broker."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from choreography.broker import Attempt, Broker, DeadLetter, Topology
from choreography.cloud_events import Envelope, envelope, publish
from choreography.service_host import serve_participant
from kernel import orders, parked
from kernel.environment import Environment
from kernel.messages import Event, Order
from kernel.participants import Participants
from kernel.policy import OnDeadline
from kernel.ports import Ledgers, Parked, Service, Settlement
from kernel.settling import settle


def topology(*, prefix: str, environment: Environment) -> Topology:
    """The queues of one run: each service hears the messages that its reactions name."""
    saga, variant = environment.saga, environment.variant
    services = sorted({reaction.service for reaction in saga.reacting(variant)})
    return Topology(
        prefix=prefix,
        bindings={service: saga.heard_by(service, variant) for service in services},
        retry_delays_s=tuple(environment.policy.delays_s()),
    )


async def place(order: Order, *, broker: Broker, environment: Environment) -> str:
    """Place an order; returns the status shown to the customer. Accepted = the broker has confirmed the opening message."""
    saga, tracer = environment.saga, environment.tracer
    saga.codec.check_order(order)
    with tracer.span(
        "place order", service="customer", parent="", order_id=order.order_id, kind="client"
    ) as traceparent:
        caused_by = f"{order.order_id}:customer"
        command = saga.opening(order=order, caused_by=caused_by, traceparent=traceparent)
        message = envelope(command, source="customer", wall_s=environment.clock.wall_s())
        await publish(broker, message, tracer, service="customer")
    return "PENDING" if environment.guards.semantic_lock else "CONFIRMED"


class ChoreographedSystem:
    """The SagaSystem port over a Broker. Open it with `async with ChoreographedSystem.open(...)`."""

    def __init__(
        self,
        *,
        participants: Participants,
        broker: Broker,
        environment: Environment,
        hosts: list[asyncio.Task[None]],
        keeps: Callable[[], bool],
    ) -> None:
        self._participants, self._broker, self._hosts = participants, broker, hosts
        self._keeps = keeps
        self._environment, self._saga = environment, environment.saga
        self._policy, self._guards = environment.policy, environment.guards
        self._tracer, self._clock = environment.tracer, environment.clock

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        *,
        participants: Participants,
        services: Mapping[str, Service],
        broker: Broker,
        environment: Environment,
        brokers: Mapping[str, Broker] = {},
        keeps: Callable[[], bool] = lambda: False,
    ) -> AsyncIterator["ChoreographedSystem"]:
        """Start the services of this process; none if each has a process of its own.

        `services`: the participants, or wrappers around them. `brokers`: a service's own way to the broker,
        where it is not the customers' way. `keeps`: whether the broker keeps queues and messages at the end.
        """
        async with asyncio.TaskGroup() as running:
            hosts = [
                running.create_task(
                    serve_participant(
                        participants.by_name[name],
                        service=service,
                        broker=brokers.get(name, broker),
                        environment=environment,
                    )
                )
                for name, service in services.items()
            ]
            system = cls(
                participants=participants,
                broker=broker,
                environment=environment,
                hosts=hosts,
                keeps=keeps,
            )
            try:
                yield system
            finally:
                await system.aclose()

    async def start(self, order: Order) -> str:
        """See ports.SagaSystem."""
        return await place(order, broker=self._broker, environment=self._environment)

    async def outcome(self, order_id: str) -> str:
        """See ports.SagaSystem. The customer asks the order service; nobody else knows the whole order."""
        status = await self._participants.status(order_id)
        return "CONFIRMED" if status == "PENDING" and not self._guards.semantic_lock else status

    async def settle(self, order_ids: Iterable[str], *, deadline_s: float) -> Settlement:
        """See ports.SagaSystem."""
        return await settle(
            order_ids,
            participants=self._participants,
            under_way=self._under_way,
            parked=self.parked,
            policy=self._policy,
            clock=self._clock,
            deadline_s=deadline_s,
        )

    async def parked(self) -> list[Parked]:
        """See ports.SagaSystem: the dead letters, and what the order service reports as open past its deadline."""
        parked = [_parked(letter) for letter in await self._broker.dead_letters()]
        if self._policy.on_deadline == OnDeadline.REPORT:
            waiting = {saga.order_id for saga in parked}
            parked += [
                self._reported(e) for e in await self._overdue() if e.order_id not in waiting
            ]
        return parked

    async def show(self, parked_id: str) -> dict[str, Any]:
        """See ports.Operator: the letter's headers and body."""
        for letter in await self._broker.dead_letters():
            if letter.letter_id == parked_id:
                return letter_json(letter)
        return {}

    async def redrive(self, parked_ids: Collection[str]) -> list[Parked]:
        """See ports.Operator: to the service that parked it, and to nobody else. What is overdue is compensated."""
        sent = await self._broker.redrive(lambda letter: letter.letter_id in parked_ids)
        late = [e for e in await self._overdue() if e.order_id in parked_ids]
        for expired in late:
            message = envelope(expired, source="operator", wall_s=self._clock.wall_s())
            await publish(self._broker, message, self._tracer, service="operator")
        return [*(_parked(letter) for letter in sent), *(self._reported(event) for event in late)]

    async def discard(self, parked_ids: Collection[str]) -> list[Parked]:
        """See ports.Operator."""
        gone = await self._broker.discard(lambda letter: letter.letter_id in parked_ids)
        return [_parked(letter) for letter in gone]

    async def kept(self) -> list[dict[str, Any]]:
        """See ports.Operator: the dead letters, bodies in base64, since they may be anything."""
        return [_kept(letter) for letter in await self._broker.dead_letters()]

    async def restore(self, kept: list[dict[str, Any]]) -> None:
        """See ports.Operator."""
        await self._broker.restore([_restored(row) for row in kept])

    async def lost(self) -> list[str]:
        """One line for each participant whose dead letters are no longer at the broker, though nobody redrove them."""
        letters = await self._broker.dead_letters()
        there = {f"{letter.envelope.order_id}:{letter.operation}" for letter in letters}
        lines = []
        for name, one in self._participants.by_name.items():
            gone = [m for m in await one.database.read(parked.shown) if m not in there]
            if gone:
                lines.append(
                    f"{len(gone)} dead letters of {name} are gone from the broker, {gone[0]} first: the queue was purged"
                    " or deleted, or a policy (message-ttl, expires,"
                    " delivery-limit) emptied it"
                )
        return lines

    async def backlog(self) -> int:
        """See ports.SagaSystem."""
        return await self._broker.waiting()

    async def ledgers(self) -> Ledgers:
        """See ports.SagaSystem."""
        return await self._participants.ledgers()

    async def evidence(self, order_id: str = "") -> Mapping[str, list[dict[str, Any]]]:
        """See ports.SagaSystem: what the broker kept, and who hears what."""
        audit = [
            asdict(e) | {"body": e.body.decode(errors="replace")}
            for e in await self._broker.audit()
            if order_id in ("", e.order_id)
        ]
        letters = [
            letter_json(letter) | {"leads_to": self._leads_to(letter)}
            for letter in await self._broker.dead_letters()
            if order_id in ("", letter.envelope.order_id)
        ]
        definition = [
            {"heard": name, "service": r.service, "operation": r.command.__name__}
            for r in self._saga.reacting(self._environment.variant)
            for name in sorted(kind.__name__ for kind in r.hears())
        ]
        return {"audit": audit, "dead_letters": letters, "definition": definition}

    async def aclose(self) -> None:
        """See ports.SagaSystem."""
        for host in self._hosts:
            host.cancel()
        if self._hosts:
            await asyncio.wait(self._hosts)
        if not self._keeps():
            await self._broker.aclose()

    def _leads_to(self, letter: DeadLetter) -> str:
        """The operation that a message leads to, or would if it could be read; "" = none."""
        heard = {
            kind.__name__: reaction.command.__name__
            for kind, reaction in self._environment.reactions_of(letter.queue).items()
        }
        return heard.get(letter.envelope.routing_key, "")

    async def _overdue(self) -> list[Event]:
        opener = self._participants.by_name[self._saga.opener].database
        codec, expired = self._saga.codec, self._saga.expired
        return await opener.read(lambda tx: orders.overdue(tx, codec=codec, expired=expired))

    def _reported(self, expired: Event) -> Parked:
        return Parked(
            order_id=expired.order_id,
            operation="",
            where=f"{self._saga.opener} service",
            why="open past the saga deadline",
            parked_id=expired.order_id,
            reported=True,
        )

    async def _under_way(self) -> int:
        """Events that are not published, and messages that nobody has done with."""
        everyone = self._participants.by_name.values()
        return (
            sum([await one.database.read(one.outbox.unpublished) for one in everyone])
            + await self.backlog()
        )


def _kept(letter: DeadLetter) -> dict[str, Any]:
    row = asdict(letter)
    row["envelope"]["body"] = base64.b64encode(letter.envelope.body).decode()
    return row


def _restored(row: dict[str, Any]) -> DeadLetter:
    body = base64.b64decode(row["envelope"]["body"])
    envelope = Envelope(**row["envelope"] | {"body": body})
    attempts = tuple(Attempt(**attempt) for attempt in row["attempts"])
    return DeadLetter(**row | {"envelope": envelope, "attempts": attempts})


def _parked(letter: DeadLetter) -> Parked:
    return Parked(
        order_id=letter.envelope.order_id,
        operation=letter.operation,
        where=f"dead letter of {letter.queue}, after {letter.envelope.routing_key}",
        why=f"{letter.reason}: {letter.fault}",
        parked_id=letter.letter_id,
    )


def letter_json(letter: DeadLetter) -> dict[str, Any]:
    """A dead letter as a JSON object: its headers, the stack of attempts, and the body as text."""
    envelope = {k: v for k, v in asdict(letter.envelope).items() if k != "body"}
    return {
        "parked_id": letter.letter_id,
        "queue": letter.queue,
        "operation": letter.operation,
        "reason": letter.reason,
        "fault": letter.fault,
        "attempts": [asdict(attempt) for attempt in letter.attempts],
        **envelope,
        "body": letter.envelope.body.decode(errors="replace"),
    }
