"""A campaign that can be resumed is resumed by one process at a time."""

import json
from dataclasses import asdict

import pytest

from bench.experiment import JOURNAL
from bench.parts.index import QUICK
from scenarios.campaigns import sweep as sweeping
from scenarios.runs.folder import SCHEMA
from testbed.commands.bench import ABOUT
from testbed.runs import in_hand

TORN = '{"key": "half a li'


def _bench(folder):
    """An interrupted benchmark without trials, whose last line was cut off."""
    about = {
        "schema": SCHEMA, "effort": asdict(QUICK) | {"parts": []}, "real": False, "seed": 1, "durability": "process", "left_out": [],
    }  # fmt: skip
    (folder / ABOUT).write_text(json.dumps(about))
    (folder / JOURNAL).write_text(TORN)


def _sweep(folder):
    """An interrupted sweep whose last line was cut off."""
    (folder / sweeping.SETTINGS).write_text("{}")
    (folder / sweeping.CELLS).write_text(TORN)


def _state(folder):
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("command", "interrupted"), [(("sweep", "--simulated"), _sweep), (("bench",), _bench)]
)
def test_a_campaign_in_hand_is_not_resumed_by_another_process(saga, tmp_path, command, interrupted):
    interrupted(tmp_path)
    with in_hand(tmp_path):
        before = _state(tmp_path)
        refused = saga(*command, "--resume", tmp_path)
        assert _state(tmp_path) == before
    assert refused.returncode == 2
    assert refused.stderr == (
        f"error: another process works on {tmp_path}: wait until it has ended, or end it\n"
    )
    assert refused.stdout == ""
