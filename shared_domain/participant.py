"""The one door by which either style calls a participant: span, log, fault points, deadline, one transaction."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from shared_domain.database import Database, Transaction
from shared_domain.errors import Failure, OutcomeUnknown
from shared_domain.exactly_once import ExactlyOnce
from shared_domain.faults import Point
from shared_domain.messages import COMPENSATIONS, Command, Event
from shared_domain.ports import Faults, Tracer


class Participant:
    """One service with its own database."""

    def __init__(
        self,
        *,
        name: str,
        database: Database,
        handle: Callable[[Transaction, Command], Event],
        once: ExactlyOnce,
        faults: Faults,
        tracer: Tracer,
        deadline_s: float | None,
    ) -> None:
        """`deadline_s`: the scaled step deadline, or None for no deadline."""
        self.name, self.database, self.once = name, database, once
        self._handle, self._faults, self.tracer = handle, faults, tracer
        self._deadline_s = deadline_s

    async def call(self, command: Command) -> Event:
        """See ports.Service."""
        with self.tracer.span(
            f"{self.name} {command.name}",
            service=self.name,
            parent=command.traceparent,
            order_id=command.order_id,
            operation=command.name,
            step="compensation" if type(command) in COMPENSATIONS else "forward",
        ) as traceparent:
            try:
                answer = await self._in_time(replace(command, traceparent=traceparent))
            except Failure as failure:
                self.tracer.log(self.name, command, f"{type(failure).__name__}: {failure}")
                raise
            self.tracer.tag(answer=answer.name)
            self.tracer.log(self.name, command, answer.name)
            if answer.traceparent != traceparent:
                # What did it first is in another branch of the trace, or in another trace.
                self.tracer.link(answer.traceparent)
            return answer

    async def _in_time(self, command: Command) -> Event:
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._once(command)
        except TimeoutError:
            raise OutcomeUnknown(f"{command.name}: step deadline passed") from None

    async def _once(self, command: Command) -> Event:
        await self._faults.reach(Point.BEFORE_COMMIT, command)
        with self.tracer.span(
            "transaction",
            service=self.name,
            parent=command.traceparent,
            order_id=command.order_id,
        ):
            answer = await self.database.write(
                lambda tx: self._handle(tx, command), alone=self._faults.touches(command)
            )
        await self._faults.reach(Point.AFTER_COMMIT, command, answer)
        return answer
