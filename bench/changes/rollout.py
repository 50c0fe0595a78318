"""Old and new at once: customers keep coming while one part after the other is replaced, under virtual time."""

import asyncio
import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bench.changes.deployment import CLIENT
from kernel.environment import Environment
from kernel.errors import Failure
from kernel.faults import NoFaults, Point
from kernel.memory_files import MemoryFolder
from kernel.messages import Command, Event
from kernel.policy import Policy
from kernel.ports import Clock, Ledgers, Parked
from kernel.saga import Saga
from scenarios.campaigns.simulation.loop import SimulatedLoop
from scenarios.campaigns.simulation.simulated import LIMIT_S, VirtualClock, without_collector
from scenarios.runs.rollout import Rollout, Versions
from scenarios.runs.scenario import PLENTY
from scenarios.styles.style import Style

ORDERS = 40
EVERY_S = 1.5
"""Between two customers, so that the last one comes after a minute."""
FIRST_S, LAST_S = 12.0, 48.0
"""When the first part is replaced, and the last one; a single part halfway. Five parts are 9 s apart, longer than a retry budget lasts:
what hides a missing part for a few seconds does not hide it in a real deployment.
"""
SERVICE_S = (0.5, 2.5)
"""How long a participant works on a command: a saga takes about 8 s, so that about five are on their way at any time."""
REFUSED_EVERY = 4
"""Every fourth order gives a participant a reason to refuse it, one step of the new version after the other."""
PATIENCE_S = 300.0


@dataclass(slots=True, kw_only=True)
class Placed:
    """One order. `refusable`: the step that it gives a reason to refuse, "" = none. `by_new`: whether it was placed by a client of the new version or, where
    clients stay as they are, after everything had been replaced.
    """

    order: Any
    refusable: str
    by_new: bool = False
    asked_mono_s: float = 0.0
    accepted_mono_s: float | None = None
    told: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolled:
    """All that is known when a rollout is over. `mono_s`: when. `quiescent`: whether nothing could change any more.

    `failed`, `died`: see Rollout.
    """

    placed: list[Placed]
    ledgers: Ledgers
    parked: list[Parked]
    mono_s: float
    quiescent: bool
    failed: set[str]
    died: list[str]


class Working(NoFaults):
    """Participants that take their time: drawn by hash, the same in every style and every order of deployment."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock, self._seed = clock, seed

    async def reach(self, point: str, command: Command, answer: Event | None = None) -> None:
        """See Faults."""
        if point == Point.BEFORE_COMMIT:
            drawn = hashlib.sha256(f"{self._seed}:{command.message_id}".encode()).digest()[0] / 255
            low_s, high_s = SERVICE_S
            await self._clock.sleep(low_s + drawn * (high_s - low_s))


def roll_out(style: Style, old: Saga, new: Saga, parts: Sequence[str], *, seed: int) -> Rolled:
    """Replace `parts` in this order while sagas are on their way. The same arguments give the same rows.

    Raise NeverEnds if the simulation does not come to its end.
    """
    loop = SimulatedLoop(seed, limit_s=LIMIT_S)  # type: ignore[abstract]  # what is missing needs a network
    clock = VirtualClock(loop)
    with without_collector(), MemoryFolder() as folder:
        working = Working(clock, seed)
        versions = Versions(
            folder=folder,
            old=_environment(old, clock, working),
            new=_environment(new, clock, working),
        )
        rolled: Rolled = loop.run_until_complete(_rolled(style, versions, parts, clock, seed))
        return rolled


def policy() -> Policy:
    """The usual one, unscaled: virtual time costs nothing."""
    return Policy()


def _environment(saga: Saga, clock: Clock, faults: NoFaults) -> Environment:
    return Environment(saga=saga, variant=saga.variant, policy=policy(), faults=faults, clock=clock)


async def _rolled(
    style: Style, versions: Versions, parts: Sequence[str], clock: Clock, seed: int
) -> Rolled:
    async with style.roll_out(versions) as rollout:
        saga = versions.new.saga
        await rollout.participants.stock_up({saga.workload.item: PLENTY})
        await clock.sleep(0.1)
        client = _Client(rollout, versions, clock, seed, waits=CLIENT in parts)
        async with asyncio.TaskGroup() as group:
            group.create_task(client.place_all())
            group.create_task(_replace(rollout, client, parts, clock))
        ids = [one.order.order_id for one in client.placed if one.accepted_mono_s is not None]
        settlement = await rollout.new.settle(ids, deadline_s=PATIENCE_S)
        for one in client.placed:
            one.told.append(await rollout.new.outcome(one.order.order_id))
        return Rolled(
            placed=client.placed,
            ledgers=await rollout.participants.ledgers(),
            parked=await rollout.new.parked(),
            mono_s=clock.mono_s(),
            quiescent=settlement.how == "quiescent",
            failed=await rollout.failed(),
            died=rollout.died,
        )


async def _replace(rollout: Rollout, client: "_Client", parts: Sequence[str], clock: Clock) -> None:
    pause_s = (LAST_S - FIRST_S) / max(1, len(parts) - 1)
    await clock.sleep(FIRST_S if len(parts) > 1 else (FIRST_S + LAST_S) / 2)
    for part in parts:
        if part == CLIENT:
            client.replaced = True
        else:
            await rollout.deploy(part)
        if part != parts[-1]:
            await clock.sleep(pause_s)
    client.replaced = True


class _Client:
    """Places orders of the version that it has."""

    def __init__(
        self, rollout: Rollout, versions: Versions, clock: Clock, seed: int, *, waits: bool
    ) -> None:
        """`waits`: whether the versions of an order differ, so that the old client cannot place new ones."""
        self._rollout, self._versions, self._clock = rollout, versions, clock
        self._seed, self._waits = seed, waits
        self.placed: list[Placed] = []
        self.replaced = False

    async def place_all(self) -> None:
        """Let every customer come."""
        for index, refusable in enumerate(refusals(self._versions.new.saga)):
            await self._place(index, refusable)
            await self._clock.sleep(EVERY_S)

    async def _place(self, index: int, refusable: str) -> None:
        saga = (self._versions.new if self.replaced or not self._waits else self._versions.old).saga
        work, chance = saga.workload, Random(1000 * self._seed + index)
        order = work.order(index, n=ORDERS, chance=chance, item=work.item)
        if refusable:
            order = work.refusable(order, refusable)
        one = Placed(order=order, refusable=refusable, by_new=self.replaced)
        one.asked_mono_s = self._clock.mono_s()
        system = self._rollout.new if self.replaced else self._rollout.old
        with contextlib.suppress(Failure):
            one.told.append(await system.start(order))
            one.accepted_mono_s = self._clock.mono_s()
        self.placed.append(one)


def refusals(saga: Saga) -> Iterator[str]:
    """The step at which each order can be refused, "" = at none."""
    steps = [name for name in saga.forward[1:] if name in saga.refusable]
    for index in range(ORDERS):
        nth, rest = divmod(index, REFUSED_EVERY)
        yield steps[nth % len(steps)] if rest == REFUSED_EVERY - 1 else ""
