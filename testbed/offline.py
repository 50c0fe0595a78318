"""A folder from which a whole class installs without a network: wheels for every platform, and this repository.

`make offline`, then copy build/offline to a USB stick; on a laptop `make demo OFFLINE=FOLDER`.
"""

import argparse
import io
import itertools
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NoReturn

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from testbed.offline_kit import MANIFEST, places

ROOT = Path(__file__).parents[1]
NAME = "saga-testbed"
BUILD = "setuptools>=75"
"""What an editable install needs, from pyproject.toml."""
INTERRUPTED = 130
PYTHONS = ("3.11", "3.12", "3.13")
PATCH = 99
"""The patch release that laptops have: a late one. 3.11.0 itself is too old for some packages."""
_GLIBC = ("1", "2010", "2014", "_2_17", "_2_24", "_2_27", "_2_28", "_2_31", "_2_34")
_MACOS = ("11_0", "12_0", "13_0", "14_0")
PLATFORMS = {
    "linux-x86_64": tuple(f"manylinux{v}_x86_64" for v in _GLIBC),
    "linux-arm64": tuple(f"manylinux{v}_aarch64" for v in _GLIBC if v not in ("1", "2010")),
    "macos-x86_64": tuple(f"macosx_{v}_x86_64" for v in _MACOS),
    "macos-arm64": tuple(f"macosx_{v}_arm64" for v in _MACOS),
}
"""Platform -> the tags that pip knows it by, oldest first: the wheel for the oldest system is taken. musl (Alpine) and Windows are not among them."""


class CannotBuild(Exception):
    """Nothing that can be named in the kit: the network, the disk, the folder."""


def closure(extra: str, python: str, target: str) -> set[str]:
    """Name of every distribution that is needed there, `extra` included ("" = only what runs need), markers evaluated for that place."""
    mac = target.startswith("macos")
    there = {
        "python_version": python,
        "python_full_version": f"{python}.{PATCH}",
        "sys_platform": "darwin" if mac else "linux",
        "platform_system": "Darwin" if mac else "Linux",
        "platform_machine": target.rpartition("-")[2].replace(
            "arm64", "arm64" if mac else "aarch64"
        ),
    }
    found: set[str] = set()
    waiting = [(NAME, frozenset({extra}))]
    while waiting:
        name, extras = waiting.pop()
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        for requirement in map(Requirement, needs):
            wanted = requirement.marker is None or any(
                requirement.marker.evaluate(there | {"extra": one}) for one in extras | {""}
            )
            key = canonicalize_name(requirement.name)
            if wanted and key not in found:
                found.add(key)
                waiting.append((requirement.name, frozenset(requirement.extras)))
    return found


def pinned(constraints: str) -> dict[str, str]:
    """Name -> `name==version`, of every line of constraints.txt."""
    lines = (line.strip() for line in constraints.splitlines())
    return {canonicalize_name(line.partition("==")[0]): line for line in lines if "==" in line}


def _pip_download(folder: Path, *arguments: str) -> str:
    """Run pip download into a folder; "" = done, else what it says is wrong."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest", str(folder), *arguments]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - pip, with names from constraints.txt
    return (done.stderr.strip() or "pip says nothing") if done.returncode else ""


def fetch(wheels: Path, wanted: Iterable[str], python: str, target: str) -> list[str]:
    """Download what is not there yet; those that have no wheel. Raise CannotBuild for any other trouble."""
    left, missing = list(wanted), []
    there = [
        *("--only-binary=:all:", "--implementation", "cp", "--python-version", f"{python}.{PATCH}", "--find-links", str(wheels)),
        *itertools.chain.from_iterable(("--platform", tag) for tag in PLATFORMS[target]),
    ]  # fmt: skip
    while left and _pip_download(wheels, "--no-index", *there, *left):
        if not (wrong := _pip_download(wheels, *there, *left)):
            break
        named = re.search(r"No matching distribution found for (\S+)", wrong)
        if named is None or named[1] not in left:
            raise CannotBuild(wrong.splitlines()[-1])
        _see_an_index()
        left.remove(named[1])
        missing.append(named[1])
    return missing


def _see_an_index() -> None:
    """Raise CannotBuild if no index answers: then "no wheel" says nothing."""
    with tempfile.TemporaryDirectory() as empty:
        if _pip_download(Path(empty), BUILD):
            raise CannotBuild(
                "no package index can be reached: check the network, then call it again"
            )


def fill(wheels: Path, target: str, python: str, *, tests: bool) -> dict[str, Any]:
    """Download all that this place needs; its entry of the manifest."""
    pins = pinned((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    runs = closure("", python, target)
    more = closure("dev", python, target) - runs if tests else set()
    gone = sorted((runs | more) - pins.keys())
    if gone:
        raise CannotBuild(f"constraints.txt has no version of {', '.join(gone)}: add it")
    print(f"{target}, Python {python}: {len(runs) + len(more)} packages", flush=True)
    return {
        "tests": tests,
        "missing": fetch(wheels, [*sorted(pins[name] for name in runs), BUILD], python, target),
        "missing_for_tests": fetch(wheels, sorted(pins[name] for name in more), python, target),
    }


def drop_other_versions(wheels: Path) -> None:
    """Remove wheels that constraints.txt no longer names."""
    pins = pinned((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    for wheel in wheels.glob("*.whl"):
        name, version, *_ = wheel.name.split("-")
        pin = pins.get(canonicalize_name(name))
        if pin is not None and pin.partition("==")[2] != version:
            wheel.unlink()


def copy_repository(copy: Path) -> None:
    """The last commit, without its history."""
    archive = subprocess.run(
        ["git", "archive", "HEAD"],  # noqa: S607 - whatever git the user has
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        raise CannotBuild(
            f"the repository cannot be copied: {archive.stderr.decode().strip()}: build the kit in a clone"
        )
    shutil.rmtree(copy, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as repository:
        repository.extractall(copy, filter="data")


README = """saga testbed, to be installed without a network

