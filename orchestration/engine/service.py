"""The engine: every state machine and execution of one history, and their resumption after a crash."""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from kernel.database import Database
from kernel.memory_files import Folder
from kernel.ports import Clock
from orchestration.engine.branch import Invoke, ServiceCall
from orchestration.engine.callbacks import TaskCallbacks
from orchestration.engine.definition import Definition, accepted
from orchestration.engine.errors import ApiError
from orchestration.engine.history import HISTORY_SCHEMA, SET_ASIDE, Ending, Event, History
from orchestration.engine.in_hand import NOTHING, InHand
from orchestration.engine.integrations import no_services
from orchestration.engine.interpreter import Execution
from orchestration.engine.limits import MAX_KEPT_TEXT
from orchestration.engine.registry import REGISTRY_SCHEMA, Entropy, Registry
from orchestration.engine.store import open_store
from orchestration.engine.task_events import REGION

_LOG = logging.getLogger(__name__)
ACCOUNT = "000000000000"


class StepFunctionsEngine:
    """What the API's actions work on. Open it with `async with StepFunctionsEngine.open(...)`."""

    def __init__(
        self,
        *,
        registry: Registry,
        history: History,
        database: Database,
        callbacks: TaskCallbacks,
        invoke: Invoke,
        call: ServiceCall,
        clock: Clock,
        time_scale: float,
        express_twice: float,
        hand: InHand | None,
    ) -> None:
        self.registry, self.history, self._database = registry, history, database
        self.callbacks, self.clock = callbacks, clock
        self._invoke, self._call, self._hand = invoke, call, hand
        self._time_scale, self._express_twice = time_scale, express_twice
        self._running: dict[str, tuple[dict[str, Any], asyncio.Task[Ending]]] = {}
        self._stopping: set[str] = set()
        self._express: set[asyncio.Task[Ending]] = set()
        self._changing = asyncio.Lock()
        self._definitions: dict[str, Definition] = {}
        self._kept_text = 0
        self._closing = False

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        folder: Folder,
        *,
        invoke: Invoke,
        call: ServiceCall = no_services,
        clock: Clock,
        time_scale: float,
        durability: str,
        express_twice: float = 0.0,
        entropy: Entropy = secrets.token_bytes,
    ) -> AsyncIterator["StepFunctionsEngine"]:
        """The engine over its history; executions that had not ended go on where they were once `resume` is called.

        `express_twice`: the share of StartExecution calls on Express machines that start two executions, as
        at-least-once allows; which ones follows from their names.
        Leaving the context is a crash as far as executions are concerned: nothing is written.
        """
        schema = REGISTRY_SCHEMA + HISTORY_SCHEMA
        async with open_store(folder, schema=schema, durability=durability) as (database, hand):
            registry = Registry(database)
            engine = cls(
                registry=registry,
                history=History(database),
                database=database,
                callbacks=TaskCallbacks(
                    await registry.secret(entropy), await registry.activities()
                ),
                invoke=invoke,
                call=call,
                clock=clock,
                time_scale=time_scale,
                express_twice=express_twice,
                hand=hand,
            )
            if hand is not None:
                await engine._set_aside(*hand.found())
                hand.put(NOTHING)
            engine.callbacks.resuming(row["id"] for row in await engine.history.running())
            try:
                yield engine
            finally:
                engine._closing = True
                left: list[asyncio.Future[Any]] = [
                    *(task for _, task in engine._running.values()),
                    *engine._express,
                    *engine.callbacks.calls,
                ]
                for task in left:
                    task.cancel()
                await asyncio.gather(*left, return_exceptions=True)

    async def resume(self) -> None:
        """Let go on what had not ended. Call it when the engine can be asked: an execution may be worth stopping."""
        for row in await self.history.running():
            async with self._changing:
                if row["arn"] not in self._running and await self.history.is_running(row["id"]):
                    self.launch(row, _machine_of(row), await self.history.events(row["id"]))

    async def _set_aside(self, execution: int, events: int) -> None:
        """Let an execution rest that was in hand when the engine died, and had been at the death before."""
        arn = await self.history.after_crash(execution, events, at_s=self.clock.wall_s())
        if arn is not None:
            _LOG.warning("%s is FAILED: %s", arn, SET_ASIDE)

    def freeze(self) -> None:
        """Make nothing durable until `thaw`, and so do nothing more: what SIGSTOP is to a process."""
        self._database.freeze()

    def thaw(self) -> None:
        """Go on."""
        self._database.thaw()

    def _definition(self, text: str) -> Definition:
        """The definition of an execution, which was checked when its machine was made."""
        if text not in self._definitions:
            if self._kept_text + len(text) > MAX_KEPT_TEXT:
                self._definitions.clear()
                self._kept_text = 0
            self._definitions[text] = accepted(text)
            self._kept_text += len(text)
        return self._definitions[text]

    def launch(
        self, row: dict[str, Any], machine: dict[str, Any], recorded: Sequence[Event] = ()
    ) -> None:
        """Run a Standard execution, from wherever its recorded history stops."""
        if self._closing:
            return  # it is in the history, for the engine's next life
        execution = self._execution(row, machine, recorded, express=False)
        task = asyncio.create_task(execution.watched(execution.run))
        self._running[row["arn"]] = row, task
        task.add_done_callback(lambda ended: self._forget(row, ended))

    def launch_express(
        self, row: dict[str, Any], machine: dict[str, Any], *, sync: bool = False
    ) -> asyncio.Task[Ending]:
        """Run an Express execution; unless `sync`, perhaps twice."""
        twice = not sync and share_of(row["name"]) < self._express_twice
        tasks = [
            asyncio.create_task(self._execution(row, machine, (), express=True).run())
            for _ in range(1 + twice)
        ]
        for task in tasks:
            self._express.add(task)
            task.add_done_callback(self._express.discard)
        return tasks[0]

    def _execution(
        self,
        row: dict[str, Any],
        machine: dict[str, Any],
        recorded: Sequence[Event],
        *,
        express: bool,
    ) -> Execution:
        return Execution(
            row=row,
            machine=machine,
            definition=self._definition(row["definition"]),
            recorded=recorded,
            history=None if express else self.history,
            invoke=self._invoke,
            call=self._call,
            callbacks=self.callbacks,
            clock=self.clock,
            time_scale=self._time_scale,
            hand=self._hand,
        )

    def row(self, arn: str) -> dict[str, Any] | None:
        """The row of an execution that is running, None for any other."""
        found = self._running.get(arn)
        return found and found[0]

    async def stop(self, row: dict[str, Any], *, error: str | None, cause: str | None) -> None:
        """Abort an execution that is still running; one that has ended is left alone."""
        async with self._changing:
            ending = Ending(status="ABORTED", error=error, cause=cause)
            self._stopping.add(row["arn"])  # what it writes from now on comes too late
            try:
                # First: if this cannot be written, the execution goes on.
                await self.history.abort(row["id"], ending, stop_s=self.clock.wall_s())
                if found := self._running.pop(row["arn"], None):
                    found[1].cancel()
                    await asyncio.gather(found[1], return_exceptions=True)
                self.callbacks.resumed(row["id"])
            finally:
                self._stopping.discard(row["arn"])

    async def redrive(self, row: dict[str, Any], *, token: str | None) -> float:
        """Let an execution go on at the states it had not left; when that was, as a wall time.

        Raise ApiError ExecutionNotRedrivable if somebody else has just done so.
        """
        async with self._changing:
            at_s = self.clock.wall_s()
            kept = await self.history.redrive(row["id"], at_s=at_s, token=token)
            if kept is None:
                told = "Execution is RUNNING and cannot be redriven"
                raise ApiError("ExecutionNotRedrivable", told)
            self.launch(kept, _machine_of(kept), await self.history.events(kept["id"]))
            return at_s

    def _forget(self, row: dict[str, Any], ended: asyncio.Task[Ending]) -> None:
        arn = row["arn"]
        self._running.pop(arn, None)
        self.callbacks.resumed(row["id"])
        if arn in self._stopping:
            return
        if not ended.cancelled() and (bug := ended.exception()):
            _LOG.error("%s cannot go on and stays RUNNING: %r", arn, bug)


def arn_of(kind: str, *names: str) -> str:
    """The ARN of a state machine, an execution or an activity of this engine."""
    return ":".join((f"arn:aws:states:{REGION}:{ACCOUNT}", kind, *names))


def name_of(arn: str) -> str:
    """The name that an ARN ends with."""
    return arn.rpartition(":")[2]


def share_of(name: str) -> float:
    """A number from 0 to 1 that follows from a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64


def _machine_of(row: dict[str, Any]) -> dict[str, Any]:
    """What an execution says of its machine, which may have been deleted since."""
    return {"arn": row["machine"], "name": name_of(row["machine"]), "role": row["role"]}
