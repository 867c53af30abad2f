"""A REST client with little overhead: one keep-alive connection, preformatted requests, and minimal parsing.

The load shares a core with the engines. What it costs itself, they do not have.
"""

import asyncio
from dataclasses import dataclass
from typing import cast

from tests.tools.bench.population import Patient


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes


class RestClient(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, host: str, port: int) -> None:
        self._host = f"{host}:{port}"
        self._received = b""
        self._answer: asyncio.Future[Response] | None = None

    @classmethod
    async def open(cls, host: str, port: int) -> "RestClient":
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: cls(host, port), host, port)
        return client

    def book(self, patient: Patient, start: str) -> asyncio.Future[Response]:
        """Book a slot of the patient's doctor. `start` is RFC 3339."""
        return self.send("POST", "/api/v1/appointments", patient.token, booking(patient, start))

    def send(self, method: str, path: str, token: str, body: str) -> asyncio.Future[Response]:
        """Send a request with an ASCII JSON body. The future is the response or a ConnectionError."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(
            (
                f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            ).encode()
        )
        return self._answer

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop has a class of its own

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _announced(head):
            return
        self._received = b""
        if self._answer and not self._answer.done():
            self._answer.set_result(Response(int(head[9:12]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionError(f"the api hung up: {exc}"))


def booking(patient: Patient, start: str) -> str:
    """Return the JSON of a booking, for REST and sockets."""
    return f'{{"doctorId":"{patient.doctor_id}","start":"{start}"}}'


def _announced(head: bytes) -> int:
    """Return the content length. The api always sends it for these requests."""
    _, _, after = head.lower().partition(b"\r\ncontent-length:")
    return int(after.partition(b"\r\n")[0])
