"""A folder from which a whole class installs without a network: wheels for every platform, and this repository.

`make offline`, then copy build/offline to a USB stick; on a laptop `make demo OFFLINE=FOLDER`.
"""

import argparse
import io
import itertools
import platform
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
NAME = "saga-testbed"
PYTHONS = ("3.11", "3.12", "3.13")
_GLIBC = ("1", "2010", "2014", "_2_17", "_2_24", "_2_27", "_2_28", "_2_31", "_2_34")
PLATFORMS = {
    "linux-x86_64": tuple(f"manylinux{v}_x86_64" for v in _GLIBC),
    "linux-arm64": tuple(f"manylinux{v}_aarch64" for v in _GLIBC if v not in ("1", "2010")),
    "macos-x86_64": ("macosx_14_0_x86_64",),
    "macos-arm64": ("macosx_14_0_arm64",),
}
"""Platform -> the tags that pip knows it by. musl (Alpine) and Windows are not among them."""


TRIES = 3
"""A network that fails once has not said that there is no wheel."""


def closure(extra: str, python: str, target: str) -> set[str]:
    """Name of every distribution that is needed there, `extra` included ("" = only what runs need), markers evaluated for that place."""
    mac = target.startswith("macos")
    there = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "darwin" if mac else "linux",
        "platform_system": "Darwin" if mac else "Linux",
        "platform_machine": target.partition("-")[2].replace(
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


def _download(wheels: Path, wanted: Iterable[str], python: str, tags: Iterable[str]) -> bool:
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"),
        *("--implementation", "cp", "--python-version", python, "--find-links", str(wheels), "--dest", str(wheels)),
        *itertools.chain.from_iterable(("--platform", tag) for tag in tags),
        *wanted,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - pip, with names from constraints.txt


def collect(wheels: Path, targets: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """Download the wheels of each (platform, Python, extra); one line for each wheel that does not exist."""
    pins = pinned((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    for target, python, extra in targets:
        names = closure(extra, python, target)
        wanted = sorted(pins[name] for name in names if name in pins)
        print(
            f"{target}, Python {python}{', with tests' if extra else ''}: {len(wanted)} packages",
            flush=True,
        )
        missing = [
            f"{name} has no version in constraints.txt" for name in sorted(names - pins.keys())
        ]
        if not _download(wheels, [*wanted, "setuptools>=75"], python, PLATFORMS[target]):
            missing += [
                f"{one} has no wheel"
                for one in [*wanted, "setuptools>=75"]
                if not any(
                    _download(wheels, [one], python, PLATFORMS[target]) for _ in range(TRIES)
                )
            ]
        for line in missing:
            yield f"{target}, Python {python}: {line}"


def here() -> tuple[str, str]:
    """The machine it runs on, as (platform, Python)."""
    system = "macos" if sys.platform == "darwin" else "linux"
    machine = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
    return f"{system}-{machine}", f"{sys.version_info.major}.{sys.version_info.minor}"


README = """saga testbed, to be installed without a network

On Linux or macOS with Python {pythons} and make:

    sh install.sh

copies the repository to ~/saga-testbed and runs `make demo OFFLINE=...` there. `make test OFFLINE=...` also works on {tested}.
RabbitMQ and a browser are not in here: without RabbitMQ the demo takes the embedded broker and says so.

Wheels: {size:.0f} MB, for {platforms}.
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
cp -R "$kit/saga-testbed" "$home"
cd "$home"
make demo OFFLINE="$kit"
echo "Next time: cd $home && .venv/bin/saga --help"
"""


def main() -> None:
    """Build the kit, or complete one that was interrupted."""
    parser = argparse.ArgumentParser(prog="python -m testbed.offline", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "build" / "offline")
    parser.add_argument(
        "--platform", action="append", choices=PLATFORMS, help="default: all of them"
    )
    parser.add_argument("--python", action="append", choices=PYTHONS, help="default: all of them")
    given = parser.parse_args()
    folder, platforms, pythons = (
        given.folder,
        given.platform or [*PLATFORMS],
        given.python or [*PYTHONS],
    )
    wheels, copy = folder / "wheels", folder / NAME
    wheels.mkdir(parents=True, exist_ok=True)
    copy.mkdir(exist_ok=True)
    targets = [(target, python, "") for target in platforms for python in pythons]
    if here() in itertools.product(platforms, pythons):
        targets.append((*here(), "dev"))
    missing = list(collect(wheels, targets))
    archive = subprocess.run(
        ["git", "archive", "HEAD"],  # noqa: S607 - whatever git the user has
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        sys.exit(
            f"error: the repository cannot be copied: {archive.stderr.decode().strip()}: build the kit in a clone"
        )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as repository:
        repository.extractall(copy, filter="data")
    size = sum(wheel.stat().st_size for wheel in wheels.iterdir()) / 1e6
    text = README.format(
        pythons=", ".join(pythons), tested=" with Python ".join(here()), size=size, platforms=", ".join(platforms),
        missing="\n".join(["Not there:", *missing]) if missing else "Nothing is missing.",
    )  # fmt: skip
    (folder / "README.txt").write_text(text, encoding="utf-8")
    (folder / "install.sh").write_text(INSTALL, encoding="utf-8")
    for line in missing:
        print(f"not there: {line}")
    print(
        f"{folder}: {len(list(wheels.iterdir()))} wheels, {size:.0f} MB; copy it, then: sh install.sh"
    )


if __name__ == "__main__":
    main()
