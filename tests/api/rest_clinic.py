"""A small clinic in memory behind the api, and a client that checks every answer."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from multidict import MultiMapping

from api.app import TABLE, build
from api.http.endpoints import Endpoint, File
from api.http.lines import NDJSON
from api.http.problems import KINDS
from api.services import Engine, Services, assemble
from api.timeouts import Timeouts
from hub.accounts.account import Account
from hub.accounts.passwords import hash_password
from hub.bus.feed import Feed
from hub.bus.messages import Notice, SessionEnded
from hub.records.memory import MemoryRecords
from hub.scheduling.values import Role
from hub.settings import Settings
from tests.api.direct_commands import DirectCommands
from tests.api.documented import assert_documented
from tests.people import OFFICE_HOURS, doctor, patient

MONDAY_MORNING = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
"""09:00 in Berlin, when the clinic opens."""
PASSWORD = "Correct-horse-7"
TIMEOUTS = Timeouts()
SECRETS = ("$2b$", PASSWORD, "Traceback", "mongodb://", "passwordHash", "tokenHash", "password_hash", "token_hash")


class HandClock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = MONDAY_MORNING

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        self.now += by


class Announced:
    """Records what an api process would announce to the others."""

    def __init__(self) -> None:
        self.ended: list[SessionEnded] = []

    async def announce(self, ended: SessionEnded) -> None:
        self.ended.append(ended)


@dataclass(frozen=True)
class Answer:
    """An answer of the api. `body` is the JSON, the bytes of a file, or None."""

    status: int
    headers: MultiMapping[str]
    body: Any
    code: str | None


class RestClinic:
    """Ada and Ben are doctors in Berlin, Monday to Friday from nine to five; Carl and Dora are patients.

    Robin and Rosa are receptionists.
    """

    def __init__(self, services: Services, client: TestClient[Any, Any], people: dict[str, Account]) -> None:
        self.services = services
        self.client = client
        self.people = people

    @property
    def clock(self) -> HandClock:
        assert isinstance(self.services.clock, HandClock)
        return self.services.clock

    @property
    def commands(self) -> DirectCommands:
        assert isinstance(self.services.commands, DirectCommands)
        return self.services.commands

    def id(self, name: str) -> str:
        return self.people[name].id

    def token(self, name: str) -> str:
        account = self.people[name]
        return self.services.tokens.issue(account.id, Role(account.role), f"session-of-{name}")

    def token_with_a_first_password(self, name: str) -> str:
        account = self.people[name]
        issue = self.services.tokens.issue
        return issue(account.id, Role(account.role), f"session-of-{name}", must_change_password=True)

    async def ask(
        self,
        method: str,
        path: str,
        who: str | None = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        **rest: Any,
    ) -> Answer:
        """Send a request as `who` (or with `token`), and check what every answer must have."""
        token = self.token(who) if who else token
        sent = dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        async with self.client.request(method, path, headers=sent, **rest) as response:
            content = await response.read()
        raw = content.decode(errors="replace")
        assert not [secret for secret in SECRETS if secret in raw]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        endpoint = endpoint_of(method, response.url.path)
        picture = endpoint is not None and endpoint.name == "show_photo" and response.status < 400
        assert response.headers["Cache-Control"] == ("private, max-age=60" if picture else "no-store")
        assert response.headers["Server"] == "clinic-hub"
        assert response.headers["X-Request-ID"]
        if endpoint is not None and endpoint.also_gives and response.headers["Content-Type"] == endpoint.also_gives:
            return Answer(response.status, response.headers, content, None)
        if response.status < 400 and endpoint is not None and endpoint.answer is File:
            assert response.status == 304 or response.headers["Content-Type"] == endpoint.gives
            return Answer(response.status, response.headers, content, None)
        if response.content_type == NDJSON:
            lines = [json.loads(line) for line in raw.splitlines()]
            for line in lines:
                assert_documented(method, response.url.path, response.status, NDJSON, line)
            return Answer(response.status, response.headers, lines, None)
        body = json.loads(raw) if raw else None
        assert_documented(method, response.url.path, response.status, response.content_type, body)
        if response.status < 400:
            assert response.status in {202, 204, 304} or method == "HEAD" or response.content_type == "application/json"
            return Answer(response.status, response.headers, body, None)
        assert response.content_type == "application/problem+json"
        if method == "HEAD":
            return Answer(response.status, response.headers, None, None)
        assert body.keys() - {"errors", "appointmentId"} == {"type", "title", "status", "code", "detail", "instance"}
        assert body["status"] == response.status == KINDS[body["code"]].status
        assert endpoint is None or body["code"] in endpoint.problems
        assert body["type"] == f"urn:clinic-hub:problem:{body['code']}"
        assert body["instance"].endswith(response.headers["X-Request-ID"])
        for field in body.get("errors", ()):
            assert field.keys() == {"pointer", "detail", "code"}
        return Answer(response.status, response.headers, body, body["code"])

    async def book(self, who: str, doctor: str, start: datetime, **more: Any) -> str:
        """Book and return the appointment's id."""
        body = {"doctorId": self.id(doctor), "start": start.isoformat(), **more}
        answer = await self.ask("POST", "/api/v1/appointments", who, json=body)
        assert answer.status == 201, answer.body
        return str(answer.body["id"])


