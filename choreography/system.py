"""The choreographed order system of one run: four services around a broker."""

import asyncio
import base64
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from choreography.broker import Attempt, Broker, DeadLetter, Topology
from choreography.cloud_events import Envelope, envelope, publish
from choreography.reactions import STEP_ORDERS, Reactions, heard_by
from choreography.relay import unpublished
from choreography.service_host import serve_participant
from shared_domain.guards import Guards
from shared_domain.messages import Event, Order, PlaceOrder, check_order
from shared_domain.order.service import overdue
from shared_domain.participants import Participants
from shared_domain.policy import OnDeadline, Policy
from shared_domain.ports import Clock, Ledgers, Parked, Service, Settlement, Tracer
from shared_domain.settling import settle


def topology(*, prefix: str, step_order: str, policy: Policy) -> Topology:
    """The queues of one run: each service hears the messages that its reactions name."""
    reactions = STEP_ORDERS[step_order]
    services = {service for service, _ in reactions.values()}
    return Topology(
        prefix=prefix,
        bindings={service: heard_by(service, reactions) for service in sorted(services)},
        retry_delays_s=tuple(policy.delays_s()),
    )


class ChoreographedSystem:
    """The OrderSystem port over a Broker. Open it with `async with ChoreographedSystem.open(...)`."""

    def __init__(
        self,
        *,
        participants: Participants,
        broker: Broker,
        policy: Policy,
        guards: Guards,
        tracer: Tracer,
        clock: Clock,
        reactions: Reactions,
        hosts: list[asyncio.Task[None]],
    ) -> None:
        self._participants, self._broker, self._hosts = participants, broker, hosts
        self._policy, self._guards, self._tracer, self._clock = policy, guards, tracer, clock
        self._reactions = reactions

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        *,
        participants: Participants,
        services: Mapping[str, Service],
        broker: Broker,
        step_order: str,
        policy: Policy,
        guards: Guards,
        tracer: Tracer,
        clock: Clock,
        brokers: Mapping[str, Broker] = {},
    ) -> AsyncIterator["ChoreographedSystem"]:
        """Start the services of this process; none if each has a process of its own.

        `services`: the participants' doors, or wrappers around them. `brokers`: a service's own way to the broker,
        where it is not the customers' way.
        """
        async with asyncio.TaskGroup() as running:
            hosts = [
                running.create_task(
                    serve_participant(
                        participants.doors[name],
                        service=service,
                        broker=brokers.get(name, broker),
                        step_order=step_order,
                        policy=policy,
                        guards=guards,
                        clock=clock,
                    )
                )
                for name, service in services.items()
            ]
            system = cls(
                participants=participants,
                broker=broker,
                policy=policy,
                guards=guards,
                tracer=tracer,
                clock=clock,
                reactions=STEP_ORDERS[step_order],
                hosts=hosts,
            )
            try:
                yield system
            finally:
                await system.aclose()

    async def place_order(self, order: Order) -> str:
        """See ports.OrderSystem. Accepted = the broker has confirmed the PlaceOrder message."""
        check_order(order)
        with self._tracer.span(
            "place order", service="customer", parent="", order_id=order.order_id, kind="client"
        ) as traceparent:
            caused_by = f"{order.order_id}:customer"
            command = PlaceOrder(order=order, caused_by=caused_by, traceparent=traceparent)
            message = envelope(command, source="customer", wall_s=self._clock.wall_s())
            await publish(self._broker, message, self._tracer, service="customer")
        return "PENDING" if self._guards.semantic_lock else "CONFIRMED"

    async def outcome(self, order_id: str) -> str:
        """See ports.OrderSystem. The customer asks the order service; nobody else knows the whole order."""
        status = await self._participants.status(order_id)
        return "CONFIRMED" if status == "PENDING" and not self._guards.semantic_lock else status

    async def settle(self, order_ids: Iterable[str], *, deadline_s: float) -> Settlement:
        """See ports.OrderSystem."""
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
        """See ports.OrderSystem: the dead letters, and what the order service reports as open past its deadline."""
        parked = [_parked(letter) for letter in await self._broker.dead_letters()]
        if self._policy.on_deadline == OnDeadline.REPORT:
            waiting = {saga.order_id for saga in parked}
            parked += [_overdue(e) for e in await self._overdue() if e.order_id not in waiting]
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
        return [*(_parked(letter) for letter in sent), *(_overdue(event) for event in late)]

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

    async def backlog(self) -> int:
        """See ports.OrderSystem."""
        return await self._broker.waiting()

    async def ledgers(self) -> Ledgers:
        """See ports.OrderSystem."""
        return await self._participants.ledgers()

    async def evidence(self, order_id: str = "") -> Mapping[str, list[dict[str, Any]]]:
        """See ports.OrderSystem: what the broker kept, and who hears what."""
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
            {"heard": heard.__name__, "service": service, "operation": command.__name__}
            for heard, (service, command) in self._reactions.items()
        ]
        return {"audit": audit, "dead_letters": letters, "definition": definition}

    async def aclose(self) -> None:
        """See ports.OrderSystem."""
        for host in self._hosts:
            host.cancel()
        if self._hosts:
            await asyncio.wait(self._hosts)
        await self._broker.aclose()

    def _leads_to(self, letter: DeadLetter) -> str:
        """The operation that a message leads to, or would if it could be read; "" = none."""
        leads = {h.__name__: command.__name__ for h, (_, command) in self._reactions.items()}
        return leads.get(letter.envelope.routing_key, "")

    async def _overdue(self) -> list[Event]:
        return await self._participants.doors["order"].database.read(overdue)

    async def _under_way(self) -> int:
        """Events that are not published, and messages that nobody has done with."""
        doors = self._participants.doors.values()
        return sum([await door.database.read(unpublished) for door in doors]) + await self.backlog()


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


def _overdue(expired: Event) -> Parked:
    return Parked(
        order_id=expired.order_id,
        operation="",
        where="order service",
        why="open past the saga deadline",
        parked_id=expired.order_id,
        reported=True,
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
