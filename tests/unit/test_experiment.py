"""Trials: shuffled in rounds, written down one by one, taken up again, and never reported if they went wrong."""

import json
from types import SimpleNamespace

import pytest

from bench.experiment import JOURNAL, Journal, Lab, Trial, run_trials, shuffled
from kernel.errors import Failure, UsageError


def _trials(rounds=3, arms=("a", "b", "c", "d")):
    return [Trial(part="p", arm=arm, round=n, about_s=1) for arm in arms for n in range(rounds)]


class _Part:
    name = "p"

    def __init__(self, fail=()):
        self.carried, self._fail = [], fail

    async def run(self, lab, trial, folder):
        assert list(folder.iterdir()) == []
        self.carried.append(trial.key)
        if trial.arm in self._fail:
            (folder / "ledgers.jsonl").write_text("all that is known")
            raise Failure("the run was INCONSISTENT")
        return {"x": 1.5}


def _lab(tmp_path):
    return Lab(seed=1, durability="process", failed_runs=tmp_path / "failed_runs")


async def _carry(trials, part, folder, told=None):
    journal = Journal(folder)
    await run_trials(
        trials,
        {"p": part},
        _lab(folder),
        journal,
        lambda t, s: None if told is None else told.append(t),
    )
    return journal


def test_each_round_has_every_arm_once_in_an_order_of_its_own():
    ordered = shuffled(_trials(rounds=20), seed=1)
    rounds = [[t.arm for t in ordered if t.round == n] for n in range(20)]
    assert [t.round for t in ordered] == sorted(t.round for t in ordered)
    assert all(sorted(arms) == ["a", "b", "c", "d"] for arms in rounds)
    assert len({tuple(arms) for arms in rounds}) > 5
    assert shuffled(_trials(rounds=20), seed=1) == ordered != shuffled(_trials(rounds=20), seed=2)


async def test_what_is_done_is_not_done_again_and_what_a_kill_cut_off_is(tmp_path):
    trials, part = shuffled(_trials(), seed=1), _Part()
    await _carry(trials[:5], part, tmp_path)
    path = tmp_path / JOURNAL
    path.write_bytes(path.read_bytes()[:-10])
    again = _Part()
    told = []
    journal = await _carry(trials, again, tmp_path, told)
    assert again.carried == [t.key for t in trials[4:]]
    assert len(told) == 8
    assert len(journal.of("p")) == len(path.read_text().splitlines()) == 12
    assert all(json.loads(line)["schema"] == 1 for line in path.read_text().splitlines())


async def test_a_trial_that_went_wrong_is_told_and_not_reported(tmp_path):
    journal = await _carry(_trials(), _Part(fail={"b"}), tmp_path)
    assert {done.arm for done in journal.of("p")} == {"a", "c", "d"}
    mended = _Part()
    again = await _carry(_trials(), mended, tmp_path)  # what went wrong is tried again
    assert {key.split("/")[1] for key in mended.carried} == {"b"}
    assert again.failed() == []
    kept = [path.read_text() for path in tmp_path.glob("failed_runs/p-b-*/ledgers.jsonl")]
    assert kept == ["all that is known"] * 3
    assert [(d.arm, d.failed) for d in journal.failed()] == [("b", "the run was INCONSISTENT")] * 3


async def test_a_bug_ends_the_experiment_and_what_was_done_stays(tmp_path):
    part = _Part()

    async def broken(lab, trial, folder):
        if len(part.carried) == 2:
            raise ZeroDivisionError
        return await _Part.run(part, lab, trial, folder)

    with pytest.raises(ZeroDivisionError):
        await _carry(_trials(), SimpleNamespace(run=broken), tmp_path)
    assert len(Journal(tmp_path).of("p")) == 2


def test_a_part_over_rabbitmq_says_so_where_there_is_none(tmp_path):
    with pytest.raises(UsageError, match="install rabbitmq-server"):
        _ = _lab(tmp_path).url
