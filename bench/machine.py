"""What a run was carried out on: for run.json, so that a figure can be traced to its machine."""

import os
import platform
import sqlite3
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("saga-testbed", "aio-pika", "boto3", "aiosqlite", "aiohttp", "uvloop", "matplotlib")


def machine_facts() -> dict[str, Any]:
    """`machine` and `versions` as run.json has them. Nothing in it names the user or the host."""
    return {
        "machine": {
            "system": platform.system(),
            "release": platform.release(),
            "architecture": platform.machine(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "memory_gib": _memory_gib(),
        },
        "versions": {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
        | {name: metadata.version(name) for name in PACKAGES},
        "source": _source(),
    }


def _source() -> dict[str, Any]:
    """The commit that this code is of, and whether it was changed since; None where that cannot be known."""
    folder = Path(__file__).parents[1]
    if not (folder / ".git").exists():
        return {"commit": None, "changed": None}
    try:
        commit, changes = (
            subprocess.run(  # noqa: S603 - our own words
                ["git", "-C", str(folder), *what],  # noqa: S607 - whatever git the user has
                capture_output=True,
                text=True,
                check=True,
                timeout=5,
            ).stdout.strip()
            for what in (("rev-parse", "HEAD"), ("status", "--porcelain"))
        )
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "changed": None}
    return {"commit": commit, "changed": bool(changes)}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _memory_gib() -> float | None:
    try:
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
    return round(pages * size / 2**30, 1)
