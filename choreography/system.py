"""The choreographed order system of one run: four services around a broker."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

from choreography.broker import Broker, Topology
from choreography.cloud_events import envelope
from choreography.consumer import Consumer
from choreography.deadline import watch_deadlines
from choreography.reactions import STEP_ORDERS, heard_by
from choreography.relay import Relay, unpublished
from choreography.service_host import Loop, serve
from shared_domain.guards import Guards
from shared_domain.messages import Order, PlaceOrder
from shared_domain.participants import Participants
from shared_domain.policy import Policy
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
        hosts: list[asyncio.Task[None]],
    ) -> None:
        self._participants, self._broker, self._hosts = participants, broker, hosts
        self._policy, self._guards, self._tracer, self._clock = policy, guards, tracer, clock

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
    ) -> AsyncIterator["ChoreographedSystem"]:
        """Start the four services. `services` are the participants' doors, or wrappers around them."""
        async with asyncio.TaskGroup() as running:
            hosts = []
            for name, service in services.items():
                door = participants.doors[name]
                relay = Relay(name=name, database=door.database, broker=broker, clock=clock)
                consumer = Consumer(
                    service=service,
                    database=door.database,
                    reactions=STEP_ORDERS[step_order],
                    broker=broker,
                    once=participants.once,
                    policy=policy,
                    guards=guards,
                    clock=clock,
                )
                loops: list[Loop] = [consumer.run]
                if guards.outbox:
                    loops.append(relay.run)
                if name == "order" and guards.timeouts:
                    watch = partial(
                        watch_deadlines,
                        orders=participants.orders,
                        database=door.database,
                        policy=policy,
                        clock=clock,
                        publish_at_once=None if guards.outbox else broker,
                    )
                    loops.append(watch)
                hosts.append(running.create_task(serve(loops)))
            system = cls(
                participants=participants,
                broker=broker,
                policy=policy,
                guards=guards,
                tracer=tracer,
                clock=clock,
                hosts=hosts,
            )
            try:
                yield system
            finally:
                await system.aclose()

    async def place_order(self, order: Order) -> str:
        """See ports.OrderSystem. Accepted = the broker has confirmed the PlaceOrder message."""
        with self._tracer.span("place order", parent="", order_id=order.order_id) as traceparent:
            caused_by = f"{order.order_id}:customer"
            command = PlaceOrder(order=order, caused_by=caused_by, traceparent=traceparent)
            await self._broker.publish(
                envelope(command, source="customer", wall_s=self._clock.wall_s())
            )
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
            unpublished=self._unpublished,
            parked=self.parked,
            policy=self._policy,
            clock=self._clock,
            deadline_s=deadline_s,
        )

    async def parked(self) -> list[Parked]:
        """See ports.OrderSystem: the dead letters."""
        letters = await self._broker.dead_letters()
        return [
            Parked(
                order_id=letter.envelope.order_id,
                operation=letter.operation,
                where=f"dead letter of {letter.queue}, after {letter.envelope.routing_key}",
                why=f"{letter.reason}: {letter.fault}",
            )
            for letter in letters
        ]

    async def ledgers(self) -> Ledgers:
        """See ports.OrderSystem."""
        return await self._participants.ledgers()

    async def evidence(self) -> Mapping[str, list[dict[str, Any]]]:
        """See ports.OrderSystem: what the broker kept."""
        audit = [asdict(e) | {"body": e.body.decode()} for e in await self._broker.audit()]
        return {"audit": audit, "dead_letters": [asdict(p) for p in await self.parked()]}

    async def aclose(self) -> None:
        """See ports.OrderSystem."""
        for host in self._hosts:
            host.cancel()
        await asyncio.wait(self._hosts)
        await self._broker.aclose()

    async def _unpublished(self) -> int:
        return sum(
            [await door.database.read(unpublished) for door in self._participants.doors.values()]
        )
