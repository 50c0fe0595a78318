"""The pages in a real browser: they render and are self-contained, tables sort, the replay steps, and what they show is escaped."""

import csv
import json
import re
import shutil
import time
from dataclasses import replace

import pytest

from bench.machine import machine_facts
from bench.results import read_run
from kernel.errors import UsageError
from report.found import collect
from report.page import write_report
from report.saga_in_run import with_counterparts
from report.saga_page import write_saga_page
from scenarios.campaigns.ablation import Ablated
from tests.browser import opened

pytestmark = pytest.mark.timeout(180)
EVIL = "<script>document.title='owned'</script>"
WIDTHS = pytest.mark.parametrize("width", [400, 1400])
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SCALED = (
    "[...document.querySelectorAll('figure svg')].filter(s => Math.abs("
    "s.getBoundingClientRect().width - parseFloat(s.getAttribute('width')) * 96 / 72) > 1).length"
    " ? ['scaled'] : []"
)
_BOXES = "[...document.querySelectorAll('figure')].map((f, i) => [f, i])"
HIDDEN = _BOXES + ".filter(([f]) => f.scrollWidth > f.clientWidth + 1).map(([, i]) => i)"
SAID = (
    _BOXES + ".filter(([f]) => getComputedStyle(f, '::before').content.includes('scroll sideways'))"
    ".map(([, i]) => i)"
)
STYLES = ("choreography", "orchestration")


@pytest.fixture
async def found(run_scenario, tmp_path):
    for style in STYLES:
        await run_scenario("card_declined", style)
    found = collect(tmp_path / "runs")
    told = {"description": EVIL, "notes": [EVIL]} | machine_facts()
    found.rows = [replace(row, about=row.about | told) for row in found.rows]
    found.left_out = [EVIL]
    return found


def _asks_for_nothing(text):
    for known in ("http://www.w3.org", "http://purl.org", "http://creativecommons.org"):
        text = text.replace(known, "")
    return "http://" not in text and "https://" not in text and "src=" not in text


@pytest.mark.slow
@WIDTHS
async def test_the_report_opens_without_an_error_and_fits_and_its_tables_sort(
    found, tmp_path, width
):
    page = write_report(found, tmp_path / "report")["html"]
    text = page.read_text()
    assert EVIL not in text
    assert _asks_for_nothing(text)
    async with opened(page, tmp_path, width=width) as browser:
        assert await browser.run("document.title") == "Choreography and orchestration, compared"
        await browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert await browser.run(OVERFLOW) <= 0
        assert "6 committed, 6 compensated of 12" in await browser.run("document.body.innerText")
        assert await browser.run("document.querySelectorAll('figure svg[role=img]').length") == 7
        # Type has one size everywhere: no chart is scaled; what is wider than the screen says so.
        assert await browser.run(SCALED) == []
        hidden, said = await browser.run(HIDDEN), await browser.run(SAID)
        assert said == hidden
        assert bool(hidden) is (width == 400)
        rows = "[...document.querySelector('#latency').parentElement.querySelectorAll('tbody tr')].map(r => r.cells[3].textContent)"
        head = "document.querySelector('#latency').parentElement.querySelectorAll('th button')[3].click()"
        numbers = []
        for _ in range(2):
            await browser.run(head)
            numbers.append([float(cell) for cell in await browser.run(rows)])
        assert numbers[0] == sorted(numbers[0])
        assert numbers[1] == sorted(numbers[0], reverse=True)
        assert browser.errors == []


@pytest.mark.slow
@WIDTHS
async def test_the_replay_steps_with_the_keyboard_and_shows_what_everybody_holds(
    run_scenario, tmp_path, width
):
    rows = [
        read_run((await run_scenario("undeliverable", style, time_scale=0.1)).folder)
        for style in STYLES
    ]
    page = write_saga_page(rows, "order-00001")
    assert _asks_for_nothing(page.read_text())
    holds = (
        "[...document.querySelectorAll('.side')].map(s => [...s.querySelectorAll('.holds dd')]"
        ".map(d => d.textContent))"
    )
    now = "[...document.querySelectorAll('li.now')].map(i => i.textContent.replace(/^[-0-9.]+ ms /, ''))"
    async with opened(page, tmp_path, width=width) as browser:
        assert await browser.run(OVERFLOW) <= 0
        assert await browser.run(now) == ["customer: orders"] * 2
        assert await browser.run(holds) == [["none", "0", "0.00", "0"]] * 2
        seen = []
        for _ in range(40):
            await browser.press("ArrowRight")
            seen += [await browser.run(now)]
        for operation in ("PlaceOrder", "RefundPayment", "ReleaseStock", "CancelOrder"):
            assert any(sum(operation in text for text in texts) == 2 for texts in seen), operation
        assert seen[-1] == ["customer: asks, sees CANCELLED"] * 2
        assert await browser.run(holds) == [["CANCELLED", "0", "0.00", "0"]] * 2
        charged = "payment: ChargePayment"
        while charged not in await browser.run(now):
            await browser.press("ArrowLeft")
        (status, stock, money, parcels), other = await browser.run(holds)
        assert (status, parcels) == ("PENDING", "0")
        assert (int(stock), float(money.replace(",", ""))) > (0, 0.0)
        assert other == [status, stock, money, parcels]
        assert await browser.run("document.querySelectorAll('svg g.here').length") == 2
        await browser.press("Home")
        assert await browser.run(now) == ["customer: orders"] * 2
        assert browser.errors == []
        text = await browser.run("document.body.innerText")
    for told in (
        "BookShipment was refused. Undeliverable: no parcel is booked.",
        "Undone, in this order: RefundPayment, ReleaseStock, CancelOrder.",
        "The customer saw PENDING at first and CANCELLED in the end.",
    ):
        assert text.count(told) == 2
    assert text.count("Both styles took the same steps to the same outcome, in ") == 1


