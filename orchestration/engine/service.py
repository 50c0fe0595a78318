"""The engine: every state machine and execution of one history, and their resumption after a crash."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from orchestration.engine.branch import Invoke
from orchestration.engine.callbacks import TaskCallbacks
from orchestration.engine.definition import Definition, parse
from orchestration.engine.errors import ApiError
from orchestration.engine.history import Ending, Event, History, open_history
from orchestration.engine.interpreter import Execution
from shared_domain.ports import Clock

_LOG = logging.getLogger(__name__)
REGION, ACCOUNT = "us-east-1", "000000000000"
MAX_DEFINITIONS = 1_000
"""Parsed definitions kept in memory."""


class StepFunctionsEngine:
    """What the API's actions work on. Open it with `async with StepFunctionsEngine.open(...)`."""

    def __init__(
        self,
        *,
        history: History,
        callbacks: TaskCallbacks,
        invoke: Invoke,
        clock: Clock,
        time_scale: float,
    ) -> None:
        self.history, self.callbacks, self.clock = history, callbacks, clock
        self._invoke, self._time_scale = invoke, time_scale
        self._running: dict[str, asyncio.Task[Ending]] = {}
        self._definitions: dict[tuple[str, bool], Definition] = {}

    @classmethod
    @asynccontextmanager
    async def open(
        cls, folder: Path, *, invoke: Invoke, clock: Clock, time_scale: float, durability: str
    ) -> AsyncIterator["StepFunctionsEngine"]:
        """The engine over its history; executions that had not ended go on where they were.

        Leaving the context is a crash as far as executions are concerned: nothing is written.
        """
        async with open_history(folder, durability=durability) as history:
            callbacks = TaskCallbacks(await history.secret())
            engine = cls(
                history=history,
                callbacks=callbacks,
                invoke=invoke,
                clock=clock,
                time_scale=time_scale,
            )
            try:
                for row in await history.running():
                    machine = {
                        "arn": row["machine"],
                        "name": name_of(row["machine"]),
                        "role": row["role"],
                    }
                    engine.launch(row, machine, await history.events(row["id"]))
                yield engine
            finally:
                for task in engine._running.values():
                    task.cancel()
                await asyncio.gather(*engine._running.values(), return_exceptions=True)

    def definition(self, text: str, *, express: bool = False) -> Definition:
        """The parsed definition of a text. Raise ApiError InvalidDefinition."""
        key = text, express
        if key not in self._definitions:
            if len(self._definitions) >= MAX_DEFINITIONS:
                self._definitions.clear()
            self._definitions[key] = parse(text, express=express)
        return self._definitions[key]

    def launch(
        self,
        row: dict[str, Any],
        machine: dict[str, Any],
        recorded: Iterable[Event],
        *,
        express: bool = False,
    ) -> asyncio.Task[Ending]:
        """Run an execution, from wherever its recorded history stops."""
        execution = Execution(
            row=row,
            machine=machine,
            definition=self.definition(row["definition"], express=express),
            recorded=recorded,
            history=None if express else self.history,
            invoke=self._invoke,
            callbacks=self.callbacks,
            clock=self.clock,
            time_scale=self._time_scale,
        )
        task = asyncio.create_task(execution.run())
        self._running[row["arn"]] = task
        task.add_done_callback(lambda ended: self._forget(row["arn"], ended))
        return task

    async def stop(self, row: dict[str, Any], *, error: str | None, cause: str | None) -> None:
        """Abort an execution that is still running; one that has ended is left alone."""
        if task := self._running.pop(row["arn"], None):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        ending = Ending(status="ABORTED", error=error, cause=cause)
        await self.history.abort(row["id"], ending, stop_s=self.clock.wall_s())

    def _forget(self, arn: str, ended: asyncio.Task[Ending]) -> None:
        self._running.pop(arn, None)
        if not ended.cancelled() and (bug := ended.exception()):
            _LOG.error("%s cannot go on and stays RUNNING: %r", arn, bug)


def arn_of(kind: str, *names: str) -> str:
    """The ARN of a state machine, an execution or an activity of this engine."""
    return ":".join((f"arn:aws:states:{REGION}:{ACCOUNT}", kind, *names))


def name_of(arn: str) -> str:
    """The name that an ARN ends with."""
    return arn.rpartition(":")[2]


async def existing(
    history: History, table: str, arn: str, *, code: str, told: str
) -> dict[str, Any]:
    """The row of this ARN. Raise ApiError `code` if there is none."""
    row = await history.get(table, arn)
    if row is None:
        raise ApiError(code, f"{told} Does Not Exist: '{arn}'")
    return row
