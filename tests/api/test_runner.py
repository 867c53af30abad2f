import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from api.app import build
from api.http.runner import Runner
from tests.api.rest_clinic import make_services

PREFIX = b"GET /health/live HTTP/1.1\r\nHost: here\r\n"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    runner = Runner(build(await make_services()), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


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
