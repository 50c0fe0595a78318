"""What is in a kit for a class without a network, and which laptops it can serve."""

import subprocess
import sys
from pathlib import Path

import pytest

from testbed.offline import closure, here, pinned
from testbed.offline_kit import lacks

ROOT = Path(__file__).parents[2]


def test_a_kit_has_what_a_run_needs_on_every_platform_and_tests_only_where_asked():
    for target in ("linux-x86_64", "macos-arm64"):
        needed = closure("", "3.12", target)
        assert {"aio-pika", "boto3", "aiosqlite", "matplotlib", "pamqp"} <= needed
        assert "pytest" not in needed
    assert {"pytest", "pluggy", "ruff"} <= closure("dev", "3.11", "linux-x86_64")


def test_every_package_of_a_kit_has_its_version_in_the_constraints():
    pins = pinned((ROOT / "constraints.txt").read_text())
    for python in ("3.11", "3.12", "3.13"):
        for target in ("linux-arm64", "macos-x86_64"):
            assert closure("", python, target) - pins.keys() == set()


def test_a_folder_that_cannot_serve_this_python_is_refused_with_what_to_do(tmp_path):
    assert "is no kit" in lacks(tmp_path, (3, 11))
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    assert "only for none" in lacks(tmp_path, (3, 11))
    (wheels / "numpy-2.0-cp312-cp312-linux.whl").touch()
    assert "no wheels for Python 3.11, only for 3.12: make PYTHON=python3.12" in lacks(
        tmp_path, (3, 11)
    )
    assert lacks(tmp_path, (3, 12)) == ""


def test_make_says_what_is_wrong_with_a_folder_before_anything_is_installed(tmp_path):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "testbed").mkdir()
    (tmp_path / "testbed/offline_kit.py").write_bytes(
        (ROOT / "testbed/offline_kit.py").read_bytes()
    )
    make = ["make", "-s", ".venv/run", f"PYTHON={sys.executable}", "OFFLINE=nowhere"]
    done = subprocess.run(make, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].startswith("nowhere is no kit")


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_kit_for_this_machine_installs_and_runs_with_no_index_in_reach(tmp_path):
    target, python = here()
    kit = tmp_path / "kit"
    command = [
        sys.executable,
        "-m",
        "testbed.offline",
        str(kit),
        "--platform",
        target,
        "--python",
        python,
    ]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert "not there" not in built.stdout
    dead = {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "https_proxy": "http://127.0.0.1:9",
    }
    alone = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(tmp_path), **dead}
    home = kit / "saga-testbed"
    make = ["make", ".venv/dev", f"PYTHON={sys.executable}", f"OFFLINE={kit}"]
    installed = subprocess.run(
        make, cwd=home, env=alone, capture_output=True, text=True, check=False
    )
    assert installed.returncode == 0, installed.stderr
    run = [
        home / ".venv/bin/saga",
        "run",
        "happy_path",
        "--orders",
        "5",
        "--broker",
        "memory",
        "--engine",
        "inprocess",
    ]
    ran = subprocess.run(run, cwd=tmp_path, env=alone, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
