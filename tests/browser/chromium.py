"""Headless Chromium, controlled over the DevTools protocol: requests, failures and errors of a page."""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

_NAMES = ("chromium", "chromium-browser", "google-chrome")


class Page:
    """One tab. `failed` are failed requests; `complaints` are errors of the console and of scripts."""

    def __init__(self, line: aiohttp.ClientWebSocketResponse) -> None:
        self.requested: list[str] = []
        self.failed: list[str] = []
        self.complaints: list[str] = []
        self._line = line
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def resize(self, width: int, height: int = 900) -> None:
        """Give the window this size in pixels; below 500, that of a phone."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        await self.call("Emulation.setDeviceMetricsOverride", **size)

    async def open(self, url: str) -> None:
        for domain in ("Network", "Log", "Runtime", "Page"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=url)

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._line.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(60):
            return await self._answers[number]

    async def value_of(self, script: str) -> Any:
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        return answer["result"].get("value")

    async def until(self, script: str, within: float = 90.0) -> None:
        """Wait until the script returns true. Fails with the errors of the page after a timeout."""
        end = asyncio.get_running_loop().time() + within
        while not await self.value_of(script):
            assert asyncio.get_running_loop().time() < end, f"never: {script}; {self.failed} {self.complaints}"
            await asyncio.sleep(0.1)

    async def listen(self) -> None:
        async for message in self._line:
            said = message.json()
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said.get("result", {}))
            else:
                self._note(said["method"], said["params"])

    def _note(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.requested.append(params["request"]["url"])
            case "Network.loadingFailed":
                self.failed.append(f"{params['type']}: {params['errorText']} {params.get('blockedReason', '')}")
            case "Network.responseReceived" if params["response"]["status"] >= 400:
                self.failed.append(f"{params['response']['status']} {params['response']['url']}")
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.complaints.append(params["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params["exceptionDetails"]))


@asynccontextmanager
async def chromium(profile: Path) -> AsyncIterator[Page]:
    """Start a browser with a new profile, and yield its tab. Fails without Chromium."""
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    assert program, "these tests need Chromium: apt-get install chromium"
    process = await asyncio.create_subprocess_exec(
        *(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--no-first-run", "--disable-background-networking", "--remote-debugging-port=0"),
        *("--remote-allow-origins=*", f"--user-data-dir={profile}", "about:blank"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await _port(profile / "DevToolsActivePort", process)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                address = next(tab["webSocketDebuggerUrl"] for tab in await answer.json() if tab["type"] == "page")
            async with session.ws_connect(address, max_msg_size=0) as line:
                page = Page(line)
                listening = asyncio.create_task(page.listen())
                yield page
                listening.cancel()
    finally:
        process.kill()
        await process.wait()


async def _port(written: Path, process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(90):
        while not (text := _text(written)):
            assert process.returncode is None, "Chromium ended before it began"
            await asyncio.sleep(0.05)
    return int(text.splitlines()[0])


def _text(file: Path) -> str:
    return file.read_text() if file.exists() else ""
