"""One position of a game: a list of choices, run from the start under virtual time.

The server keeps nothing: the same set-up and choices give the same position, so undo, redo and a link are lists of choices.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kernel.errors import Failure, UsageError
from kernel.memory_files import MemoryFolder
from kernel.ports import Ledgers, Parked, SagaSystem, Settlement
from scenarios.campaigns.play.gates import (
    ANSWER_ACTS,
    LET,
    REQUEST_ACTS,
    ChosenFaults,
    Waiting,
)
from scenarios.campaigns.play.loop import PlayedLoop
from scenarios.campaigns.play.setup import MOST_CHOICES, Setup
from scenarios.campaigns.simulation.loop import NeverEnds
from scenarios.campaigns.simulation.schedule import TIME_SCALE, Schedule
from scenarios.campaigns.simulation.simulated import (
    LIMIT_S,
    EventLog,
    Simulated,
    VirtualClock,
    attended,
    ended_by_force,
    staged,
    without_collector,
)
from scenarios.campaigns.simulation.world import Embedded
from scenarios.faults.plan import LATE_S, FaultPlan
from scenarios.faults.space import ONLY_ONCE
from scenarios.runs.driver import Driver, Ended, Readable
from scenarios.styles.index import STYLES

NEXT, WAIT = "next", "wait"
HAIR_S = 0.01
"""Unscaled. Choices between messages that wait at the same time are so far apart, so that a schedule can say who came first."""
MOST_TICKS = 100_000
PLAYING = "playing"
"""How a position settled that is not the end of its game."""


class NotPossible(UsageError):
    """A choice that there is not in its position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What can be chosen. `usual`: it is what happens if nobody interferes, and costs no move."""

    choice: str
    act: str
    usual: bool
    waiting: Waiting | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What is on the table after these choices.

    `ended`: ledgers, what customers were told, and the judge's verdict if the game were over now; it is final if `over`.
    `schedule`: what the player did, as one that `saga replay` runs. `held`: the rest of it: how long each message was held.
    """

    setup: Setup
    choices: tuple[str, ...]
    options: tuple[Option, ...]
    waiting: tuple[Waiting, ...]
    over: bool
    ended: Ended
    told: tuple[tuple[str, ...], ...]
    simulated: Simulated
    schedule: Schedule
    held: FaultPlan
    definition: list[dict[str, Any]]
    alternatives: tuple[tuple[str, ...], ...]
    """At each choice, what else there was."""

    @property
    def moves(self) -> int:
        """How often the player interfered."""
        return sum(choice != NEXT for choice in self.choices)


def play(setup: Setup, choices: Sequence[str], *, on: bool = False) -> Position:
    """The position after these choices; `on`: let it run to its end from there, without interfering.

    Raise NotPossible naming the first choice that there was not, with what there was instead.
    """
    if len(choices) > MOST_CHOICES:
        raise NotPossible(
            f"{len(choices)} choices are more than a game has: at most {MOST_CHOICES}"
        )
    world = Embedded(None, limit_s=LIMIT_S)
    world.loop = loop = PlayedLoop(limit_s=LIMIT_S)  # type: ignore[abstract]  # see Embedded
    spec = setup.schedule().spec()
    clock = VirtualClock(loop)
    log = EventLog(clock, spec.saga)
    driver = Driver(spec, clock=clock, tracer=log, record=log, exact=True, planned=ChosenFaults)
    table = _Table(setup, driver, loop, log)
    with without_collector(), ended_by_force(loop.troubles), MemoryFolder(reused=True) as folder:
        try:
            position: Position | None = loop.run_until_complete(
                table.sit(folder, world, choices, on=on)
            )
        except NeverEnds as error:
            raise NotPossible(f"this game never ends: {error}") from error
    if position is None:
        raise NotPossible(table.wrong)
    return position


class _WhileDown:
    """A system whose coordinator answers nobody; the ledgers can be read all the same."""

    def __init__(self, system: SagaSystem) -> None:
        self._system = system

    async def outcome(self, order_id: str) -> str:
        """See Readable: nobody can say."""
        return "UNKNOWN"

    async def ledgers(self) -> Ledgers:
        """See Readable."""
        return await self._system.ledgers()

    async def parked(self) -> list[Parked]:
        """See Readable: nobody can say."""
        return []


async def _as_it_answers(system: SagaSystem) -> Readable:
    try:
        await system.parked()
    except Failure:
        return _WhileDown(system)
    return system


