"""The runner's side of customers who have a process of their own. The two talk through files in the run's working folder.

Both read one monotonic clock: that of this machine.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from kernel.errors import UsageError
from scenarios.runs.customers import Customer
from scenarios.runs.processes import ParticipantProcess

CUSTOMERS = "customers"
EXPECTED, SERVED, _BEGUN = "expected.jsonl", "served.jsonl", "begun.json"
LOOK_S = 0.005
"""How often either side looks for what the other has written."""
LAST_S = 5.0
_TOLD = ("started_mono_s", "accepted_mono_s", "attempts", "told", "refusal")


def served_line(customer: Customer, index: int) -> dict[str, Any]:
    """What became of a customer, for the runner."""
    return {"index": index} | {name: getattr(customer, name) for name in _TOLD}


def begun_at(folder: Path) -> float | None:
    """From when on customers come, in monotonic seconds; None = not yet."""
    try:
        return float((folder / _BEGUN).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


class CustomersApart:
    """A process that is ready to let customers come."""

    def __init__(
        self, process: ParticipantProcess, folder: Path, waiting: Mapping[int, Customer]
    ) -> None:
        self._process, self._folder = process, folder
        self._waiting = dict(waiting)

    async def serve(self, begun: float, accepted: Callable[[Customer], None]) -> None:
        """Let them come from `begun` on; returns when all have been served or have lost patience. `accepted`: see come.

        Raise UsageError if the process ends before: what was begun goes on, and the effect of the last requests is unknown.
        """
        part = self._folder / f"{_BEGUN}.part"
        part.write_text(repr(begun), encoding="utf-8")
        part.replace(self._folder / _BEGUN)
        gone = asyncio.create_task(self._process.wait())
        try:
            with (self._folder / SERVED).open("rb") as file:
                while self._waiting:
                    last = gone.done()
                    line = file.readline()
                    if line.endswith(b"\n"):
                        accepted(self._served(json.loads(line)))
                        continue
                    file.seek(-len(line), os.SEEK_CUR)
                    if last:
                        raise UsageError(
                            f"the customers' process ended while {len(self._waiting)} were still to come: {self._process.told()}"
                        )
                    await asyncio.sleep(LOOK_S)
        finally:
            gone.cancel()

    def _served(self, line: dict[str, Any]) -> Customer:
        customer = self._waiting.pop(line["index"])
        customer.told.extend(line.pop("told"))
        for name in line.keys() - {"index"}:
            setattr(customer, name, line[name])
        return customer


@asynccontextmanager
async def customers_apart(
    style: str, folder: Path, customers: Sequence[Customer], *, environment: Mapping[str, str]
) -> AsyncIterator[CustomersApart]:
    """A ready process for these customers, whose times are still relative. `environment`: where it finds the coordinator."""
    with (folder / EXPECTED).open("w", encoding="utf-8") as file:
        for index, customer in enumerate(customers):
            file.write(json.dumps(customer.line(index)) + "\n")
    for name in (SERVED, _BEGUN):
        (folder / name).unlink(missing_ok=True)
    (folder / SERVED).touch()
    process = ParticipantProcess(
        [sys.executable, "-m", "scenarios.runs.customers_process", style, str(folder)],
        log=folder / f"{CUSTOMERS}.log",
        environment=environment,
    )
    try:
        await process.start()
        yield CustomersApart(process, folder, dict(enumerate(customers)))
        with contextlib.suppress(TimeoutError):  # it writes its last spans
            async with asyncio.timeout(LAST_S):
                await process.wait()
    finally:
        await process.end()
