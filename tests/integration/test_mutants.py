"""Mutants as a user makes them: unknown names, an interrupted table that is completed, and a sample that the judge must mostly see."""

import json
import signal
import subprocess
import sys
import time

import pytest

from report.mutant_tables import by_operator, survivors
from scenarios.campaigns.mutants import campaign
from scenarios.campaigns.mutants.campaign import EQUIVALENT, Campaign, ratio, run_campaign, table
from scenarios.campaigns.mutants.hunt import INVALID, KILLED, SURVIVED
from scenarios.styles.index import STYLES

PROGRAM = [sys.executable, "-c", "from testbed.cli import main; main()"]
pytestmark = pytest.mark.timeout(180)
FEW = ["--mutants", "--operator", "dropped-row", "--module", "participants", "--mutants-runs", 5]


def _saga(*arguments, cwd):
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd
    )


@pytest.mark.parametrize(
    ("option", "name", "valid"),
    [("--operator", "droped-row", "swallowed-exception"), ("--module", "inbx", "kernel.inbox")],
)
def test_an_unknown_name_is_answered_with_the_valid_ones(saga, option, name, valid):
    done = saga("check-oracle", "--mutants", option, name)
    assert done.returncode == 2
    assert f"unknown {option.removeprefix('--')} '{name}'" in done.stderr
    assert valid in done.stderr


def test_options_of_mutants_go_with_mutants(saga):
    done = saga("check-oracle", "--sample", 3)
    assert done.returncode == 2
    assert "go with --mutants" in done.stderr


@pytest.mark.long
def test_an_interrupted_table_is_completed_by_resume_and_is_the_same(tmp_path):
    whole = _saga("check-oracle", *FEW, "--json", cwd=tmp_path)
    assert whole.returncode in (0, 1), whole.stderr
    whole = json.loads(whole.stdout)
    assert len(whole["mutants"]) >= 8
    process = subprocess.Popen(
        [*PROGRAM, "check-oracle", *map(str, FEW), "--out", "other"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for _ in range(1200):
        if any(path.read_text() for path in tmp_path.glob("other/*/mutants.jsonl")):
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    (folder,) = tmp_path.glob("other/*")
    assert f"--resume other/{folder.name}" in errors
    begun = len((folder / "mutants.jsonl").read_text().splitlines())
    assert 1 <= begun < len(whole["mutants"])
    other = _saga("check-oracle", *FEW[:-1], 11, "--resume", folder, cwd=tmp_path)
    assert (other.returncode, "holds a table with another runs" in other.stderr) == (2, True)
    done = _saga("check-oracle", *FEW, "--resume", folder, "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["mutants"] == whole["mutants"]


@pytest.mark.alone
@pytest.mark.slow
def test_most_of_a_sample_are_killed_and_every_survivor_is_listed(tmp_path):
    wanted = Campaign(saga="order", runs=20, seed=7, styles=list(STYLES), sample=60)
    campaign.begin(tmp_path, wanted)
    run_campaign(wanted, tmp_path, done=lambda one: None)
    rows = table(tmp_path)
    assert {(row.mutant, row.style) for row in rows} == {(m.address, s) for m, s in wanted.wanted()}
    killed, counted = ratio(rows)
    assert killed >= 0.5 * counted
    assert not [row for row in rows if row.contradicted]
    assert all(row.rules and 1 <= row.schedules <= 20 for row in rows if row.outcome == KILLED)
    assert all(row.why for row in rows if row.outcome in (EQUIVALENT, INVALID))
    named = {(line[0], line[1]) for line in survivors(rows)[1]}
    assert named == {(row.mutant, row.style) for row in rows if row.outcome == SURVIVED}
    assert sum(by_operator(rows)[1][-1][1:]) == len(rows)
