import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from aiohttp import web

from api.app import build
from api.http.middleware import security_headers
from api.http.runner import Runner
from api.timeouts import Timeouts
from tests.api.rest_clinic import PRODUCTION, TIMEOUTS, make_services

PREFIX = b"GET /health/live HTTP/1.1\r\nHost: here\r\n"


@asynccontextmanager
async def running(
    timeouts: Timeouts = TIMEOUTS, settings: Mapping[str, Any] = MappingProxyType({}), **more: Any
) -> AsyncIterator[int]:
    """Run the api with these options of the runner; give its port."""
    services = await make_services(timeouts, **settings)
    runner = Runner(build(services), security_headers(services.settings), access_log=None, **more)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=2048).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with running() as port:
        yield port


async def send(port: int, raw: bytes) -> tuple[bytes, bytes]:
    """Send bytes and return what comes back until the server closes: head and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    async with asyncio.timeout(5):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return head, body


@pytest.mark.parametrize(
    "raw",
    [
        b"hello\r\n\r\n",
        b"BREW /health/live HTTP/1.1\r\n\r\n",
        b"GET /health/live HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        PREFIX + b"X-Long: " + b"x" * 20_000 + b"\r\n\r\n",
        PREFIX + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        PREFIX + b"Content-Length: one\r\n\r\n",
        PREFIX + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
    ],
)
async def test_invalid_http_is_answered_with_a_problem_that_does_not_quote_it(
    port: int, raw: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    head, body = await send(port, raw)
    assert head.startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 "))
    assert b"Content-Type: application/problem+json" in head
    assert b"Server: clinic-hub" in head
    problem = json.loads(body)
    assert (problem["status"], problem["code"]) == (400, "malformed_request")
    written = capsys.readouterr()
    assert "request_unreadable" in written.out
    assert "Traceback" not in written.out + written.err


async def test_a_body_that_cannot_be_decompressed_leaves_no_traceback(
    port: int, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    body = b"Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + b"x" * 20
    head, _ = await send(port, b"POST /api/v1/auth/refresh HTTP/1.1\r\nHost: here\r\n" + body)
    assert head.startswith(b"HTTP/1.1 400 ")
    written = capsys.readouterr()
    assert "malformed_request" in written.out
    assert "Traceback" not in written.out + written.err + caplog.text


async def test_invalid_http_on_one_connection_does_not_affect_others(port: int) -> None:
    await asyncio.gather(*(send(port, b"hello\r\n\r\n") for _ in range(20)))
    head, _ = await send(port, PREFIX + b"Connection: close\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("sent", [b"", b"GET /health/li", PREFIX, PREFIX + b"X-Slow: "])
async def test_a_connection_without_a_whole_request_is_closed_after_a_while(sent: bytes) -> None:
    async with running(idle_for=0.2) as port:
        assert await send(port, sent) == (b"", b"")


async def test_a_body_that_does_not_arrive_ends_the_request() -> None:
    async with running(replace(TIMEOUTS, body=0.2), lingering_time=0.1) as port:
        rest = b"Content-Type: application/json\r\nContent-Length: 20\r\nConnection: close\r\n\r\n{"
        head, body = await send(port, b"POST /api/v1/auth/refresh HTTP/1.1\r\nHost: here\r\n" + rest)
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["detail"] == "The body did not arrive in time."


@pytest.mark.parametrize("connections", [1000, pytest.param(5000, marks=pytest.mark.slow)])
async def test_many_idle_connections_leave_others_served(port: int, connections: int) -> None:
    async def idle(number: int) -> asyncio.StreamWriter:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write((b"", b"GET /health/li", PREFIX + b"X-Slow: ")[number % 3])
        return writer

    opened = [await idle(number) for number in range(connections)]
    for _ in range(20):
        head, _ = await send(port, PREFIX + b"Connection: close\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
    for writer in opened:
        writer.close()


async def test_what_is_no_request_is_answered_with_the_same_headers_in_production() -> None:
    async with running(settings=PRODUCTION) as port:
        for sent in (b"hello\r\n\r\n", PREFIX + b"Connection: close\r\n\r\n"):
            head, _ = await send(port, sent)
            assert b"Strict-Transport-Security: max-age=" in head
            assert b"X-Content-Type-Options: nosniff" in head
