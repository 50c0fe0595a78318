"""`saga play` as players use it: its server, its page in a real browser, and its command line."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import aiohttp
import pytest

from kernel.errors import UsageError
from scenarios.campaigns.play.level import levels_of, proofs_of
from scenarios.campaigns.play.table import WAIT
from scenarios.campaigns.simulation.schedule import Schedule
from shared_domain.order.saga import SAGA
from testbed.play_server import MOST_BYTES, PlayServer
from tests.browser import opened

PROGRAM = [sys.executable, "-c", "from testbed.cli import main; main()"]
pytestmark = pytest.mark.timeout(120)
STYLES = ("choreography", "orchestration")
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
MISDIRECTED = {"Host": "evil.example"}


@pytest.fixture
async def server():
    async with PlayServer(SAGA).serving("127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


async def _post(http, url, document, **options):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    async with http.post(url, data=body, **options) as answer:
        return answer.status, await answer.json()


async def test_a_position_comes_from_the_choices_alone(server, http):
    asked = {"setup": {"style": "choreography", "guards": "-inbox"}, "choices": ["next"] * 4}
    status, first = await _post(http, f"{server}/api/position", asked)
    assert status == 200
    await _post(http, f"{server}/api/position", asked | {"choices": [], "on": True})
    assert await _post(http, f"{server}/api/position", asked) == (200, first)
    assert [o["words"] for o in first["options"]][:2] == [
        "Let ChargePayment reach the payment service",
        "Lose ChargePayment before the payment service sees it",
    ]
    assert first["waiting"][0]["node"] == "ChargePayment"
    assert first["orders"][0]["told"] == ["PENDING"]
    assert first["services"][1]["rows"][0]["operation"] == "ReserveStock"


async def test_the_simulation_leaves_the_servers_own_loop_alone(server, http):
    asked = {"setup": {"style": "orchestration"}, "choices": [], "on": True}
    answers = await asyncio.gather(
        *(_post(http, f"{server}/api/position", asked) for _ in range(20))
    )
    assert {status for status, _ in answers} == {200}
    assert all(answer["over"] for _, answer in answers)


@pytest.mark.parametrize(
    ("what", "document", "status", "says"),
    [
        ("position", b"{", 400, "JSON object"),
        ("position", b"[1]", 400, "JSON object"),
        ("position", {}, 400, "copy the whole link"),
        ("position", {"setup": {"style": "chorus"}}, 400, "there is no style 'chorus'"),
        ("position", {"setup": {"style": STYLES[0]}, "choices": "next"}, 400, "list of words"),
        ("position", {"setup": {"style": STYLES[0]}, "choices": ["next", "nex"]}, 400, "choice 2, 'nex', is not possible"),
        ("position", {"setup": {"style": STYLES[0]}, "choices": ["next"] * 5000}, 400, "more than a game has"),
        ("position", {"setup": {"style": STYLES[0]}, "level": 99}, 400, "there is no level 99"),
        ("position", {"setup": {"style": STYLES[0]}, "level": "x"}, 400, "is no number"),
        ("position", {"setup": {"style": STYLES[0]}, "on": 1}, 400, "true or false"),
        ("position", b" " * (MOST_BYTES + 1), 413, "too large"),
        ("export", {"setup": {"style": STYLES[0]}, "choices": ["wrong"]}, 400, "is not possible"),
        ("solution", {"level": 0, "style": STYLES[0]}, 400, "choose a level"),
        ("solution", {"level": 5, "style": STYLES[1]}, 400, "choose a level"),
        ("solution", {"level": 1, "style": ["x"]}, 400, "choose a level"),
        ("flow", {"setup": {"style": STYLES[0], "variant": "<b>"}}, 400, "there is no step order"),
        ("second", {"setup": {"style": STYLES[0]}, "rate": 10**9}, 400, "from 1 to 40"),
        ("nothing", {}, 404, "no such page"),
    ],
)  # fmt: skip
async def test_a_bad_request_is_answered_with_one_sentence(
    server, http, what, document, status, says
):
    answered, told = await _post(http, f"{server}/api/{what}", document)
    assert answered == status
    assert list(told) == ["error"]
    assert says in told["error"]
    assert "\n" not in told["error"]
    assert len(told["error"]) < 500


async def test_a_game_is_exported_as_a_schedule_that_the_simulation_ends_alike(
    server, http, tmp_path
):
    choices = list(proofs_of("order")["paid-twice"]["orchestration"].won)
    asked = {"setup": {"style": "orchestration", "guards": "-inbox"}, "choices": choices}
    status, made = await _post(http, f"{server}/api/export", asked)
    assert (status, made["same"], made["ends"]) == (200, True, "duplicated")
    file = tmp_path / "play.json"
    file.write_text(json.dumps(made["schedule"]))
    assert Schedule.read(file).guards == "-inbox"
    done = await asyncio.to_thread(
        subprocess.run, [*PROGRAM, "replay", file, "--simulated"], capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "ChargePayment was applied twice" in done.stdout


async def test_the_page_needs_no_other_network_and_other_pages_cannot_ask_for_it(server, http):
    async with http.get(server) as answer:
        text = await answer.text()
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "http://" not in text
    assert "https://" not in text
    status, told = await _post(http, f"{server}/api/position", {}, headers=MISDIRECTED)
    assert status == 403
    assert "this machine only" in told["error"]


async def test_a_classroom_is_joined_with_the_code_only(http):
    async with PlayServer(SAGA, code="ABC234").serving("127.0.0.1", 0) as port:
        url = f"http://127.0.0.1:{port}"
        async with http.get(url) as answer:
            assert answer.status == 401
            assert "Join code" in await answer.text()
        async with http.get(f"{url}/?code=WRONG1") as answer:
            assert answer.status == 401
        async with http.post(f"{url}/api/position", data=b"{}") as answer:
            assert answer.status == 401
        joined = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=joined) as student:
            async with student.get(f"{url}/?code=abc234", headers=MISDIRECTED) as answer:
                assert answer.status == 200
            asked = {"setup": {"style": "choreography"}, "choices": []}
            assert (await _post(student, f"{url}/api/position", asked))[0] == 200


async def test_a_port_that_is_taken_is_said_in_a_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"cannot serve on 127.0.0.1:{port}"):
            async with PlayServer(SAGA).serving("127.0.0.1", port):
                pass


async def _until(page, script):
    async with asyncio.timeout(30):
        while not await page.run(f"Boolean({script})"):
            await asyncio.sleep(0.03)


def _side(style):
    return f"document.querySelector('[data-style={style}]')"


async def _choices(page, style):
    return await page.run(f"sides.find(side => side.style === '{style}').choices.length")


async def _key(page, style, key):
    """Press a key, and wait until the page has done what it says."""
    await page.press(key)
    await page.run(
        f"window.settled = false; sides.find(s => s.style === '{style}').after(() => {{ settled = true; }}); 0"
    )
    await _until(page, "settled")


@pytest.mark.parametrize(
    ("style", "width"),
    [
        (STYLES[0], 1400),
        (STYLES[1], 400),
        pytest.param(STYLES[0], 400, marks=pytest.mark.slow),
        pytest.param(STYLES[1], 1400, marks=pytest.mark.slow),
    ],
)
async def test_a_level_is_won_in_a_browser_with_the_keyboard_alone(server, tmp_path, style, width):
    number = next(
        n for n, level in enumerate(levels_of(SAGA), 1) if level.name == "parcel-for-nobody"
    )
    won = proofs_of("order")["parcel-for-nobody"][style].won
    async with opened(f"{server}/#level={number}", tmp_path, width=width) as page:
        await _until(
            page,
            f"{_side(STYLES[1])}.querySelector('.flow svg') && {_side(STYLES[0])}.querySelector('.flow svg')",
        )
        assert await page.run(OVERFLOW) <= 0
        async with asyncio.timeout(20):
            while not await page.run(f"{_side(style)}.contains(document.activeElement)"):
                await page.press("Tab")
        for choice in won:
            place = await page.run(
                f"sides.find(s => s.style === '{style}').state.options.findIndex(o => o.choice === {json.dumps(choice)})"
            )
            assert place >= 0, choice
            if place < 9:
                await _key(page, style, "t" if choice == WAIT else str(place + 1))
                continue
            async with asyncio.timeout(20):  # the tenth choice has no key: Tab and Enter
                button = f"{_side(style)}.querySelectorAll('.choices button')[{place}]"
                while not await page.run(f"{button} === document.activeElement"):
                    await page.press("Tab")
            await _key(page, style, "Enter")
        assert await _choices(page, style) == len(won)
        judge = await page.run(f"{_side(style)}.querySelector('.judge').textContent")
        assert "You did it, with" in judge
        assert "half-done" in judge
        assert await page.run(f"{_side(style)}.querySelector('.stars').textContent") == "★★★"
        parcels = await page.run(f"{_side(style)}.querySelector('.services').textContent")
        assert "parcels: 1" in parcels
        assert (
            await page.run(f"document.querySelectorAll('.flow g.undone[id^={style}]').length") >= 1
        )
        await _key(page, style, "u")
        assert "You did it" not in await page.run(
            f"{_side(style)}.querySelector('.judge').textContent"
        )
        await _key(page, style, "r")
        assert await page.run(f"{_side(style)}.querySelector('.stars').textContent") == "★★★"
        assert await page.run(OVERFLOW) <= 0
        position = await page.run("location.href")
        assert page.errors == []
    async with opened(position, tmp_path / "friend", width=width) as friend:
        await _until(
            friend, f"{_side(style)}.querySelector('.judge').textContent.includes('You did it')"
        )
        assert await _choices(friend, style) == len(won)


async def test_show_me_the_safeguard_and_a_link_that_is_cut_in_a_browser(server, tmp_path):
    async with opened(f"{server}/#level=1&orchestration=next,nex", tmp_path) as page:
        await _until(page, "document.getElementById('says').className === 'wrong'")
        assert "this link cannot be followed" in await page.run(
            "document.getElementById('says').textContent"
        )
        assert await _choices(page, "orchestration") == 0
        await page.run(f"{_side('orchestration')}.querySelector('[data-do=show]').click()")
        await _until(page, "document.activeElement.dataset.do === 'redo'")
        for _ in proofs_of("order")["paid-twice"]["orchestration"].won:
            await _key(page, "orchestration", "r")
        assert "You did it" in await page.run(
            f"{_side('orchestration')}.querySelector('.judge').textContent"
        )
        await page.run("document.getElementById('guarded').click()")
        await _until(
            page,
            "document.getElementById('about').textContent.includes('none of them reached the goal')",
        )
        await page.run("document.activeElement.blur()")
        await _key(page, "orchestration", "p")
        assert "is committed" in await page.run(
            f"{_side('orchestration')}.querySelector('.judge').textContent"
        )


@pytest.mark.parametrize("width", [400, 1400])
async def test_free_play_and_the_demonstration_in_a_browser(server, tmp_path, width):
    async with opened(
        f"{server}/#guards=-inbox&orders=2&refused=BookShipment", tmp_path, width=width
    ) as page:
        await _until(page, f"{_side(STYLES[1])}.querySelector('.flow svg')")
        await page.run("sides[0].on()")
        await _until(
            page,
            f"{_side(STYLES[0])}.querySelector('.judge').textContent.includes('order-00000 is compensated')",
        )
        assert "order-00001 is committed" in await page.run(
            f"{_side(STYLES[0])}.querySelector('.judge').textContent"
        )
        await page.run(
            "many.form.act.value = 'lose-answer'; many.form.share.value = 100; id('run').click()"
        )
        for style in range(2):
            await _until(page, f"/wrong: [1-9]/.test(id('charts').children[{style}].textContent)")
        await page.run("id('run').click()")
        assert await page.run("id('run').textContent") == "Start"
        assert "money at risk: 0.00" not in await page.run("id('charts').textContent")
        assert await page.run("document.querySelectorAll('#charts polyline').length") >= 4
        assert await page.run(OVERFLOW) <= 0
        assert page.errors == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--level", 99), "there is no level 99: the saga order has 1 to"),
        (("--saga", "ordr"), "'ordr' is neither a built-in saga nor a folder"),
        (("--saga", "trip", "--level", 1), "the saga trip has no levels"),
        (("--host", "192.0.2.1", "--port", 0), "cannot serve on 192.0.2.1:0"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(saga, arguments, says):
    done = saga("play", "--no-browser", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_program_says_where_it_serves_and_ends_with_ctrl_c(tmp_path):
    with subprocess.Popen(
        [*PROGRAM, "play", "--no-browser", "--port", "0", "--level", "3"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    ) as running:  # fmt: skip
        try:
            address = running.stdout.readline().removeprefix("Play at ").strip()
            assert address.startswith("http://127.0.0.1:")
            with urllib.request.urlopen(address) as answer:
                assert '"opened": 3' in answer.read().decode()
            time.sleep(0.2)
            running.send_signal(signal.SIGINT)
            assert running.wait(20) == 0
            assert "Traceback" not in running.stderr.read()
        finally:
            running.kill()
