"""Bytes that no HTTP library sends. The api answers each with an answer that is not a 5xx, or ends the connection."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from urllib.parse import urlsplit

import pytest

from tests.stack import Stack

pytestmark = pytest.mark.stack

HOST = b"Host: localhost"
HANDSHAKE = (
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
SOCKETS, POLLING = (b"/socket.io/?EIO=4&transport=" + kind for kind in (b"websocket", b"polling"))
DOCTORS, PHOTO = b"/api/v1/doctors", b"/api/v1/users/me/photo"
LOG_IN, SIGN_UP, REFRESH = (b"/api/v1/auth/" + each for each in (b"patient/login", b"patient/signup", b"refresh"))
SIGN_IN, INBOUND, STATUS = b"/api/v1/browser/sign-in", b"/api/v1/twilio/inbound", b"/api/v1/twilio/status"

ORIGINS = [b"http://[", b"http://[::1", b"null", b"", b"\xff\xfe", b"http://a:99999", b"://", b"http://\x00"]
HOSTS = [b"[", b"[::1", b"", b"a b", b"\xff", b"localhost:99999", b"localhost:abc", b"a" * 5000]
PATHS = [
    *(b"//", b"/%00", b"/%ff", b"/..%2f..", b"*", b"/\xff", b"http://[/api", b"http://[::1/"),
    *(DOCTORS + b"?x=%", b"/api/v1/patients?q=%ff", DOCTORS + b"/x/slots?date=0001-01-01"),
    *(DOCTORS + b"/x/slots?date=9999-12-31", DOCTORS + b"/%2e%2e/slots?date=9999-99-99", b"/api/v1/users/%F0%9F/photo"),
    *(b"/socket.io/?EIO=x", SOCKETS + b"&sid=x", b"/socket.io/?EIO=4&transport=foo"),
]
HEADERS = [
    *(
        b"Authorization: Bearer \xff",
        b"Authorization: \xc3\x28",
        b"Cookie: a=\xff; =; ;;",
        b'Cookie: clinic-hub-refresh="',
    ),
    *(b"Accept-Language: \xff;q=x", b"Accept: \xff/;q=q", b'If-None-Match: "\xff', b"If-Position: =\xff"),
    *(b"Idempotency-Key: \xff", b"X-Request-ID: \xff", b"Range: bytes=\xff", b"X-Forwarded-For: ["),
    *(
        b"Content-Type: \xff",
        b"Content-Type: application/json; charset=\xff",
        b"Content-Type: application/json; charset=no",
    ),
    *(b"Content-Type: multipart/form-data", b"Content-Type: multipart/form-data; boundary="),
    *(b"Content-Encoding: gzip", b"Content-Encoding: br", b"Content-Encoding: no"),
]
BODIES = [
    (b"application/json", b"\xff\xfe"),
    (b"application/json", b"[" * 100_000),
    (b"application/json", b'{"email":"\\ud800","password":"x"}'),
    (b"application/json", b"1e999"),
    (b"application/json", b"NaN"),
    (b"application/x-www-form-urlencoded", b"%ff=%ff&a=%"),
    (b"multipart/form-data; boundary=x", b"--x\r\n\r\n"),
    (
        b"multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="photo"; filename="\xff"\r\n\r\nzz\r\n--x--',
    ),
]


def request(method: bytes, path: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    length = [b"Content-Length: %d" % len(body)] if body else []
    return b"\r\n".join([method + b" " + path + b" HTTP/1.1", *headers, *length, b"", body])


def requests() -> Iterator[bytes]:
    for origin in ORIGINS:
        yield request(b"GET", DOCTORS, HOST, b"Origin: " + origin)
        yield request(b"GET", POLLING, HOST, b"Origin: " + origin)
        yield request(b"GET", SOCKETS, HOST, b"Origin: " + origin, *HANDSHAKE)
    for host, path in product(HOSTS, (DOCTORS, b"/asyncapi.json", b"/openapi.json", b"/", b"/docs", POLLING)):
        yield request(b"GET", path, b"Host: " + host)
    for path, method in product(PATHS, (b"GET", b"POST", b"OPTIONS", b"BREW")):
        yield request(method, path, HOST)
    for header in HEADERS:
        yield request(b"GET", b"/", HOST, header)
        for path in (LOG_IN, SIGN_IN, REFRESH, INBOUND):
            yield request(b"POST", path, HOST, header, body=b'{"a')
        yield request(b"PUT", PHOTO, HOST, header, body=b'{"a')
    for (kind, body), path in product(BODIES, (LOG_IN, SIGN_UP, SIGN_IN, REFRESH, INBOUND, STATUS)):
        yield request(b"POST", path, HOST, b"X-Requested-By: page", b"Content-Type: " + kind, body=body)
    yield b"\x00" * 100
    yield b"GET\r\n\r\n"
    yield b"GET / HTTP/9.9\r\n\r\n"
    yield b"\x16\x03\x01\x02\x00"  # TLS
    yield request(b"POST", LOG_IN, HOST, b"Transfer-Encoding: chunked") + b"zz\r\n"
    yield request(b"POST", LOG_IN, HOST, b"Content-Length: -1")
    yield request(b"GET", b"/", HOST, b"A" * 100_000 + b": x")
    yield request(b"GET", b"/", b"Host: a", b"Host: b")


async def status_of(port: int, sent: bytes) -> bytes:
    """Return the status of the answer, or nothing if the api ended the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with closing(writer):
        try:
            writer.write(sent)
            answer = await asyncio.wait_for(reader.read(100), 60)
        except ConnectionError:
            return b""
    return answer.partition(b" ")[2][:3]


async def test_nothing_that_a_stranger_sends_is_answered_with_a_5xx(stack: Stack) -> None:
    port = urlsplit(stack.base_url()).port
    assert port
    statuses = {sent[:200]: await status_of(port, sent) for sent in requests()}
    assert {sent: status for sent, status in statuses.items() if status.startswith(b"5")} == {}
    assert sum(status.startswith(b"4") for status in statuses.values()) > 200
    (log,) = [text for name, text in stack.logs(5000).items() if name == "api-1"]
    assert "request_failed" not in log
    assert "Traceback" not in log
