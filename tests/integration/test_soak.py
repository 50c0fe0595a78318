"""A short soak, as a user runs it: something breaks all the time, and the ledgers agree in the end."""

import json
import subprocess
import sys

import pytest

PROGRAM = [sys.executable, "-c", "from testbed.cli import main; main()"]


@pytest.mark.alone
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("at_once", "orders"),
    [
        pytest.param(1, 600, marks=pytest.mark.long),
        pytest.param(2, 600, marks=pytest.mark.long),
        pytest.param(3, 600, marks=pytest.mark.long),
        pytest.param(3, 240, marks=pytest.mark.slow),
    ],
)
def test_a_short_soak_ends_with_every_saga_accounted_for(tmp_path, rabbit, at_once, orders):
    words = ["--orders", str(orders), "--rate", "30", "--time-scale", "0.3", "--fault-every", "1"]
    words += ["--at-once", str(at_once)]
    done = subprocess.run(
        [*PROGRAM, "soak", *words, "--out", str(tmp_path), "--json"],
        stdout=subprocess.PIPE,
        check=False,
    )
    told = json.loads(done.stdout)
    assert (done.returncode, told["problems"]) == (0, [])
    assert set(told["styles"]) == {"choreography", "orchestration"}
    commands = [json.loads(p.read_text())["replay"] for p in tmp_path.rglob("run.json")]
    assert all("saga soak --style" in c and f"--at-once {at_once}" in c for c in commands)
    for figures in told["styles"].values():
        assert sum(figures["classes"].values()) == orders
        assert figures["at_once"] == at_once
        assert sum(figures["troubles"].values()) >= 2 * at_once
        assert figures["backlog"] == 0
        assert figures["parked"] == figures["classes"]["parked"] > 0
