"""What is in a kit for a class without a network, and which laptops it can serve."""

import json
import os
import platform
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from testbed import offline
from testbed.offline import closure, drop_other_versions, pinned, write_about
from testbed.offline_kit import MANIFEST, here, lacks, places

ROOT = Path(__file__).parents[2]
PLACE = here()
DEAD = {
    "PIP_CONFIG_FILE": "/dev/null",
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_RETRIES": "0",
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
}
"""No index answers."""


def _kit(folder, **about):
    """A kit without wheels, for this place unless `place` names another."""
    (folder / "wheels").mkdir(parents=True, exist_ok=True)
    place = " ".join(about.pop("place", PLACE))
    entry = {"tests": True, "missing": [], "missing_for_tests": []} | about
    write_about(folder, places(folder) | {place: entry})
    return folder


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
            assert closure("dev", python, target) - pins.keys() == set()


def test_wheels_of_other_versions_go_and_the_rest_stays(tmp_path):
    version = pinned((ROOT / "constraints.txt").read_text())["numpy"].partition("==")[2]
    keep = {f"numpy-{version}-cp312-cp312-any.whl", "setuptools-80-py3-none-any.whl"}
    for name in (*keep, "numpy-0.1-cp312-cp312-any.whl"):
        (tmp_path / name).touch()
    drop_other_versions(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == keep


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"places": 3}'])
def test_a_folder_that_is_no_kit_is_refused(tmp_path, text):
    assert "is no kit" in lacks(tmp_path, PLACE, tests=False)
    (tmp_path / "wheels").mkdir()
    (tmp_path / MANIFEST).write_text(text)
    assert "is no kit" in lacks(tmp_path, PLACE, tests=False)


def test_a_kit_that_cannot_serve_a_place_says_what_to_do(tmp_path):
    _kit(tmp_path, place=("linux-x86_64", "3.12"), tests=False)
    assert lacks(tmp_path, ("linux-x86_64", "3.12"), tests=False) == ""
    assert "built without tests" in lacks(tmp_path, ("linux-x86_64", "3.12"), tests=True)
    wrong = lacks(tmp_path, ("linux-x86_64", "3.14"), tests=False)
    assert "no wheels for Python 3.14, only for 3.12: rm -rf .venv, then make demo PYTHON=python3.12" in wrong  # fmt: skip
    wrong = lacks(tmp_path, ("linux-musl-x86_64", "3.12"), tests=False)
    assert "no wheels for linux-musl-x86_64, only for linux-x86_64" in wrong


def test_a_wheel_that_does_not_exist_is_named_in_the_kit_and_where_it_is_missed(tmp_path):
    _kit(tmp_path, missing_for_tests=["ruff==1"])
    assert f"{' '.join(PLACE)}: ruff==1 has no wheel" in (tmp_path / "README.txt").read_text()
    assert lacks(tmp_path, PLACE, tests=False) == ""
    assert "lacks ruff==1" in lacks(tmp_path, PLACE, tests=True)


def test_places_that_are_added_leave_those_that_are_there(tmp_path):
    _kit(tmp_path, place=("linux-arm64", "3.11"))
    _kit(tmp_path, place=("macos-arm64", "3.13"), tests=False)
    text = (tmp_path / "README.txt").read_text()
    assert "linux-arm64 3.11\n" in text
    assert "macos-arm64 3.13, without make test" in text


def test_another_libc_is_another_place(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")

    def unknown(_):
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "confstr", unknown)
    assert here()[0] == "linux-musl-arm64"


def _build(*arguments):
    command = [sys.executable, "-m", "testbed.offline", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | DEAD, capture_output=True, text=True, check=False
    )


