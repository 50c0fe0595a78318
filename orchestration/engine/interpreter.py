"""Runs one execution from state to state, every transition durable before its effect.

The twin of choreography/consumer.py.
"""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import orjson

from kernel.ports import Clock
from orchestration.engine import states
from orchestration.engine.branch import Branch, Callbacks, Invoke, ServiceCall
from orchestration.engine.definition import Definition
from orchestration.engine.errors import Ended, HistoryDamaged, StatesError
from orchestration.engine.history import Ending, Event, History
from orchestration.engine.in_hand import InHand, watched
from orchestration.engine.limits import MAX_EVENTS, MAX_EXPRESS_S, MAX_PENDING, QUIET_TURNS
from orchestration.engine.redrive import standing
from orchestration.engine.text import UNTRUNCATED, error_details, text

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_LAST = {
    "SUCCEEDED": "ExecutionSucceeded",
    "FAILED": "ExecutionFailed",
    "TIMED_OUT": "ExecutionTimedOut",
}


class Execution:
    """One execution in memory. `row` is its line in the history's table of executions."""

    def __init__(
        self,
        *,
        row: dict[str, Any],
        machine: dict[str, Any],
        definition: Definition,
        recorded: Sequence[Event],
        history: History | None,
        invoke: Invoke,
        call: ServiceCall,
        callbacks: Callbacks,
        clock: Clock,
        time_scale: float,
        hand: InHand | None,
    ) -> None:
        """`history` None: an Express execution, which keeps no history. `hand` None: the engine dies with its history."""
        self.row, self.machine, self.clock = row, machine, clock
        self.time_scale, self.callbacks = time_scale, callbacks
        self.invoke, self.call = invoke, call
        self.input = orjson.loads(row["input"])
        self._definition, self._history, self._hand = definition, history, hand
        self._recorded = standing(recorded)
        self._resuming = bool(recorded)
        self._count = recorded[-1].id if recorded else 0
        self._replayed: list[deque[Event]] = []
        self._pending: list[Event] = []
        self._write: asyncio.Future[None] | None = None

    async def run(self) -> Ending:
        """Run to the end, from wherever the recorded history stops."""
        branch = Branch(self)
        details = {
            "input": self.row["input"],
            "inputDetails": UNTRUNCATED,
            "roleArn": self.machine["role"],
        }
        branch.record("ExecutionStarted", "executionStartedEventDetails", details, leads=False)
        ending = await self._end_of(branch)
        last: dict[str, Any] = error_details(ending.error, ending.cause)
        if ending.status == "SUCCEEDED":
            last = {"output": ending.output, "outputDetails": UNTRUNCATED}
        kind = _LAST[ending.status]
        if ending.status == "TIMED_OUT":
            last, branch.previous = {"error": "States.Timeout"}, 0
        branch.record(kind, f"{kind[0].lower()}{kind[1:]}EventDetails", last)
        if self._write is not None:
            await asyncio.shield(self._write)
        if self._history is not None:
            stop_s = self.clock.wall_s()
            await self._history.end(self.row["id"], self._pending, ending, stop_s=stop_s)
        return ending

    async def _end_of(self, branch: Branch) -> Ending:
        limit_s = self._definition.timeout_s
        if self._history is None:
            limit_s = min(limit_s or MAX_EXPRESS_S, MAX_EXPRESS_S)
        left_s = None
        if limit_s is not None:
            since_s = self.row["redriven_s"] or self.row["start_s"]
            left_s = since_s + limit_s * self.time_scale - self.clock.wall_s()
        try:
            async with asyncio.timeout(left_s) as deadline:
                output = await states.run_machine(
                    branch, self._definition.document, self.input, self._definition.language
                )
        except StatesError as failure:
            return Ending(status="FAILED", error=failure.error, cause=failure.cause)
        except TimeoutError:
            if not deadline.expired():
                raise
            return Ending(status="TIMED_OUT")
        except (HistoryDamaged, sqlite3.Error):
            raise
        except Exception as bug:
            _LOG.exception("%s ends with a fault of the engine", self.row["arn"])
            told = f"The engine cannot carry this state machine out: {bug!r}"
            return Ending(status="FAILED", error="States.Runtime", cause=told)
        return Ending(status="SUCCEEDED", output=text(output))

    def add(self, branch: str, previous: int, kind: str, details: dict[str, Any]) -> Event:
        """See Shared. Raise Ended if the history is full."""
        if self._history and self._count + 1 >= MAX_EVENTS and not kind.startswith("Execution"):
            raise Ended(
                "States.Runtime",
                f"The execution reached the maximum number of history events ({MAX_EVENTS}).",
            )
        self._count += 1
        event = Event(self._count, previous, kind, self.clock.wall_s(), details, branch)
        self._pending.append(event)
        return event

    def recorded(self, branch: str) -> deque[Event]:
        """See Shared."""
        recorded = self._recorded.pop(branch, deque())
        if recorded:
            self._replayed.append(recorded)
        return recorded

    def watched(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Coroutine[Any, Any, T]:
        """See Shared."""
        if self._hand is None or self._history is None:
            return work()
        return watched(work, self._hand, lambda: (self.row["id"], self._count))

    def next_id(self) -> int:
        """See Shared."""
        return self._count + 1

    async def pause(self) -> None:
        """See Shared."""
        if len(self._pending) >= MAX_PENDING:
            await self.flush()

    async def _catch_up(self) -> None:
        """Let every branch come to the end of its recording before any has an effect: one may end the others."""
        quiet, seen = 0, -1
        while len(self._replayed) > 1 and quiet < QUIET_TURNS:
            left = self._count + sum(map(len, self._replayed))
            quiet, seen = (quiet + 1, seen) if left == seen else (0, left)
            await asyncio.sleep(0)
        self._resuming = False
        self._replayed.clear()
        self.callbacks.resumed(self.row["id"])

    async def flush(self) -> None:
        """See Shared. Events of several branches that wait together are written together."""
        if self._history is None:
            self._pending.clear()
            await asyncio.sleep(0)
            return
        if self._resuming:
            await self._catch_up()
        if self._pending:
            events, self._pending = self._pending, []
            self._write = self._history.append(self.row["id"], events)
        if self._write is not None:
            await asyncio.shield(self._write)
