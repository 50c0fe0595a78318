"""A lab's sheet as a program: its commands are run as a student would, from top to bottom, and their output is compared.

```console [exits N]      commands ($) with what they print; a line of three dots stands for any lines
<!-- edit FILE ... -->    what a student has written by now: old lines, ====, new lines
<!-- solved -->           from here on, the folder has the solution in it
"""

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from testbed.cli import main
from testbed.labs.folders import begin

PART = re.compile(
    r"^```console(?: exits (?P<exits>\d))?\n(?P<block>.*?)^```$|^<!-- (?P<note>edit|solved)(?P<text>.*?)-->$",
    re.MULTILINE | re.DOTALL,
)
PROGRAM = [
    sys.executable,
    "-c",
    "import sys; sys.path.pop(0); from testbed.cli import main; main()",
]

HERE = ("lab", "run", "trace", "where", "executions", "dead-letters")
"""Called in this process: they load no saga of the folder, or only the solution."""


def saga(folder, *arguments):
    """`saga ...` as a student calls it, in `folder`. Commands that load a saga which is edited afterwards need a process of their own."""
    if arguments[0] in HERE:
        return _here(folder, arguments)
    # On a terminal of no known width tables keep their columns.
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def _here(folder, arguments):
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with (
        contextlib.chdir(folder),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(sys, "argv", ["saga", *arguments])
        patch.delenv("COLUMNS", raising=False)
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def follow(lab, folder, *, skip=()):
    """Run the sheet; yields (command, expected exit code, expected output, what came of it)."""
    work = folder / lab.usual_folder
    for match in PART.finditer((lab.folder / "README.md").read_text(encoding="utf-8")):
        if match["note"] == "edit":
            _edit(work, match["text"])
        elif match["note"] == "solved":
            (folder / "solved").mkdir()
            begin(lab, folder / "solved" / work.name, part="solution")
            shutil.copytree(folder / "solved" / work.name, work, dirs_exist_ok=True)
        else:
            for command, output in _commands(match["block"]):
                if not command.startswith(skip or ("\0",)):
                    done = saga(folder, *_words(folder, command))
                    yield command, int(match["exits"] or 0), output, done


def fill(lab, folder):
    """The sheet with the output of each command as it is now: for whoever writes one."""
    text = (lab.folder / "README.md").read_text(encoding="utf-8")
    outputs = iter([done for *_, done in follow(lab, folder)])

    def filled(match):
        if match["note"]:
            return match[0]
        lines = ""
        for command, before in _commands(match["block"]):
            done = next(outputs)
            output = re.sub(r"\nEvent log: .*", "...", printed(done))
            output = before if alike(before, printed(done)) else output
            lines += f"$ {command}\n{output}"
        code = f" exits {done.returncode}" if done.returncode else ""
        return f"```console{code}\n{lines}```"

    return PART.sub(filled, text)


def alike(expected, found):
    """Whether they are the same, but for times and names of runs, and lines of three dots, each of which stands for any number of lines."""
    expected, found = _settled(expected), _settled(found)
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line) + "\n"
        for line in expected.splitlines()
    )
    return re.fullmatch(pattern, found) is not None


def printed(done):
    """What a student sees of it: progress and notes (standard error) only where they are all there is."""
    return done.stdout or done.stderr


def _settled(text):
    """The text without what is different in each run."""
    for pattern, instead in (
        (r"\d{8}T\d{6}Z|\d\d:\d\d:\d\d\.\d{3}", "WHEN"),
        (r"-[0-9a-f]{6}\b|\b[0-9a-f]{8}\b", "ID"),
        (r" +\d+\.\d ms", " N ms"),
        (r"\d+\.\d s before", "N s before"),
    ):
        text = re.sub(pattern, instead, text)
    return text


def _commands(block):
    """(command, its output) of each command of a block."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def _words(folder, command):
    """The arguments of a command, with * as a shell takes it."""
    for word in shlex.split(command)[1:]:
        yield from (
            sorted(str(p.relative_to(folder)) for p in folder.glob(word)) if "*" in word else [word]
        )


def _edit(work: Path, text):
    name, _, change = text.strip().partition("\n")
    old, new = (f"{part.strip(chr(10))}\n" for part in change.split("====\n"))
    path = work / name
    assert path.read_text().count(old) == 1, f"{name}: {old}"
    path.write_text(path.read_text().replace(old, new))
