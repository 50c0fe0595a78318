"""What has happened to a run so far, as its faults see it: recorded so that a kill -9 loses nothing of it."""

import contextlib
import errno
import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(slots=True, kw_only=True)
class Injection:
    """What became of one planned fault at one order and attempt."""

    order_id: str
    operation: str
    attempt: int
    moment: str
    reached: bool = False
    struck: bool = False
    changed: bool = False
    fault: int = 0
    """Number of its line in the plan."""
    at_mono_s: float | None = None
    """When it was reached, or struck."""


class FaultRecord:
    """What has happened so far, in one process or put together from several."""

    def __init__(self) -> None:
        self.injections: dict[tuple[int, str, int], Injection] = {}
        self.attempts: Counter[tuple[str, str]] = Counter()
        """(order_id, operation) -> how often the request has arrived."""
        self.answers: Counter[tuple[str, str]] = Counter()
        """(order_id, operation) -> how often an answer was about to leave."""
        self.published: Counter[str] = Counter()
        """message_id -> how often it was published."""
        self.led: Counter[tuple[str, str]] = Counter()
        """(order_id, operation) -> how many messages were published that lead to it."""
        self.times_mono_s: dict[tuple[str, str], list[float]] = defaultdict(list)
        """(order_id, operation) -> when its requests arrived: signs of life."""
        self.in_flight = 0
        """Requests that are on their way or being worked on."""

    def note(self, *entry: Any) -> None:
        """One more thing has happened.

        ("arrived", order_id, operation, mono_s), ("answered", order_id, operation), ("published", message_id),
        ("led", order_id, operation), ("reached" or "struck", number of the fault, order_id, operation, attempt,
        moment, mono_s), ("held", change) or ("born",).
        """
        match entry:
            case "arrived", order_id, operation, mono_s:
                self.attempts[order_id, operation] += 1
                self.times_mono_s[order_id, operation].append(mono_s)
            case "answered", order_id, operation:
                self.answers[order_id, operation] += 1
            case "published", message_id:
                self.published[message_id] += 1
            case "led", order_id, operation:
                self.led[order_id, operation] += 1
            case "held", change:
                self.in_flight += change
            case ("born",):
                self.in_flight = 0  # what an earlier life had in hand died with it
            case ("reached" | "struck") as what, number, order_id, operation, attempt, moment, at:
                found = self.injections.setdefault(
                    (number, order_id, attempt),
                    Injection(
                        fault=number,
                        order_id=order_id,
                        operation=operation,
                        attempt=attempt,
                        moment=moment,
                    ),
                )
                if not found.struck:
                    found.at_mono_s = at
                found.reached = True
                found.struck |= what == "struck"

    def add(self, other: "FaultRecord") -> None:
        """What another process has recorded, too."""
        self.attempts += other.attempts
        self.answers += other.answers
        self.published += other.published
        self.led += other.led
        self.in_flight += other.in_flight
        for what, came in other.times_mono_s.items():
            self.times_mono_s[what] = sorted([*self.times_mono_s[what], *came])
        for key, injection in other.injections.items():
            mine = self.injections.setdefault(key, injection)
            mine.reached |= injection.reached
            mine.struck |= injection.struck


def read_record(path: Path) -> FaultRecord:
    """What a process has recorded so far; nothing if it has not begun. A line cut off by a kill or a full disk is left out."""
    record = FaultRecord()
    if path.exists():
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(ValueError):
                record.note(*json.loads(line))
    return record


class RecordedFaults(FaultRecord):
    """A record that outlives its process: every entry is in the file before anything else happens."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.add(read_record(path))
        self._file = path.open("ab", buffering=0)
        self.note("born")

    def note(self, *entry: Any) -> None:
        """See FaultRecord."""
        super().note(*entry)
        # The line before may have been cut off.
        line = b"\n" + json.dumps(entry).encode() + b"\n"
        if (written := self._file.write(line)) != len(line):
            raise OSError(errno.ENOSPC, f"{written} of {len(line)} bytes were written")

    def close(self) -> None:
        """Record nothing more."""
        self._file.close()