@pytest.mark.slow
async def test_the_report_has_the_same_tables_in_every_format(found, tmp_path):
    found.ablated = [
        Ablated(guard="inbox", scenario="lost_reply", style=style, counterpart=True, damage="duplicated", k=3, n=6)
        for style in STYLES
    ]  # fmt: skip
    folder = tmp_path / "report"
    written = write_report(found, folder, formats=["md", "csv", "json"])
    document = json.loads(written["json"].read_text())
    names = [section["name"] for section in document["sections"]]
    assert {"outcomes", "latency", "breakdown", "traceability", "service_map", "guards"} <= set(
        names
    )
    text = written["md"].read_text()
    for section in document["sections"]:
        with (written["csv"] / f"{section['name']}.csv").open() as file:
            columns, *lines = list(csv.reader(file))
        told = [["" if v is None else str(v) for v in line.values()] for line in section["lines"]]
        assert lines == told
        assert not lines or columns == list(section["lines"][0])
        assert f"## {section['title']}" in text
        assert (folder / f"{section['name']}.png").exists() == (f"({section['name']}.png)" in text)


async def test_runs_kept_by_a_sweep_are_no_runs_of_the_suite(run_scenario, tmp_path):
    await run_scenario("card_declined", "choreography")
    kept = (await run_scenario("happy_path", "choreography")).folder
    cell = tmp_path / "runs" / "sweep" / "runs"
    cell.mkdir(parents=True)
    kept.rename(cell / kept.name)
    (tmp_path / "runs" / "sweep" / "cells.jsonl").write_text("")
    assert [row.scenario for row in collect(tmp_path / "runs").rows] == ["card_declined"]
    assert [row.scenario for row in collect(cell).rows] == ["happy_path"]
    with pytest.raises(UsageError, match="no run knows"):
        write_saga_page(collect(cell).rows, "order-99999")


async def test_a_report_can_be_made_of_runs_without_evidence_or_counterpart(run_scenario, tmp_path):
    folder = (await run_scenario("answered_twice", "orchestration", orders=4)).folder
    about = json.loads((folder / "run.json").read_text()) | machine_facts()
    (folder / "run.json").write_text(json.dumps(about))
    assert write_report(collect(folder), tmp_path / "a")["html"].exists()
    shutil.rmtree(folder / "evidence")
    assert write_report(collect(folder), tmp_path / "b")["html"].exists()


@pytest.mark.slow
async def test_the_picture_beside_a_run_differs_in_style_alone(run_scenario, tmp_path):
    mine = read_run((await run_scenario("card_declined", "choreography")).folder)
    other = read_run((await run_scenario("card_declined", "orchestration", seed=2)).folder)
    same = read_run((await run_scenario("card_declined", "orchestration")).folder)
    assert with_counterparts(mine, [other]) == [mine]
    assert with_counterparts(mine, [same, other]) == [mine, same]


async def test_a_dollar_sign_begins_no_formula(run_scenario, tmp_path):
    folder = (await run_scenario("flaky_participant", "choreography", orders=4)).folder
    log = folder / "evidence" / "service_log.jsonl"
    trace = folder / "trace.jsonl"
    for path in (log, trace):
        path.write_text(path.read_text().replace("injected error", "$.a{b $ \\\\frac{ x"))
    assert write_saga_page([read_run(folder)], "order-00001").exists()


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_report_of_a_hundred_thousand_sagas(run_scenario, tmp_path):
    """20 runs of 5,000 orders, multiplied from small ones; prints how long the report took."""
    big = tmp_path / "big"
    for scenario in ("happy_path", "card_declined", "undeliverable", "refund_flaky", "lost_reply"):
        for style in STYLES:
            folder = (await run_scenario(scenario, style, orders=50)).folder
            for copy in ("a", "b"):
                _multiply(folder, big / f"{folder.name}-{copy}", 100)
    begun = time.perf_counter()
    found = collect(big)
    written = write_report(found, tmp_path / "report", formats=["html", "csv", "json"])
    print(f"the report of 100,000 sagas took {time.perf_counter() - begun:.1f} s")
    assert sum(row.orders for row in found.rows) == 100_000
    rows = json.loads(written["json"].read_text())["runs"]
    assert rows[0]["orders"] == "5000 committed of 5000"
    assert written["html"].stat().st_size < 10_000_000


def _multiply(folder, into, times):
    """A run with all its orders so many times, under other names."""

    def renamed(text, number):
        return re.sub(r"order-00(\d{3})", lambda found: f"order-{number:03d}{found[1]}", text)

    (into / "evidence").mkdir(parents=True)
    shutil.copy(folder / "evidence/definition.jsonl", into / "evidence")
    about = json.loads((folder / "run.json").read_text())
    (into / "run.json").write_text(json.dumps(about | machine_facts()))
    verdict = json.loads((folder / "verdict.json").read_text())
    copies = [json.loads(renamed(json.dumps(verdict), number)) for number in range(times)]
    verdict["orders"] = [order for copy in copies for order in copy["orders"]]
    verdict["timing"]["orders"] = [t for copy in copies for t in copy["timing"]["orders"]]
    verdict["classes"] = {name: k * times for name, k in verdict["classes"].items()}
    (into / "verdict.json").write_text(json.dumps(verdict))
    for path in (*folder.glob("*.jsonl"), *(folder / "evidence").glob("*.jsonl")):
        if path.name != "definition.jsonl":
            text = path.read_text()
            with (into / path.relative_to(folder)).open("w") as file:
                file.writelines(renamed(text, number) for number in range(times))
