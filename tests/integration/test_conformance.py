"""Executions recorded on AWS, replayed against the engine: the sample in ../shared/conformance."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kernel.child import free_port

SAMPLE = Path(__file__).parents[3] / "shared" / "conformance"
LEAST_EXACT_RATIO = 0.95


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(
    not SAMPLE.is_dir(), reason="the recorded executions are not beside this repository"
)
def test_the_engine_tells_the_same_histories_as_aws(tmp_path):
    port, functions = free_port(), free_port()
    engine = subprocess.Popen(
        [
            sys.executable, "-m", "orchestration", "engine", "--port", str(port), "--data", str(tmp_path / "data"),
            "--lambda-endpoint", f"http://127.0.0.1:{functions}",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert "ready" in engine.stdout.readline()
        subprocess.run(
            [
                sys.executable, SAMPLE / "run_cases.py", "--endpoint", f"http://127.0.0.1:{port}",
                "--lambda-port", str(functions), "--json", tmp_path / "result.json",
            ],
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, timeout=350, check=True,
        )  # fmt: skip
    finally:
        engine.terminate()
        engine.wait(timeout=10)
        engine.stdout.close()
    cases = json.loads((tmp_path / "result.json").read_text())["cases"]
    judged = {n: c["grade"] for n, c in cases.items() if "distributed-map" not in c["tags"]}
    wrong = {name: grade for name, grade in judged.items() if grade != "exact"}
    assert len(judged) > 190
    assert 1 - len(wrong) / len(judged) >= LEAST_EXACT_RATIO, wrong
