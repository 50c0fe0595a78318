"""Debian's chromium, driven through its DevTools protocol: just enough to use a page as a person does."""

import asyncio
import itertools
import os
import shutil
from contextlib import asynccontextmanager

import aiohttp
import pytest

BROWSER = shutil.which("chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--remote-debugging-port=0",
]  # fmt: skip
_DEFAULTS = {
    "Tab": {"windowsVirtualKeyCode": 9},
    "Enter": {"windowsVirtualKeyCode": 13, "text": "\r"},
}
"""Without these a key moves no focus and presses no button."""


class Page:
    """One page. `errors`: what its console complained of, exceptions included."""

    def __init__(self, socket):
        self._socket, self._ids, self._answers = socket, itertools.count(1), {}
        self._session = None
        self.errors = []

    async def listen(self):
        async for message in self._socket:
            said = message.json()
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
            elif said["method"] == "Runtime.exceptionThrown":
                self.errors.append(said["params"]["exceptionDetails"])
            elif said["method"] == "Runtime.consoleAPICalled" and said["params"]["type"] == "error":
                self.errors.append(said["params"]["args"])
            elif said["method"] == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
                self.errors.append(said["params"]["entry"])

    async def call(self, method, **params):
        number = next(self._ids)
        self._answers[number] = asyncio.get_running_loop().create_future()
        session = {"sessionId": self._session} if self._session else {}
        await self._socket.send_json({"id": number, "method": method, "params": params, **session})
        said = await asyncio.wait_for(self._answers[number], 30)
        assert "error" not in said, said
        return said["result"]

    async def open(self, path, width):
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        for domain in ("Runtime", "Log", "Page"):
            await self.call(f"{domain}.enable")
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        url = path if isinstance(path, str) else path.as_uri()
        await self.call("Page.navigate", url=url)
        loaded = f"complete{url.partition(':')[0]}:"
        async with asyncio.timeout(30):
            while await self.run("document.readyState + location.protocol") != loaded:
                await asyncio.sleep(0.02)

    async def run(self, script):
        """The value of a JavaScript expression."""
        said = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    async def press(self, key):
        for kind in ("keyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, **_DEFAULTS.get(key, {})
            )


@asynccontextmanager
async def opened(path, tmp_path, *, width=1400):
    """A page, of the disk or at an address, in a browser of its own."""
    if BROWSER is None:
        if os.environ.get("SAGA_REQUIRE_BROWSER") == "1":
            pytest.fail("chromium is required and not installed")
        pytest.skip("chromium is not installed")
    profile = tmp_path / f"profile-{width}"
    process = await asyncio.create_subprocess_exec(
        BROWSER, *FLAGS, f"--user-data-dir={profile}",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            while not (profile / "DevToolsActivePort").exists():
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.1)
        port, endpoint = (profile / "DevToolsActivePort").read_text().split()
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"ws://127.0.0.1:{port}{endpoint}", max_msg_size=0) as socket,
        ):
            page = Page(socket)
            listening = asyncio.create_task(page.listen())
            await page.open(path, width)
            yield page
            listening.cancel()
    finally:
        process.kill()
        await process.wait()
