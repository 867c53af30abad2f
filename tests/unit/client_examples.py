"""A stand-in for the hub whose answers a test determines, over real HTTP and Socket.IO on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import socketio
from aiohttp import web
from socketio.exceptions import ConnectionRefusedError as Refused

from hub.client.answers import Answer
from hub.client.clinic import Clinic, clinic_at
from hub.client.commands import Request, Timeouts
from hub.client.member import Member
from hub.client.wire import Profile, SignedIn
from hub.clock import system_clock

START = datetime(2026, 6, 1, 10, tzinfo=UTC)
APPOINTMENT = {
    "id": "a1",
    "doctorId": "ada",
    "patientId": "ann",
    "start": "2026-06-01T10:00:00Z",
    "end": "2026-06-01T10:30:00Z",
    "status": "scheduled",
    "version": 1,
    "reason": None,
    "createdAt": "2026-05-01T10:00:00Z",
    "visit": None,
    "arrivedAt": None,
    "inRoomAt": None,
    "completedAt": None,
    "newerHubsSay": "more",
}
CALENDAR = {"doctorId": "ada", "zone": "Europe/Berlin", "shifts": [], "timeOff": [], "disabled": False}
QUICK = Timeouts(total=3.0, attempt=0.5)


@dataclass
class Received:
    """A received request or event: the parts that tests check."""

    what: str
    body: Any
    key: str | None
    token: str | None
    knows: str | None = None
    """The header `If-Position`."""


def nothing_yet(_: str) -> dict[str, Any]:
    """Answer `sync` as the hub does for a new user."""
    return {"ok": True, "mode": "snapshot", "appointments": [], "position": {}}


@dataclass
class StandIn:
    """Answers with `rest`, `sync` and `socket` (all other events), one after the other; the last of each is reused."""

    url: str = ""
    rest: list[Callable[[web.Request], Any]] = field(default_factory=list)
    socket: list[Callable[[str], Any]] = field(default_factory=list)
    sync: list[Callable[[str], Any]] = field(default_factory=lambda: [nothing_yet])
    admits: Callable[[str], None] = lambda _: None
    received: list[Received] = field(default_factory=list)
    synced: list[dict[str, Any]] = field(default_factory=list)
    sids: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sio = socketio.AsyncServer(async_mode="aiohttp", transports=["websocket"], cors_allowed_origins=[])
        self.sio.on("connect", self._connect)
        self.sio.on("*", self._event)

    async def tell(self, event: str, data: object) -> None:
        await self.sio.emit(event, data)

    async def send_away(self, code: str) -> None:
        """Close the latest connection with a reason, as the hub does."""
        await self.sio.emit("closing", {"code": code, "detail": f"it is {code}"})
        await self.sio.disconnect(self.sids[-1])

    def cut(self) -> None:
        """Cut all sockets, as a kill -9 of the hub would."""
        for environ in list(self.sio.environ.values()):
            environ["aiohttp.request"].transport.abort()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        key = request.headers.get("Idempotency-Key")
        knows = request.headers.get("If-Position")
        self.received.append(Received(f"{request.method} {request.path_qs}", body, key, token, knows))
        said = _next(self.rest)(request)
        return await said if asyncio.iscoroutine(said) else said

    async def _connect(self, sid: str, _environ: object, auth: dict[str, str]) -> None:
        self.admits(auth["token"])
        self.sids.append(sid)

    async def _event(self, event: str, _sid: str, argument: dict[str, Any]) -> Any:
        if event == "sync":
            self.synced.append(argument)
            said = _next(self.sync)(event)
            return await said if asyncio.iscoroutine(said) else said
        self.received.append(Received(event, argument, argument.get("commandId"), None))
        said = _next(self.socket)(event)
        return await said if asyncio.iscoroutine(said) else said


@asynccontextmanager
async def stand_in(**answers: Any) -> AsyncIterator[StandIn]:
    hub = StandIn(**answers)
    app = web.Application()
    hub.sio.attach(app, "socket.io")
    app.router.add_route("*", "/{path:(?!socket).*}", hub.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield hub
    finally:
        await hub.sio.shutdown()
        await runner.cleanup()


class Notes:
    """An observer that keeps all requests and answers."""

    def __init__(self) -> None:
        self.requested: list[Request] = []
        self.answered: list[tuple[Request, Answer]] = []

    def on_request(self, request: Request) -> None:
        self.requested.append(request)

    def on_answer(self, request: Request, answer: Answer) -> None:
        self.answered.append((request, answer))


@asynccontextmanager
async def ann_at(hub: StandIn, timeouts: Timeouts = QUICK, observer: Notes | None = None) -> AsyncIterator[Member]:
    """Give Ann as a signed-in member."""
    async with clinic_at(hub.url, system_clock, observer, timeouts) as clinic:
        yield ann_of(clinic)


def ann_of(clinic: Clinic) -> Member:
    user = Profile(id="ann", role="patient", name="Ann")
    return clinic.member(SignedIn(access_token="first", refresh_token="refresh-1", user=user))


def ok(status: int = 200, body: object = APPOINTMENT, **headers: str) -> Callable[[web.Request], web.Response]:
    return lambda _: web.json_response(body, status=status, headers=headers)


def problem(status: int, code: str, **headers: str) -> Callable[[web.Request], web.Response]:
    body = {"code": code, "detail": f"it is {code}"}
    return lambda _: web.json_response(body, status=status, headers=headers, content_type="application/problem+json")


def hangs(_: object) -> Any:
    return asyncio.sleep(60)


def drops(request: web.Request) -> web.Response:
    request.transport.abort()
    return web.Response()


def refuse_to_connect(code: str) -> None:
    raise Refused(f"it is {code}", {"code": code, "detail": f"it is {code}"})


def _next(answers: list[Any]) -> Any:
    return answers.pop(0) if len(answers) > 1 else answers[0]
