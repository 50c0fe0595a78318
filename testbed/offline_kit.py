"""Whether a folder can install this Python: run by make before anything is installed, so it stands on the standard library alone."""

import re
import sys
from pathlib import Path


def lacks(folder: Path, version: tuple[int, int]) -> str:
    """Why a Python of this version cannot be served by a kit, "" = it can."""
    wheels = folder / "wheels"
    if not wheels.is_dir():
        return f"{folder} is no kit: there is no folder wheels in it: build one with make offline"
    has = sorted(
        {int(m[1]) for w in wheels.glob("numpy-*") if (m := re.search(r"-cp3(\d+)-", w.name))}
    )
    if version[1] not in has:
        there = ", ".join(f"3.{minor}" for minor in has) or "none"
        return f"{folder} has no wheels for Python {version[0]}.{version[1]}, only for {there}: make PYTHON=python3.{has[-1] if has else 11}"
    return ""


if __name__ == "__main__":
    sys.exit(lacks(Path(sys.argv[1]), sys.version_info[:2]) or 0)
