"""Temporary folders: one for each process, and none for ever."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from kernel.scratch import leftovers, scratch

HOLDS = "from kernel.scratch import scratch\nimport time\nwith scratch('test') as folder:\n    print(folder, flush=True)\n    time.sleep(60)"


@pytest.fixture(autouse=True)
def _own_temporary_files(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def _old(folder):
    os.utime(folder, (0, 0))
    return folder


def _holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    return process, Path(process.stdout.readline().strip()).parent


def test_a_folder_is_empty_and_goes_with_its_user():
    with scratch("test") as folder:
        assert list(folder.iterdir()) == []
    assert not folder.exists()


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_is_in_use_is_not(tmp_path):
    process, folder = _holder(tmp_path)
    _old(folder)
    assert leftovers() == []
    process.kill()
    process.communicate()
    assert leftovers() == [folder]
    with scratch("test"):
        assert not folder.exists()


def test_other_peoples_folders_and_young_ones_are_left_alone(tmp_path):
    (tmp_path / "saga-of-somebody").mkdir()
    _old(tmp_path / "saga-of-somebody")
    (tmp_path / "saga-test-young").mkdir()
    (tmp_path / "saga-test-young/.saga.lock").touch()
    with scratch("test"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"saga-of-somebody", "saga-test-young"}
