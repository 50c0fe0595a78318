"""The page in a real browser: it renders, it is self-contained, and it escapes what it shows."""

import os
import shutil
import subprocess
from dataclasses import replace

import pytest

from bench.machine import machine_facts
from bench.results import read_run
from report.page import write_report

BROWSER = shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=2000",
]


def _dom(page, tmp_path):
    if BROWSER is None:
        if os.environ.get("SAGA_REQUIRE_BROWSER") == "1":
            pytest.fail("chromium is required and not installed")
        pytest.skip("chromium is not installed")
    done = subprocess.run(
        [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout


async def test_the_page_shows_table_charts_and_runs_and_escapes_what_users_wrote(
    carry_out, tmp_path
):
    rows = [
        read_run((await carry_out("card_declined", s)).folder)
        for s in ("choreography", "orchestration")
    ]
    evil = "<script>document.title='owned'</script>"
    rows[0] = replace(
        rows[0], about=rows[0].about | machine_facts() | {"story": evil, "notes": [evil]}
    )
    page = write_report(rows, tmp_path / "report", left_out=[evil])
    text = page.read_text()
    assert "http://" not in text.replace("http://www.w3.org", "").replace(
        "http://purl.org", ""
    ).replace("http://creativecommons.org", "")
    assert "src=" not in text
    dom = _dom(page, tmp_path)
    assert "<title>Choreography and orchestration, compared</title>" in dom
    assert evil not in dom
    assert dom.count("<svg") == 3
    assert dom.count("<details") == 2
    assert "6 committed, 6 compensated of 12" in dom
    assert "business.refused at ChargePayment" in dom
