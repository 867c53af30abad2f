"""Clients in JavaScript for fault tests: one Node process with many of them."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
_LONGEST_LINE = 256 * 1024 * 1024


class JsClients:
    """Sends requests to the process, which answers in any order."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = count()
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def ask(self, what: str, **asked: object) -> Any:
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"id": number, "what": what, **asked}).encode() + b"\n")
        return await self._waiting[number]

    async def listen(self) -> None:
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            said = json.loads(line)
            answer = self._waiting.pop(said["id"])
            if answer.done():
                continue
            if "error" in said:
                answer.set_exception(AssertionError(said["error"]))
            else:
                answer.set_result(said.get("answer"))
        for answer in self._waiting.values():
            answer.set_exception(AssertionError("the JavaScript clients have died"))


@asynccontextmanager
async def js_clients(url: str, tokens: Sequence[str]) -> AsyncIterator[JsClients]:
    """Yield a connected and synchronized client for each access token."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(_ROOT / "tests/js/clients.js"),
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
    )
    clients = JsClients(process)
    listening = asyncio.create_task(clients.listen())
    try:
        assert await clients.ask("open", url=url, tokens=list(tokens)) == len(tokens)
        yield clients
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening
