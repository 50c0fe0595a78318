"""What a run notes while it lives, so that a kill -9 does not take it along: who came, what struck, what services logged."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kernel.saga import Saga
from scenarios.faults.record import FaultRecord, read_record
from scenarios.runs.customers import Customer
from scenarios.runs.folder import read_lines

_CUSTOMERS, _FAULTS, SERVICE_LOG = "customers.jsonl", "run.faults.jsonl", "service_log.jsonl"


class _Lines:
    """Lines that are added to a file a few at a time, each whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._waiting: list[Any] = []
        self._file = path.open("ab", buffering=0)
        self._file.seek(0, os.SEEK_END)
        written = path.read_bytes()
        self._size = written.rfind(b"\n") + 1
        self._file.truncate(self._size)  # without the line that a kill has cut off

    def add(self, entry: Any) -> None:
        """One more line, which waits for `flush`: to make text of it now would delay what is measured."""
        self._waiting.append(entry)

    def flush(self) -> None:
        """Write what waits; while the disk is full it waits on."""
        if not self._waiting:
            return
        lines = "".join(
            json.dumps(entry, sort_keys=True) + "\n" for entry in self._waiting
        ).encode()
        try:
            complete = self._file.write(lines) == len(lines)
        except OSError:
            complete = False
        if complete:
            self._size += len(lines)
            self._waiting.clear()
        else:
            self._file.truncate(self._size)

    def close(self) -> None:
        """Write what there is room for, and nothing more."""
        self.flush()
        self._file.close()


class Journal:
    """Three files in a run's working folder. A few lines at a time are written together: see `flush`."""

    def __init__(self, work: Path) -> None:
        self.log_path = work / SERVICE_LOG
        self._customers, self._faults, self._log = (
            _Lines(work / name) for name in (_CUSTOMERS, _FAULTS, SERVICE_LOG)
        )

    def expect(self, customers: Sequence[Customer]) -> None:
        """Note everybody who will come."""
        for index, customer in enumerate(customers):
            self.came(customer, index)

    def came(self, customer: Customer, index: int) -> None:
        """Note how far somebody has come."""
        self._customers.add(customer.line(index))

    def fault(self, *entry: Any) -> None:
        """Note an entry of the faults' record."""
        self._faults.add(entry)

    def log(self, line: dict[str, Any]) -> None:
        """Note a line of a service's log."""
        self._log.add(line)

    def flush(self) -> None:
        """Hand everything to the system: from now on a kill -9 of this process loses none of it."""
        for lines in (self._customers, self._faults, self._log):
            lines.flush()

    def close(self) -> None:
        """Note nothing more."""
        for lines in (self._customers, self._faults, self._log):
            lines.close()


class JournaledFaults(FaultRecord):
    """The faults of a run so far, its earlier lives included; every entry goes into the journal."""

    def __init__(self, work: Path, journal: Journal) -> None:
        super().__init__()
        self.add(read_record(work / _FAULTS))
        self.in_flight = 0  # what an earlier life had in hand died with it
        self._journal = journal

    def note(self, *entry: Any) -> None:
        """See FaultRecord."""
        super().note(*entry)
        self._journal.fault(*entry)


def read_customers(work: Path, saga: Saga) -> list[Customer]:
    """Everybody whom a run expected, as far as it had come. Raise UsageError if that is missing or damaged."""
    latest = {line["index"]: line for line in read_lines(work / _CUSTOMERS)}
    return [Customer.of_line(line, saga) for _, line in sorted(latest.items())]
