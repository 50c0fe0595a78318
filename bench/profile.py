"""Where the time of a Python process goes: samples of py-spy, by package.

Of whoever holds the interpreter's lock: a thread that waits would count as well, and what lets go of the lock (a system call) does not.
"""

import asyncio
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

SAMPLES_PER_S = 100
TOP = 8
OWN = ("kernel", "shared_domain", "choreography", "orchestration", "scenarios", "bench")
_FRAME = re.compile(r"^(?P<function>.+) \((?P<file>[^()]+)\)$")


async def profile(pid: int, *, seconds: int, folder: Path) -> dict[str, float]:
    """Package -> share of the samples whose innermost frame is in it, the largest first; nothing if there is no py-spy here."""
    program = shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if program is None:
        return {}
    out = folder / f"{pid}.raw"
    command = [
        program, "record", "--pid", str(pid), "--duration", str(seconds), "--rate", str(SAMPLES_PER_S),
        "--format", "raw", "--gil", "--nonblocking", "--full-filenames", "--output", str(out),
    ]  # fmt: skip
    running = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await running.wait()
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    if running.returncode or not out.exists():
        return {}  # the machine does not allow it
    return shares(out.read_text(encoding="utf-8"))


def shares(raw: str) -> dict[str, float]:
    """Package -> share of the samples, from py-spy's raw format: `frame;frame;frame count` per line."""
    counted: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        counted[_package(stack.split(";")[-1])] += int(count)
    total = sum(counted.values())
    return {name: n / total for name, n in counted.most_common(TOP)}


def _package(frame: str) -> str:
    """`aiormq`, `choreography/relay.py`, `asyncio`; other things by the name of their file."""
    found = _FRAME.match(frame)
    if found is None:
        return "other"
    path = Path(found["file"].rpartition(":")[0] or found["file"])
    parts = path.parts
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1]
    for own in OWN:
        if own in parts:
            return "/".join(parts[len(parts) - parts[::-1].index(own) - 1 :])
    return parts[-2] if len(parts) > 2 and parts[-2] == "asyncio" else path.stem
