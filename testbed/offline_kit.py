"""Whether a kit can install this Python here: run by make before anything is installed, so it stands on the standard library alone.

python3 testbed/offline_kit.py FOLDER [tests]
"""

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

MANIFEST = "kit.json"


def here() -> tuple[str, str]:
    """The machine it runs on, as (platform, Python)."""
    machine = {"aarch64": "arm64", "amd64": "x86_64"}.get(platform.machine(), platform.machine())
    system = "macos" if sys.platform == "darwin" else "linux"
    if system == "linux" and not _has_glibc():
        system = "linux-musl"
    return f"{system}-{machine}", f"{sys.version_info[0]}.{sys.version_info[1]}"


def _has_glibc() -> bool:
    """As pip asks for it. musl knows no such name."""
    try:
        return "glibc" in (os.confstr("CS_GNU_LIBC_VERSION") or "")
    except (OSError, ValueError):
        return False


def places(folder: Path) -> dict[str, dict[str, Any]]:
    """`platform python` -> whether the tests are in the kit, and which wheels do not exist; {} = this is no kit."""
    try:
        found = dict(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["places"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found if (folder / "wheels").is_dir() else {}


def lacks(folder: Path, place: tuple[str, str], *, tests: bool) -> str:
    """Why this place cannot be served by a kit, and what to do; "" = it can."""
    known = places(folder)
    if not known:
        return f"{folder} is no kit: build one where there is a network with make offline, and give its folder"
    target, python = place
    found = known.get(f"{target} {python}")
    if found is None:
        others = [key.split()[1] for key in known if key.split()[0] == target]
        if others:
            return f"{folder} has no wheels for Python {python}, only for {', '.join(others)}: rm -rf .venv, then make demo PYTHON=python{others[-1]} OFFLINE={folder}"
        return f"{folder} has no wheels for {target}, only for {', '.join(sorted({key.split()[0] for key in known}))}: build it with make offline KIT='--platform {target}'"
    missing = found["missing"] + (found["missing_for_tests"] if tests else [])
    if missing:
        return f"{folder} lacks {', '.join(missing)} for {target} with Python {python}: these have no wheel; install from a network"
    if tests and not found["tests"]:
        return f"{folder} was built without tests: make demo works, build it without --without-tests for make test"
    return ""


def main(folder: str, *, tests: bool) -> None:
    """End with one line on standard error and exit code 2 if the kit will not do."""
    if reason := lacks(Path(folder).expanduser(), here(), tests=tests):
        print(reason, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1], tests="tests" in sys.argv[2:])
