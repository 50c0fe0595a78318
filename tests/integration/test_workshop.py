"""The answers of the workshop's quiz are what the commands beside them show."""

import json
import re
import shlex
from pathlib import Path

import pytest

QUIZ = Path(__file__).parents[2] / "docs/workshop/quiz.md"
ROWS = re.findall(r"^\| (\d) \| ([a-z -]+) \| `saga ([^`]+)` \|$", QUIZ.read_text(), re.MULTILINE)
FALSE_STATUS = "shown a false status"


def test_every_question_has_an_answer():
    questions = re.findall(r"^(\d)\. ", QUIZ.read_text(), re.MULTILINE)
    assert questions == [number for number, _, _ in ROWS]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "state", "command"), ROWS)
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
        else:
            assert state in classes
            assert classes <= usual | {state}
