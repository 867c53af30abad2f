"""The api as a process of its own, with nothing around it that answers."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

NOBODY = "127.0.0.1:9"
"""The discard port: nothing listens there."""


class Process:
    """`python -m api`, and what it has logged so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []

    async def until(self, event: str) -> dict[str, Any]:
        """Return the next line of this event."""
        assert self.process.stdout
        async with asyncio.timeout(30):
            while raw := await self.process.stdout.readline():
                self.lines.append(json.loads(raw))
                if self.lines[-1]["event"] == event:
                    return self.lines[-1]
        raise AssertionError(f"ended without {event!r}: {self.lines}")

    async def end(self) -> int:
        async with asyncio.timeout(30):
            return await self.process.wait()


async def start(**environment: str) -> Process:
    settings = {
        "MONGODB_URL": f"mongodb://root:a-secret@{NOBODY}/clinic",
        "KAFKA_BOOTSTRAP_SERVERS": NOBODY,
        "PORT": "0",
        **environment,
    }
    return Process(
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "api"),
            env=os.environ | settings,  # noqa: TID251  # a child needs its PATH
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    )


@pytest.fixture
async def process() -> AsyncIterator[Process]:
    started = await start()
    yield started
    with contextlib.suppress(ProcessLookupError):
        started.process.kill()
    await started.process.wait()


async def test_without_engines_a_process_is_live_names_them_and_stops(process: Process) -> None:
    port = (await process.until("listening"))["port"]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        async with session.get("/health/live") as live:
            assert live.status == 200
        async with session.get("/health/ready") as ready:
            assert ready.status == 503
            detail = (await ready.json(content_type="application/problem+json"))["detail"]
        assert detail == f"No answer from the database at {NOBODY} and the broker at {NOBODY}."
    process.process.send_signal(signal.SIGTERM)
    await process.until("stopped")
    assert await process.end() == 0
    assert "a-secret" not in str(process.lines)


async def test_a_port_in_use_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = await start(PORT=str(taken.getsockname()[1]))
        _, said = await process.process.communicate()
    assert process.process.returncode == 1
    assert said.decode().startswith("cannot listen: ")


@pytest.mark.parametrize(("name", "value"), [("MONGODB_URL", "http://nowhere"), ("LOG_LEVEL", "LOUD"), ("PORT", "-1")])
async def test_an_invalid_setting_is_named(name: str, value: str) -> None:
    process = await start(**{name: value})
    _, said = await process.process.communicate()
    assert process.process.returncode == 1
    assert name in said.decode()
    assert "Traceback" not in said.decode()
