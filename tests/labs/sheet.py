"""A lab's sheet as a program: its commands are run as a student would, from top to bottom, and their output is compared.

```console [exits N]      commands ($) with what they print; a line of three dots stands for any lines
<!-- edit FILE ... -->    what a student has written by now: old lines, ====, new lines
<!-- solved -->           from here on, the folder has the solution in it
"""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

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


def saga(folder, *arguments, timeout=120):
    """`saga ...` as a student calls it, in `folder`."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


def follow(lab, folder, *, skip=()):
    """Run the sheet; yields (command, expected exit code, expected output, what came of it)."""
    work = folder / lab.usual_folder
    for match in PART.finditer((lab.folder / "README.md").read_text(encoding="utf-8")):
        if match["note"] == "edit":
            _edit(work, match["text"])
        elif match["note"] == "solved":
            shutil.rmtree(work)
            begin(lab, work, part="solution")
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
        for command, _ in _commands(match["block"]):
            done = next(outputs)
            output = re.sub(r"\nEvent log: .*", "...", done.stdout)
            lines += f"$ {command}\n{output}"
        code = f" exits {done.returncode}" if done.returncode else ""
        return f"```console{code}\n{lines}```"

    return PART.sub(filled, text)


def alike(expected, found):
    """Whether they are the same, but for lines of three dots, each of which stands for any number of lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line) + "\n"
        for line in expected.splitlines()
    )
    return re.fullmatch(pattern, found) is not None


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
