"""`saga lab check`: the child is run and watched, what it says is counted, and one hint is chosen."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from kernel.errors import UsageError
from kernel.pages import place
from scenarios.styles.index import STYLES
from testbed.labs.folders import changed
from testbed.labs.grading import LIMIT_S
from testbed.labs.lab import SAGA, Lab
from testbed.progress import Count, counting

PRINTED = "printed.txt"
"""What a student's code has printed in the last check, beside it."""
NOT_ITS_OWN = "the saga is the one that saga new made"
JUDGE = ("laws.py", "workload.py", "saga.py", "messages.py")
"""What the judge goes by: a lab is not passed by changing these."""


@dataclass(slots=True)
class Checked:
    """What came of a check. `groups`: (line of the table, style) -> [passed, all].

    `failing`: what fails first, in words; `why`: the rules that it breaks; `again`: the command that shows it step by step.
    """

    groups: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    failing: str = ""
    why: str = ""
    again: str = ""
    hint: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing fails."""
        return not self.failing

    def counts(self) -> tuple[int, int]:
        """(passed, all)."""
        rows = self.groups.values()
        return sum(row[0] for row in rows), sum(row[1] for row in rows)

    def fail(self, what: str, why: str = "", again: str = "") -> None:
        """What fails first: only the first call counts."""
        if not self.failing:
            self.failing, self.why, self.again = what, why, again


def checked(lab: Lab, folder: Path) -> Checked:
    """Grade what stands in a student's folder. Raise UsageError if it cannot be read as a saga."""
    found = Checked()
    with TemporaryDirectory() as scratch:
        stack = Path(scratch) / "stack.txt"
        lines = list(_child(lab, folder, stack))
        _take_in(lab, found, lines)
        if {"end": True} not in lines:
            _ended(found, lines, folder, stack.read_text(encoding="utf-8"))
    if lab.kind == SAGA:
        edited = changed(lab, folder)
        for name in JUDGE:
            if name in edited:
                found.fail(
                    f"{folder / name} is changed",
                    "the judge goes by it; take yours from a fresh saga lab start",
                )
        if not edited and found.failing:
            found.hint = (
                f"nothing is edited yet: the sheet says where to begin ({folder / 'README.md'})"
            )
    if found.failing and not found.hint:
        found.hint = lab.hint(f"{found.failing}: {found.why}")
    return found


def _take_in(lab: Lab, found: Checked, lines: list[dict[str, Any]]) -> None:
    mistakes, alone = 0, ""
    for line in lines:
        match line:
            case {"usage": says}:
                raise UsageError(says)
            case {"raised": says}:
                found.fail("your code ended the program", says)
            case {"parts": _, "mistakes": n, "own": own, "alone": told}:
                mistakes, alone = n, told
                if own < 0:
                    found.fail(
                        NOT_ITS_OWN,
                        f"a saga of your own has at least {lab.about['least_steps']} steps",
                    )
            case {"group": group, "style": style, "passes": passes}:
                row = found.groups.setdefault((group, style), [0, 0])
                row[0] += passes
                row[1] += 1
            case {"first": what, "why": why, "replay": replay}:
                found.fail(what, why, replay)
            case _:
                pass
    if alone:
        found.fail("the outbox, tried by itself", alone)
    if mistakes:
        found.fail(
            f"saga check finds {mistakes} to mend", "rows, reactions and state machine do not agree"
        )


def _ended(found: Checked, lines: list[dict[str, Any]], folder: Path, stack: str) -> None:
    """The child did not come to its end: a hang leaves a stack, a killed process none."""
    if not stack:
        found.fail("your code ended the program", f"exit code {lines[-1]['ended']}")
        return
    if found.failing:
        return  # what went wrong before is what comes first
    last = next((line["begun"] for line in reversed(lines) if "begun" in line), "reading the saga")
    found.failing = f"it hangs: {last}, ended after {LIMIT_S:g} s"
    if where := _innermost(folder, stack):
        found.why = f"{where} was still busy"
        found.hint = "a loop does not end: what is to change in each round, so that it does?"
    else:
        found.why = "no line of yours was busy: messages or states lead to each other for ever"
    found.again = ""


def _innermost(folder: Path, stack: str) -> str:
    """The student's line that ran last, in a stack of faulthandler's: `File "...", line N in NAME`, the last call first."""
    for line in stack.splitlines():
        _, quote, rest = line.partition('File "')
        name, _, at = rest.partition('", line ')
        if quote and Path(name).is_relative_to(folder.resolve()):
            number, _, function = at.partition(" in ")
            return f"{place(name, int(number))}, in {function},"
    return ""


def _child(lab: Lab, folder: Path, stack: Path) -> Iterator[dict[str, Any]]:
    """What the child says, line by line, with progress; {"ended": exit code} at last."""
    reader, writer = os.pipe()
    command = [
        sys.executable,
        "-Pu",
        "-m",
        "testbed.labs.grading",
        lab.name,
        str(folder),
        str(writer),
        str(stack),
    ]
    with (folder / PRINTED).open("wb") as printed:
        child = subprocess.Popen(  # noqa: S603 - our own program
            command,
            pass_fds=(writer,),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            start_new_session=True,
        )
    os.close(writer)
    try:
        with os.fdopen(reader, encoding="utf-8") as pipe:
            yield from _counted(pipe)
        yield {"ended": child.wait()}
    finally:
        child.kill()
        child.wait()


def _counted(pipe: TextIO) -> Iterator[dict[str, Any]]:
    first = json.loads(pipe.readline() or "{}")
    yield first
    with counting("parts", first.get("parts", 0)) as one_more:
        yield from _told(pipe, one_more)


def _told(pipe: TextIO, one_more: Count) -> Iterator[dict[str, Any]]:
    for text in pipe:
        line = json.loads(text)
        if "group" in line:
            one_more()
        yield line


def lines_of(lab: Lab, found: Checked) -> Iterator[str]:
    """What is printed of a check: the table, what fails first, one hint."""
    if found.groups:
        yield from _table(found)
    if found.passed:
        yield f"Passed: lab {lab.number}, {lab.title}."
        return
    yield f"First that fails: {found.failing}"
    if found.why:
        yield f"  {found.why}"
    if found.again:
        yield f"  step by step: {found.again}"
    yield f"Hint: {found.hint}"


def _table(found: Checked) -> Iterator[str]:
    names = list(dict.fromkeys(name for name, _ in found.groups))
    width = max(map(len, names))
    yield f"{'passes':{width}}  {'  '.join(f'{style:>13}' for style in STYLES)}".rstrip()
    for name in names:
        cells = [found.groups.get((name, style), [0, 0]) for style in STYLES]
        counts = [f"{k} of {n}" if n else "-" for k, n in cells]
        yield f"{name:{width}}  {'  '.join(f'{count:>13}' for count in counts)}".rstrip()
    passed, every = found.counts()
    yield f"In all {passed} of {every}."