On Linux (glibc) or macOS, with make and one of the Pythons below:

    sh install.sh

copies the repository to ~/saga-testbed (or SAGA_HOME) and runs `make demo OFFLINE=...` there.
RabbitMQ and a browser are not in here: without RabbitMQ the demo takes the embedded broker and says so.

Wheels: {size:.0f} MB, for
{places}

{missing}
"""
INSTALL = """#!/bin/sh
# Copy the repository to the home folder and run the demo there, without a network.
set -eu
kit=$(cd "$(dirname "$0")" && pwd)
home="${SAGA_HOME:-$HOME/saga-testbed}"
if [ -e "$home" ]; then
    echo "$home is there already: move it away, or say SAGA_HOME=another folder" >&2
    exit 2
fi
if ! command -v make >/dev/null; then
    echo "make is not installed: apt-get install make, or on macOS xcode-select --install" >&2
    exit 2
fi
served() { command -v "$1" >/dev/null && "$1" "$kit/saga-testbed/testbed/offline_kit.py" "$kit"; }
for python in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
    if served "$python" 2>/dev/null; then
        cp -R "$kit/saga-testbed" "$home"
        cd "$home"
        make demo PYTHON="$python" OFFLINE="$kit"
        echo "Next time: cd $home && .venv/bin/saga --help"
        exit
    fi
done
served "${PYTHON:-python3}" || true
echo "No Python of this laptop can be served: install one of those in $kit/README.txt" >&2
exit 2
"""


def missing_lines(known: dict[str, dict[str, Any]]) -> list[str]:
    """One line for each wheel that does not exist."""
    return [
        f"{place}: {name} has no wheel{words}"
        for place, about in known.items()
        for key, words in (("missing", ""), ("missing_for_tests", " (only make test needs it)"))
        for name in about[key]
    ]


def write_about(folder: Path, known: dict[str, dict[str, Any]]) -> float:
    """Write manifest, README and installer; the size of the wheels in MB."""
    size = sum(wheel.stat().st_size for wheel in (folder / "wheels").iterdir()) / 1e6
    missing = missing_lines(known)
    text = README.format(
        size=size,
        places="\n".join(f"    {place}{'' if about['tests'] else ', without make test'}" for place, about in known.items()),
        missing="\n".join(["Not there:", *missing]) if missing else "Nothing is missing.",
    )  # fmt: skip
    (folder / MANIFEST).write_text(
        json.dumps({"schema": 1, "places": known}, indent=1), encoding="utf-8"
    )
    (folder / "README.txt").write_text(text, encoding="utf-8")
    (folder / "install.sh").write_text(INSTALL, encoding="utf-8")
    return size


def build(folder: Path, platforms: Iterable[str], pythons: Iterable[str], *, tests: bool) -> None:
    """Build a kit, complete one that was interrupted, or add places to one. Raise CannotBuild, or OSError of the folder."""
    wheels = folder / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    drop_other_versions(wheels)
    copy_repository(folder / NAME)
    known = places(folder)
    for target, python in itertools.product(platforms, pythons):
        known[f"{target} {python}"] = fill(wheels, target, python, tests=tests)
        size = write_about(folder, known)
    for line in missing_lines(known):
        print(f"not there: {line}")
    print(f"{folder}: {len(list(wheels.iterdir()))} wheels, {size:.0f} MB; copy it, then: sh install.sh")  # fmt: skip


class _OneLine(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}\n")


def main() -> None:
    """Build the kit as the command line says; one line and exit code 2 if that cannot be."""
    parser = _OneLine(prog="python -m testbed.offline", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "build" / "offline")
    parser.add_argument(
        "--platform", action="append", choices=PLATFORMS, help="default: all of them"
    )
    parser.add_argument("--python", action="append", choices=PYTHONS, help="default: all of them")
    parser.add_argument("--without-tests", action="store_true", help="make demo only")
    given = parser.parse_args()
    try:
        build(
            given.folder,
            given.platform or PLATFORMS,
            given.python or PYTHONS,
            tests=not given.without_tests,
        )
    except (CannotBuild, OSError) as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        parser.exit(INTERRUPTED, f"interrupted: call it again to complete {given.folder}\n")


if __name__ == "__main__":
    main()
