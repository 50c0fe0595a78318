"""What a run notes while it lives, so that a kill -9 does not take it along: who came, what struck, what services logged."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from kernel.saga import Saga
from scenarios.faults.planned import FaultRecord, read_record
from scenarios.runs.customers import Customer
from scenarios.runs.folder import read_lines

_CUSTOMERS, _FAULTS, SERVICE_LOG = "customers.jsonl", "run.faults.jsonl", "service_log.jsonl"


class Journal:
    """Three files in a run's working folder. A few lines at a time are written together: see `flush`."""

    def __init__(self, work: Path) -> None:
        self.log_path = work / SERVICE_LOG
        self._customers, self._faults, self._log = (
            _whole(work / name) for name in (_CUSTOMERS, _FAULTS, SERVICE_LOG)
        )

    def expect(self, customers: Sequence[Customer]) -> None:
        """Note everybody who will come."""
        for index, customer in enumerate(customers):
            self._customers.write(json.dumps(customer.line(index)) + "\n")

    def came(self, customer: Customer, index: int) -> None:
        """Note that somebody has been served."""
        self._customers.write(json.dumps(customer.line(index)) + "\n")

    def fault(self, *entry: Any) -> None:
        """Note an entry of the faults' record."""
        self._faults.write(json.dumps(entry) + "\n")

    def log(self, line: dict[str, Any]) -> None:
        """Note a line of a service's log."""
        self._log.write(json.dumps(line, sort_keys=True) + "\n")

    def flush(self) -> None:
        """Hand everything to the system: from now on a kill -9 of this process loses none of it."""
        for file in (self._customers, self._faults, self._log):
            file.flush()

    def close(self) -> None:
        """Note nothing more."""
        for file in (self._customers, self._faults, self._log):
            file.close()


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


def _whole(path: Path) -> TextIO:
    """A file to append to, without the line that a kill has cut off."""
    if path.exists():
        written = path.read_bytes()
        path.write_bytes(written[: written.rfind(b"\n") + 1])
    return path.open("a", encoding="utf-8", buffering=1 << 16)