def test_a_wheel_is_not_called_missing_when_no_index_answers(tmp_path, monkeypatch):
    for name, value in (DEAD | {"PIP_FIND_LINKS": ""}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(offline.CannotBuild, match="no package index can be reached"):
        offline.fetch(tmp_path, ["aiosqlite==0.22.1"], "3.12", "macos-arm64")


@pytest.mark.parametrize(
    "arguments", [("--platform", "windows"), ("--python", "3.9"), ("/proc/kit",), ("a", "b")]
)
def test_a_kit_that_cannot_be_built_is_one_line(arguments):
    done = _build(*arguments)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert done.stderr.startswith("error: ")


def _clone(folder):
    """What make needs to look at a kit."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "testbed/offline_kit.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


def _make(folder, target, kit):
    command = ["make", "-s", target, f"PYTHON={sys.executable}", f"OFFLINE={kit}"]
    # What the make that runs these tests was called with is not for this one.
    alone = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"}
    return subprocess.run(
        command, cwd=folder, env=alone, capture_output=True, text=True, check=False
    )


def test_make_says_what_is_wrong_with_a_folder_before_anything_is_installed(tmp_path):
    clone = _clone(tmp_path / "clone")
    stick = tmp_path / "NO NAME"
    _kit(stick, place=("linux-x86_64", "2.7"))
    for kit, words in (("nowhere", "nowhere is no kit"), (stick, f"{stick} has no wheels for ")):
        done = _make(clone, "demo", kit)
        assert done.returncode == 2
        first, *rest = done.stderr.splitlines()
        assert first.startswith(words)
        assert all(line.startswith("make: ***") for line in rest)
        assert not (clone / ".venv").exists()


def test_make_test_says_that_a_kit_has_no_tests(tmp_path):
    clone = _clone(tmp_path / "clone")
    (clone / ".venv").mkdir()
    (clone / ".venv/run").touch()
    done = _make(clone, "test", _kit(tmp_path / "kit", tests=False))
    assert done.returncode == 2
    assert "was built without tests" in done.stderr.splitlines()[0]


def _installer(tmp_path, **environment):
    kit = tmp_path / "kit"
    (kit / "saga-testbed/testbed").mkdir(parents=True, exist_ok=True)
    (kit / "saga-testbed/testbed/offline_kit.py").write_bytes(
        (ROOT / "testbed/offline_kit.py").read_bytes()
    )
    return subprocess.run(
        ["sh", kit / "install.sh"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHON": sys.executable} | environment,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip


def test_the_installer_takes_a_python_that_the_kit_serves_and_else_says_why_not(tmp_path):
    _kit(tmp_path / "kit", place=("linux-x86_64", "2.7"))
    done = _installer(tmp_path)
    assert done.returncode == 2
    assert "No Python of this laptop can be served" in done.stderr
    assert not (tmp_path / "saga-testbed").exists()
    _kit(tmp_path / "kit")
    (tmp_path / "kit/saga-testbed/Makefile").write_text("demo:\n\t@echo $(PYTHON) $(OFFLINE)\n")
    done = _installer(tmp_path)
    assert done.stdout.splitlines()[0] == f"{sys.executable} {tmp_path}/kit"
    done = _installer(tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "is there already" in done.stderr


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_kit_for_this_machine_installs_and_runs_with_no_index_in_reach(tmp_path):
    target, python = PLACE
    kit = tmp_path / "NO NAME"
    build = [sys.executable, "-m", "testbed.offline", kit, "--platform", target, "--python", python]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert "not there" not in built.stdout
    again = _build(kit, "--platform", target, "--python", python)
    assert again.returncode == 0, again.stderr  # complete: no index is asked

    alone = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(tmp_path), **DEAD}
    home = kit / "saga-testbed"
    make = ["make", ".venv/dev", f"PYTHON={sys.executable}", f"OFFLINE={kit}"]
    installed = subprocess.run(
        make, cwd=home, env=alone, capture_output=True, text=True, check=False
    )
    assert installed.returncode == 0, installed.stderr
    for command in (
        ["saga", "demo", "--broker", "memory"],
        ["pytest", "-q", "tests/unit/test_saga.py", "-p", "no:cacheprovider"],
    ):
        ran = subprocess.run(
            [home / ".venv/bin" / command[0], *command[1:]],
            cwd=home,
            env=alone,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_nothing_of_this_machines_pip_is_in_a_kit_or_the_repository(tmp_path):
    _kit(tmp_path)
    assert set(json.loads((tmp_path / MANIFEST).read_text())) == {"schema", "places"}
    settings = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    values = {
        word
        for line in settings.splitlines()
        if "url" in line or "find-links" in line
        for word in line.partition("=")[2].strip("'").split()
    }
    if not values:
        pytest.skip("pip has no index of its own here")
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    texts = [
        *(path.read_text() for path in tmp_path.iterdir() if path.is_file()),
        *((ROOT / name).read_text(errors="replace") for name in tracked if (ROOT / name).is_file()),
    ]
    assert [value for value in values if any(value in text for text in texts)] == []


def test_an_interrupted_build_is_one_line_and_says_how_to_go_on(tmp_path):
    """The index accepts the connection and is silent, as one that is far away."""
    with socket.create_server(("127.0.0.1", 0)) as index:
        far = DEAD | {
            "PIP_INDEX_URL": f"http://127.0.0.1:{index.getsockname()[1]}/simple",
            "http_proxy": "",
            "PIP_FIND_LINKS": "",
        }
        build = subprocess.Popen(
            [sys.executable, "-m", "testbed.offline", tmp_path, "--platform", "macos-arm64"],
            cwd=ROOT, env=os.environ | far, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        index.settimeout(30)
        connection, _ = index.accept()
        os.killpg(build.pid, signal.SIGINT)
        _, complaint = build.communicate(timeout=30)
        connection.close()
    assert build.returncode == 130
    assert complaint == f"interrupted: call it again to complete {tmp_path}\n"
