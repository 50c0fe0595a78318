"""An experiment: trials in shuffled rounds, one line of JSON each, so that it can be interrupted and taken up again."""

import json
import random
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from choreography.rabbit_node import RabbitNode, find_server
from kernel.errors import Failure, UsageError, first
from kernel.event_loop import freeze_gc
from kernel.scratch import scratch
from scenarios.runs.arrivals import Arrivals
from scenarios.runs.environment import Backends
from scenarios.runs.folder import SCHEMA

JOURNAL = "trials.jsonl"
Result = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One measurement. `arm`: what is measured; `round`: which time; `about_s`: how long it takes, roughly."""

    part: str
    arm: str
    round: int
    about_s: float
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Its name in the journal."""
        return f"{self.part}/{self.arm}/{self.round}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A trial and what it measured, or why it may not be reported."""

    part: str
    arm: str
    round: int
    result: Result
    failed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is measured: rounds of each part, and how long."""

    name: str
    rounds: int
    closed_orders: int
    """Orders of a closed loop with 64 in flight."""
    measure_s: float
    """The measured window of an open loop, after a warm-up and before a cool-down of a quarter each."""
    rates_per_s: tuple[float, ...]
    parts: tuple[str, ...]
    arrivals: str = Arrivals.POISSON
    service_times: str = ""
    """Of the base mix; "" = its own."""


@dataclass(slots=True, kw_only=True)
class Lab:
    """What trials have in common. `failed_runs`: where runs are kept that may not be reported."""

    seed: int
    durability: str
    failed_runs: Path
    node: RabbitNode | None = None

    @property
    def url(self) -> str:
        """Of the RabbitMQ node."""
        if self.node is None:
            raise UsageError("this part needs the real pair: install rabbitmq-server")
        return self.node.url

    def backends(self) -> Backends:
        """The real pair, or the embedded one where there is no RabbitMQ."""
        if self.node is None:
            return Backends()
        return Backends(broker=self.node.url, node=self.node, engine="embedded")

    def prefix(self) -> str:
        """Of the names on the node, of one trial."""
        return f"bench.{secrets.token_hex(4)}"


@asynccontextmanager
async def open_lab(seed: int, durability: str, folder: Path, *, real: bool) -> AsyncIterator[Lab]:
    """A lab with a private RabbitMQ node if `real`."""
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(RabbitNode.open()) if real else None
        yield Lab(seed=seed, durability=durability, failed_runs=folder / "failed_runs", node=node)


def real_pair() -> bool:
    """Whether there is a RabbitMQ to start."""
    return find_server() is not None


class Part(Protocol):
    """A kind of measurement."""

    name: str

    def trials(self, effort: Effort, *, real: bool) -> Iterable[Trial]:
        """All of them, in no order."""
        ...

    async def run(self, lab: Lab, trial: Trial, folder: Path) -> Result:
        """One trial, in an empty folder that is gone afterwards. Raise UsageError or Failure if it may not be reported."""
        ...


def shuffled(trials: Iterable[Trial], *, seed: int) -> list[Trial]:
    """Part by part and round by round, the arms of each round in an order of its own."""
    ordered = sorted(trials, key=lambda t: t.round)
    by_part: dict[str, list[Trial]] = {}
    for trial in ordered:
        by_part.setdefault(trial.part, []).append(trial)
    found = []
    for part, of_part in by_part.items():
        for number, of_round in groupby(of_part, key=lambda t: t.round):
            arms = list(of_round)
            random.Random(f"{seed} {part} {number}").shuffle(arms)
            found += arms
    return found


class Journal:
    """The trials that are done, in a file that is whole after every line."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / JOURNAL
        self.done: dict[str, Done] = {}
        if self._path.exists():
            whole = [line for line in self._path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]  # fmt: skip
            self._path.write_bytes(b"".join(whole))  # what a kill cut off is measured again
            for line in map(json.loads, whole):
                self._take(line)

    def note(self, trial: Trial, result: Result, failed: str) -> None:
        """One more is done."""
        line = {
            "schema": SCHEMA,
            "key": trial.key,
            "part": trial.part,
            "arm": trial.arm,
            "round": trial.round,
            "settings": trial.settings,
            "failed": failed,
            "result": result,
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._take(line)

    def has(self, trial: Trial) -> bool:
        """Whether it need not be carried out: one that failed is tried again."""
        done = self.done.get(trial.key)
        return done is not None and not done.failed

    def of(self, part: str) -> list[Done]:
        """The trials of a part that may be reported."""
        return [done for done in self.done.values() if done.part == part and not done.failed]

    def failed(self) -> list[Done]:
        """Those that may not."""
        return [done for done in self.done.values() if done.failed]

    def _take(self, line: dict[str, Any]) -> None:
        self.done[line["key"]] = Done(
            part=line["part"],
            arm=line["arm"],
            round=line["round"],
            result=line["result"],
            failed=line["failed"],
        )


async def run_trials(
    trials: Sequence[Trial],
    parts: dict[str, Part],
    lab: Lab,
    journal: Journal,
    tell: Callable[[Trial, float], None],
) -> None:
    """Every trial that is not in the journal, in order. `tell`: called after each, with how long it took."""
    for trial in trials:
        if journal.has(trial):
            continue
        began = time.monotonic()
        with scratch("bench") as folder:
            try:
                freeze_gc()  # and not at what earlier trials have left
                result = await parts[trial.part].run(lab, trial, folder)
                failed = ""
            except (UsageError, Failure) as error:
                result, failed = {}, str(error)
            except BaseExceptionGroup as group:
                known, rest = group.split((UsageError, Failure))
                if known is None or rest is not None:
                    raise
                result, failed = {}, str(first(known))
            if failed:
                shutil.copytree(
                    folder, lab.failed_runs / trial.key.replace("/", "-"), dirs_exist_ok=True
                )
        journal.note(trial, result, failed)
        tell(trial, time.monotonic() - began)