class _Table:
    def __init__(self, setup: Setup, driver: Driver, loop: PlayedLoop, log: EventLog) -> None:
        assert isinstance(driver.faults, ChosenFaults)
        self._setup, self._driver, self._loop, self._log = setup, driver, loop, log
        self._faults: ChosenFaults = driver.faults
        self._alternatives: list[tuple[str, ...]] = []
        self.wrong = ""
        """Why a choice was not possible."""

    async def sit(
        self, folder: MemoryFolder, world: Embedded, choices: Sequence[str], *, on: bool
    ) -> Position | None:
        """The position; None if there is none, because of what is `wrong`."""
        driver = self._driver
        async with (
            staged(driver.spec, driver, folder, world) as stage,
            attended(stage, driver, self._log) as (injector, reader),
        ):
            system, taken = stage.running.system, list[str]()

            async def run() -> Ended:
                await driver.serve(system, lambda customer: None)
                settlement = await driver.settle(system)
                await reader.reload()
                return await driver.end(
                    system, settlement=settlement, orders_in_flight=injector.orders_in_flight
                )

            running = asyncio.create_task(run())
            definition = (await system.evidence())["definition"]
            await self._loop.still()
            while not self._faults.waiting and not running.done():
                await self._loop.tick()  # the customers have to come first
            position = None
            if await self._take_all(choices, running, taken, on=on):
                over = running.done()
                if over:
                    ended = running.result()
                else:
                    ended = await driver.end(
                        await _as_it_answers(system),
                        settlement=Settlement(how=PLAYING, waited_s=0.0),
                        orders_in_flight=injector.orders_in_flight,
                    )
                position = self._position(taken, ended, over=over, definition=definition)
            running.cancel()
            await asyncio.wait({running})
        return position

    def _position(
        self, taken: list[str], ended: Ended, *, over: bool, definition: list[dict[str, Any]]
    ) -> Position:
        faults = self._faults
        simulated = Simulated(
            ended=ended,
            again=None,
            failure="",
            hitches=tuple(self._driver.failures),
            backlog=0,
            log=list(self._log.entries),
            virtual_s=self._loop.time(),
            turns=self._loop.turns,
        )
        return Position(
            setup=self._setup,
            choices=tuple(taken),
            options=() if over else tuple(self._options()),
            waiting=tuple(faults.waiting.values()),
            over=over,
            ended=ended,
            told=tuple(tuple(customer.told) for customer in self._driver.customers),
            simulated=simulated,
            schedule=self._setup.schedule(FaultPlan(faults=tuple(faults.chosen))),
            held=FaultPlan(faults=tuple(faults.delays)),
            definition=definition,
            alternatives=tuple(self._alternatives),
        )

    def _options(self) -> list[Option]:
        found = []
        without = STYLES[self._setup.style].moments_without
        for place, waiting in enumerate(self._faults.waiting.values()):
            usual = place == 0
            let = NEXT if usual else f"{waiting.key}.{LET}"
            found.append(Option(choice=let, act=LET, usual=usual, waiting=waiting))
            acts = REQUEST_ACTS if waiting.kind == "request" else ANSWER_ACTS
            found += [
                Option(choice=f"{waiting.key}.{act}", act=act, usual=False, waiting=waiting)
                for act, moment in acts.items()
                if moment not in without and (waiting.number == 1 or moment not in ONLY_ONCE)
            ]
        usual = not found
        found.append(Option(choice=NEXT if usual else WAIT, act=WAIT, usual=usual))
        return found

    async def _take_all(
        self, choices: Sequence[str], running: asyncio.Task[Ended], taken: list[str], *, on: bool
    ) -> bool:
        for choice in choices:
            self.wrong = self._not_possible(choice, running, len(taken) + 1)
            if self.wrong:
                return False
            await self._take(choice, running, taken)
        while on and not running.done() and len(taken) < MOST_CHOICES:
            await self._take(NEXT, running, taken)
        return True

    def _not_possible(self, choice: str, running: asyncio.Task[Ended], number: int) -> str:
        place = f"choice {number}, {choice!r:.60},"
        if running.done():
            return f"{place} is not possible: the game is over before it"
        known = [option.choice for option in self._options()]
        if choice not in known:
            return f"{place} is not possible there; possible were: {', '.join(known)}"
        return ""

    async def _take(self, choice: str, running: asyncio.Task[Ended], taken: list[str]) -> None:
        options = {option.choice: option for option in self._options()}
        self._alternatives.append(tuple(o.choice for o in options.values() if not o.usual))
        option = options[choice]
        if option.waiting is None:
            await self._pass_time(running)
        else:
            if len(self._faults.waiting) > 1:
                await self._apart()
            if not option.waiting.free.done():
                self._faults.let(option.waiting, option.act)
            await self._loop.still()
        taken.append(choice)

    async def _apart(self) -> None:
        clock = self._driver.clock
        until_s = clock.mono_s() + HAIR_S * TIME_SCALE
        hair = asyncio.create_task(clock.sleep(HAIR_S * TIME_SCALE))
        while not hair.done() and clock.mono_s() <= until_s:
            await self._loop.tick()

    async def _pass_time(self, running: asyncio.Task[Ended]) -> None:
        """Until something can be seen that was not there before, or all is over. No message is held longer than LATE_S."""
        before, faults = self._seen(), self._faults
        for _ in range(MOST_TICKS):
            if running.done() or self._seen() != before:
                return
            oldest = next(iter(faults.waiting.values()), None)
            late_s = LATE_S * TIME_SCALE
            if oldest is not None and faults.clock.mono_s() - oldest.since_s >= late_s:
                faults.let(oldest, LET)
                await self._loop.still()
            else:
                await self._loop.tick()

    def _seen(self) -> tuple[int, int]:
        return self._faults.arrivals, len(self._log.entries)
