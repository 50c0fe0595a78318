"""The logs of simulated runs, as another process makes them."""

import subprocess
import sys

_LOGS = """
import hashlib, sys
from scenarios.campaigns.simulation.schedule import Space
from scenarios.campaigns.simulation.simulated import log_bytes, play
adapters, runs, seed = sys.argv[1:]
kept = [object() for _ in range(int(seed))]  # objects lie elsewhere
space = Space(styles=["choreography", "orchestration"], faults=(0, 3), seed=3, adapters=adapters)
for number in range(int(runs)):
    log = log_bytes(play(space.schedule(number)))
    print(number, len(log), hashlib.sha256(log).hexdigest())
"""


def logs(hash_seed, runs, adapters="embedded"):
    """A line for each schedule: its number, and the length and digest of its log."""
    return subprocess.run(
        [sys.executable, "-c", _LOGS, adapters, str(runs), hash_seed],
        env={"PYTHONHASHSEED": hash_seed, "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def assert_the_same_in_every_process(runs, adapters="embedded"):
    """Bytes do not depend on hashes or on where objects lie, and every schedule has bytes of its own."""
    first = logs("0", runs, adapters)
    assert first == logs("4711", runs, adapters)
    assert len({line.split()[2] for line in first.splitlines()}) == runs
