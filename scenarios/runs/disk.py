"""Whether the disk under a run's databases is full."""

import shutil
from pathlib import Path

NO_ROOM_BYTES = 1 << 20
"""Below this, hardly a transaction of any participant can be committed."""


def full_disk(work: Path) -> list[str]:
    """One line if there is no room left for the databases in `work`."""
    free = shutil.disk_usage(work).free
    if free >= NO_ROOM_BYTES:
        return []
    return [f"the disk under {work.parent} is full: {free} bytes are left for the run's databases"]
