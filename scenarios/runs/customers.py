"""The customers of a run: each comes at its time and asks until its order is accepted."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from kernel.errors import Failure
from kernel.ports import Clock
from kernel.saga import Saga
from scenarios.judge.oracle import Asked
from scenarios.runs.folder import SCHEMA

PAUSE_S = 0.1
"""A customer whose order was not accepted asks again after this long, with the same order_id."""
PATIENCE_S = 30.0


@dataclass(slots=True, kw_only=True)
class Customer:
    """One order on its way, as orders.jsonl tells it."""

    order: Any
    intended_mono_s: float
    started_mono_s: float | None = None
    accepted_mono_s: float | None = None
    attempts: int = 0
    told: list[str] = field(default_factory=list)
    refusal: str = ""
    also: list[Any] = field(default_factory=list)
    """What is sent under the same order_id while the first request is on its way: the same again, or another content."""
    reads: list[tuple[str, str]] = field(default_factory=list)
    """See Asked."""

    def asked(self) -> Asked:
        """What the judge is told about it."""
        return Asked(
            order=self.order,
            accepted=self.accepted_mono_s is not None,
            told=tuple(self.told),
            intended_mono_s=self.intended_mono_s,
            accepted_mono_s=self.accepted_mono_s,
            also=tuple(self.also),
            reads=tuple((shown, then) for shown, then in self.reads),
        )

    def line(self, index: int) -> dict[str, Any]:
        """Its line of orders.jsonl; without what is empty and seldom there."""
        line = {"schema": SCHEMA, "index": index, **asdict(self)}
        return {k: v for k, v in line.items() if v or k not in ("also", "reads")}

    @classmethod
    def of_line(cls, line: dict[str, Any], saga: Saga) -> Self:
        """The customer that a line of orders.jsonl tells of."""
        known: dict[str, Any] = {k: v for k, v in line.items() if k not in ("schema", "index")}
        known["order"] = saga.order(**line["order"])
        known["also"] = [saga.order(**content) for content in line.get("also", ())]
        return cls(**known)


async def come(
    customers: Sequence[Customer],
    *,
    start: Callable[[Any], Awaitable[str]],
    clock: Clock,
    accepted: Callable[[Customer], None],
) -> None:
    """Let every customer come at its intended time; returns when all have been served or have lost patience.

    `start`: see ports.SagaSystem. `accepted` is called for each when it has been served.
    """

    async def be_served(customer: Customer) -> None:
        while (left_s := customer.intended_mono_s - clock.mono_s()) > 0:
            await clock.sleep(left_s)  # a timer may ring a little early
        customer.started_mono_s = clock.mono_s()
        while customer.accepted_mono_s is None:
            customer.attempts += 1
            try:
                customer.told.append(await start(customer.order))
                customer.accepted_mono_s = clock.mono_s()
            except Failure as failure:
                customer.refusal = str(failure)
                if clock.mono_s() - customer.started_mono_s > PATIENCE_S:
                    break
                await clock.sleep(PAUSE_S)
        accepted(customer)

    async def ask_again(customer: Customer, content: Any) -> None:
        while (left_s := customer.intended_mono_s - clock.mono_s()) > 0:
            await clock.sleep(left_s)
        with contextlib.suppress(Failure):
            await start(content)

    async with asyncio.TaskGroup() as shop:
        for customer in customers:
            shop.create_task(be_served(customer))
            for content in customer.also:
                shop.create_task(ask_again(customer, content))
