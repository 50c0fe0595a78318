"""How every style calls a participant: span, log, fault points, deadline, one transaction."""

import asyncio
import sqlite3

from kernel.database import Database, Transaction
from kernel.environment import Environment
from kernel.errors import Failure, OutcomeUnknown
from kernel.faults import Point
from kernel.full_disk import disk_failed
from kernel.ledger import Ledger
from kernel.messages import Command, Event, traced
from kernel.supplied import open_inbox, open_outbox
from kernel.timeline import REPEATED


class Participant:
    """One service with its own database: the only way by which a style reaches its rules."""

    def __init__(self, name: str, database: Database, environment: Environment) -> None:
        saga, guards = environment.saga, environment.guards
        self.name, self.database, self.tracer = name, database, environment.tracer
        self.clock = environment.faults.clock_of(name, environment.clock)
        self.outbox = open_outbox(saga.outbox, codec=saga.codec, guards=guards, clock=self.clock)
        self.inbox = open_inbox(
            saga.inbox,
            codec=saga.codec,
            guards=guards,
            ledger=Ledger(self.clock),
            outbox=self.outbox,
        )
        self._business, self._undo = saga.participants[name], saga.undoes
        self._faults = environment.faults
        self._deadline_s = environment.policy.step_s() if guards.timeouts else None

    async def call(self, command: Command) -> Event:
        """See ports.Service."""
        with self.tracer.span(
            f"{self.name} {command.name}",
            service=self.name,
            parent=command.traceparent,
            order_id=command.order_id,
            operation=command.name,
            step="compensation" if command.name in self._undo else "forward",
        ) as traceparent:
            try:
                answer = await self._in_time(traced(command, traceparent))
            except Failure as failure:
                self.tracer.log(self.name, command, f"{type(failure).__name__}: {failure}")
                raise
            # What did it first is in another branch of the trace, or in another trace.
            repeated = answer.traceparent != traceparent
            self.tracer.tag(answer=answer.name)
            self.tracer.log(self.name, command, answer.name + (REPEATED if repeated else ""))
            if repeated:
                self.tracer.tag(repeated="yes")
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
            try:
                answer = await self.database.write(
                    lambda tx: self._handle(tx, command), alone=self._faults.touches(command)
                )
            except sqlite3.OperationalError as error:
                if disk_failed(error):  # there may be room again when it is retried
                    raise OutcomeUnknown(f"{command.name}: {error}") from error
                raise
        await self._faults.reach(Point.AFTER_COMMIT, command, answer)
        return answer

    def _handle(self, tx: Transaction, command: Command) -> Event:
        """The answer to `command`: a repeated message gets the first one again, and acts once."""
        if earlier := self.inbox.recall(tx, command):
            return earlier
        business = self._business
        tombstoned = self.inbox.tombstoned(tx, command.order_id)
        record = business.load(tx, command, tombstoned=tombstoned)
        record, decision = business.RULES[type(command)](record, command)
        business.save(tx, record, command, wall_s=self.clock.wall_s())
        return self.inbox.remember(tx, command, decision)
