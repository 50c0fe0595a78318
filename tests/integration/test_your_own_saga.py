"""docs/your_own_saga.md, followed literally: every edit is made as shown, every command is run and exits as shown."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "your_own_saga.md"
BLOCK = re.compile(
    r"(?:^`([\w/.]+)`, a new file:\n\n)?^```(\w+)( exits \d)?\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
PROGRAM = [sys.executable, "-c", "from testbed.cli import main; main()"]


def edit(folder, text):
    """A block with a file's name in its first line: context and - must be there once, + takes their place."""
    name, *lines = text.splitlines()
    old = "".join(f"{line[1:]}\n" for line in lines if line[:1] in " -")
    new = "".join(f"{line[1:]}\n" for line in lines if line[:1] in " +")
    path = folder / name
    assert path.read_text().count(old) == 1, f"{name}: {old}"
    path.write_text(path.read_text().replace(old, new))


def follow(folder, file, kind, exits, text):
    """Do what one block says; what was printed."""
    if kind == "diff":
        edit(folder, text)
    elif kind == "python":
        (folder / file).write_text(text)
    elif kind == "sh":
        said = ""
        for line in text.splitlines():
            arguments = line.split()
            assert arguments[0] == "saga"
            done = subprocess.run(
                [*PROGRAM, *arguments[1:]], cwd=folder, capture_output=True, text=True, check=False
            )
            assert done.returncode == int(exits[-1] or 0), done.stdout + done.stderr
            said += done.stdout
        return said
    return ""


@pytest.mark.long
@pytest.mark.timeout(180)
def test_the_page_can_be_followed_literally(tmp_path):
    said = [
        (text, follow(tmp_path, file, kind, exits or " exits 0", text))
        for file, kind, exits, text in BLOCK.findall(PAGE.read_text())
        if kind != "text"
    ]
    outputs = [out for _, out in said if out]
    shown = [text for _, kind, _, text in BLOCK.findall(PAGE.read_text()) if kind == "text"]
    assert len(shown) == 1
    assert shown[0] in outputs[1]
    assert "nothing to mend" in outputs[2]
    assert "choreography: 0 of" in outputs[2]
    assert "orchestration: 0 of" in outputs[2]
    assert "bakery/courier.py:" in outputs[3]
    assert "half-done" in outputs[4]