def endpoint_of(method: str, path: str) -> Endpoint | None:
    """Return the endpoint of this request, or None."""
    for endpoint in TABLE:
        if endpoint.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", endpoint.path), path):
            return endpoint
    return None


def opening(day: int, half_hours: int = 0) -> datetime:
    """Return the start of a slot, counted from nine o'clock in Berlin, `day` days after this Monday."""
    return MONDAY_MORNING + timedelta(days=day, minutes=30 * half_hours)


PRODUCTION: dict[str, Any] = {
    "clinic_env": "production",
    "jwt_secret_key": "q0Zr7_vTn2kLx9WbYc4Dh8JsPe6MuA1fGi3RtXo5VwK",
    "mongodb_url": "mongodb://db",
    "kafka_bootstrap_servers": "mq:9092",
    "unprotected_engines": True,
    "bcrypt_rounds": 10,
}
"""Settings that production accepts."""


async def make_services(timeouts: Timeouts = TIMEOUTS, **changed: object) -> Services:
    """Return services over an empty store in memory. `changed` are settings."""
    records = MemoryRecords()
    await records.prepare()
    clock = HandClock()
    defaults = {"bcrypt_rounds": 4, "logins_per_minute": 1000, "active_appointments_per_patient": 0}
    settings = Settings.model_validate({**defaults, **changed})

    def deliver(notice: Notice) -> None:  # as in `api.app`, without sockets
        services.views.on_notice(notice)

    feed = Feed(records, deliver)
    services = assemble(
        settings=settings,
        clock=clock,
        records=records,
        photos=records.photos,
        commands=DirectCommands(records, clock, settings.active_appointments_per_patient),
        notice_feed=feed,
        session_announcer=Announced(),
        engines=(_engine("database", "db:27017"), _engine("broker", "mq:9092")),
        timeouts=timeouts,
    )
    return services


async def open_clinic(services: Services) -> RestClinic:
    """Return the clinic with its people and a client; the caller closes the client."""
    password_hash = await hash_password(PASSWORD, 4)
    people = {
        "ada": _doctor("ada", phone="+12025550121", password_hash=password_hash),
        "ben": _doctor("ben", phone="+12025550122", password_hash=password_hash),
        "carl": _patient("carl", phone="+12025550123", password_hash=password_hash),
        "dora": _patient("dora", phone="+12025550124", password_hash=password_hash),
        "robin": _receptionist("robin", password_hash=password_hash),
        "rosa": _receptionist("rosa", password_hash=password_hash),
    }
    assert await services.records.users.add(list(people.values())) is None
    client = TestClient(TestServer(build(services), access_log=None))
    await client.start_server()
    return RestClinic(services, client, people)


def silenced(services: Services, name: str) -> Services:
    """Return the services with an engine that does not answer."""
    engines = [engine if engine.name != name else replace(engine, answers=_no) for engine in services.engines]
    return replace(services, engines=tuple(engines))


def _engine(name: str, where: str) -> Engine:
    return Engine(name, where, _yes)


async def _yes() -> bool:
    return True


async def _no() -> bool:
    return False


def _doctor(name: str, **fields: object) -> Account:
    more = {"name": f"Dr. {name.title()}", "email": f"{name}@clinic.test", "specialty": "general practice", **fields}
    return doctor(f"doctor-{name}", "Europe/Berlin", OFFICE_HOURS, created_at=MONDAY_MORNING, **more)


def _patient(name: str, **fields: object) -> Account:
    more = {"name": name.title(), "email": f"{name}@clinic.test", **fields}
    return patient(f"patient-{name}", created_at=MONDAY_MORNING, **more)


def _receptionist(name: str, **fields: object) -> Account:
    return _patient(name, id=f"receptionist-{name}", role="receptionist", **fields)
