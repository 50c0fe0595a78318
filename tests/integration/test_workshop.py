"""The plans of the workshop add up, and the answers of its quiz are what the commands beside them show."""

import json
import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from testbed.labs.lab import every_lab

WORKSHOP = Path(__file__).parents[2] / "docs/workshop"
QUIZ = WORKSHOP / "quiz.md"
ROWS = re.findall(r"^\| (\d+) \| ([a-z -]+) \| `saga ([^`]+)` \|$", QUIZ.read_text(), re.MULTILINE)
BEFORE = 8
"""The first half of the questions: `.ci/run` answers these, `make long` all of them."""
FALSE_STATUS = "shown a false status"


PLANS = {"90 minutes": 90, "Three hours": 180, "A day": 480}


def _plan(title):
    """The rows of a plan: minutes since midnight, minutes, what."""
    text = (WORKSHOP / "index.md").read_text()
    section = re.search(rf"^## {title}.*?(?=^## )", text, re.MULTILINE | re.DOTALL)[0]
    rows = re.findall(r"^\| (\d+):(\d\d) \| (\d+) \| ([^|]+) \|", section, re.MULTILINE)
    return [(int(hour) * 60 + int(minute), int(took), what) for hour, minute, took, what in rows]


@pytest.mark.parametrize("title", PLANS)
def test_a_plan_has_no_gap_and_is_as_long_as_it_says(title):
    rows = _plan(title)
    for (begin, took, _), (following, _, _) in pairwise(rows):
        assert begin + took == following
    assert sum(took for _, took, _ in rows) == PLANS[title]


@pytest.mark.parametrize("title", PLANS)
def test_a_plan_gives_each_lab_the_time_of_its_sheet(title):
    minutes = {f"lab {lab.number}": lab.minutes for lab in every_lab()}
    planned = {what: took for _, took, what in _plan(title) if what.startswith("lab")}
    assert planned
    assert {what: took for what, took in planned.items() if took < minutes[what]} == {}


def test_every_lab_has_notes_of_the_same_form():
    text = (WORKSHOP / "notes.md").read_text()
    for lab in every_lab():
        section = re.search(
            rf"^## {lab.number} {re.escape(lab.title)}\n.*?(?=^## |\Z)",
            text,
            re.MULTILINE | re.DOTALL,
        )[0]
        for part in (
            "**Intention.**",
            f"**Timing.** {lab.minutes} minutes",
            "| typical mistake |",
            "**Ask.**",
            "**Board.**",
        ):
            assert part in section


def test_every_question_has_an_answer():
    questions = re.findall(r"^(\d+)\. ", QUIZ.read_text(), re.MULTILINE)
    assert questions == [number for number, _, _ in ROWS]


@pytest.mark.parametrize(
    ("number", "state", "command"),
    [
        pytest.param(*row, marks=pytest.mark.long if int(row[0]) > BEFORE else pytest.mark.slow)
        for row in ROWS
    ],
)
def test_an_answer_of_the_quiz_is_what_its_command_shows(saga, tmp_path, number, state, command):
    embedded = ("--broker", "memory", "--engine", "inprocess", "--orders", "12", "--rate", "40")
    done = saga(
        *shlex.split(command), *embedded, "--time-scale", "0.05", "--json", "--out", tmp_path
    )
    runs = json.loads(done.stdout)["runs"]
    assert runs
    for run in runs:
        classes = {name for name, n in run["classes"].items() if n}
        usual = {"committed", "compensated"}
        if state == FALSE_STATUS:
            assert run["lied"] > 0
            assert classes <= usual
        elif state == "committed":
            assert classes == {state}
        else:
            assert state in classes
            assert classes <= usual | {state}
