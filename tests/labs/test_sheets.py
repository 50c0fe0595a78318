"""Every command of every sheet is run, as a student would from top to bottom: what is shown is what is printed, and the solution passes."""

import re

import pytest

from testbed.labs.lab import SAGA, every_lab
from tests.labs.sheet import PART, alike, follow, printed

LABS = list(every_lab())
WHEN = {2: (), 4: pytest.mark.slow, 6: pytest.mark.slow}
"""Following all of them takes a minute and a half: one is for every run of the tests, two more are for CI."""


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "lab",
    [pytest.param(lab, marks=WHEN.get(lab.number, pytest.mark.long)) for lab in LABS],
    ids=lambda lab: lab.name,
)
def test_the_sheet_can_be_followed_literally(lab, tmp_path):
    checks = []
    for command, code, shown, done in follow(lab, tmp_path):
        assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}"
        assert alike(shown, printed(done)), f"{command}\n{printed(done)}"
        checks += [code] * command.startswith("saga lab check")
    assert checks[0] == 1, "the start files fail"
    assert checks[-1] == 0, "the solution passes"


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_a_lab_has_all_that_a_lab_has(lab):
    sheet = (lab.folder / "README.md").read_text(encoding="utf-8")
    assert sheet.startswith(f"# Lab {lab.number}: {lab.title}\n")
    assert f"**Time:** {lab.minutes} minutes" in re.sub(r"\s+", " ", sheet)
    assert 25 <= lab.minutes <= 40
    assert (lab.folder / "solution/SOLUTION.md").read_text(encoding="utf-8").count("\n") > 5
    assert not lab.hints[-1].when, "the last hint fits whatever fails"
    assert all(hint.when for hint in lab.hints[:-1]), "a hint behind it is never given"
    if lab.kind == SAGA:
        for name in lab.listed("edit"):
            assert (lab.folder / "start" / name).exists()


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_no_sheet_and_no_start_file_gives_the_solution_away(lab):
    """What a student reads has no line of the solution's code that is not in the start files."""
    start, solution = lab.folder / "start", lab.folder / "solution"
    notes = PART.sub("", (lab.folder / "README.md").read_text(encoding="utf-8"))
    for path in solution.rglob("*.py") if lab.kind == SAGA else ():
        begun = (start / path.relative_to(solution)).read_text(encoding="utf-8")
        for line in path.read_text(encoding="utf-8").splitlines():
            if len(line.strip()) > 20 and line not in begun:
                assert line.strip() not in notes, line


def test_lines_of_three_dots_stand_for_any_lines_and_nothing_else():
    assert alike("a\n...\nd\n", "a\nb\nc\nd\n")
    assert alike("a\n...\n", "a\n")
    assert not alike("a\nc\n", "a\nb\nc\n")
    assert not alike("a\n...\nd\n", "a\nb\nc\n")
    assert alike("+     0.1 ms  x, runs/20261201T130000Z-a-abcdef\n", "+   120.1 ms  x, runs/20251201T130000Z-a-123456\n")  # fmt: skip
