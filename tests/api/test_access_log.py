"""Who looked at whose data, who logged in, and who changed what: the lines of the access log."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from api.http.access_log import AccessLog, Doer
from hub.accounts.access import AccessEntry
from hub.ops import audit
from hub.records.errors import StoreUnavailable
from hub.records.memory import MemoryRecords
from hub.scheduling.values import Role
from tests.api.pictures import form, picture
from tests.api.rest_clinic import MONDAY_MORNING, PASSWORD, HandClock, RestClinic, opening

BEFORE, AFTER = MONDAY_MORNING - timedelta(days=1), MONDAY_MORNING + timedelta(days=1)
ROBIN = Doer("receptionist-robin", Role.RECEPTIONIST)


async def about(clinic: RestClinic, name: str) -> list[AccessEntry]:
    await clinic.services.access_log.flush()
    return [line.entry for line in await audit.about(clinic.services.records, clinic.id(name), BEFORE, AFTER)]


async def done_by(clinic: RestClinic, name: str) -> list[tuple[str, tuple[str, ...]]]:
    await clinic.services.access_log.flush()
    lines = await audit.by(clinic.services.records, clinic.id(name), BEFORE, AFTER)
    return [(line.entry.action, line.people) for line in lines]


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", "/api/v1/patients?q=carl", "patients_searched"),
        ("GET", "/api/v1/patients/patient-carl", "patient_shown"),
        ("GET", "/api/v1/appointments", "appointments_listed"),
        ("GET", "/api/v1/appointments/{}", "appointment_shown"),
        ("GET", "/api/v1/appointments/{}/history", "appointment_shown"),
        ("GET", "/api/v1/appointments/{}/calendar.ics", "appointment_shown"),
        ("GET", "/api/v1/board?date=2026-11-24", "board_shown"),
        ("GET", "/api/v1/users/patient-carl/photo", "photo_shown"),
        ("PATCH", "/api/v1/appointments/{}/confirm", "appointment_changed"),
        ("POST", "/api/v1/doctors/doctor-ada/cancel-day", "day_changed"),
    ],
)
async def test_each_look_of_staff_at_a_person_is_a_line(
    clinic: RestClinic, method: str, path: str, action: str
) -> None:
    booked = await clinic.book("carl", "ada", opening(1))
    await clinic.ask("POST", "/api/v1/users/me/photo", "carl", data=form(photo=picture()))
    body = {"json": {"date": "2026-11-24", "reason": "ill"}} if method == "POST" else {}
    headers = {"Idempotency-Key": "k"} if method == "POST" else {}
    answer = await clinic.ask(method, path.format(booked), "ada", headers=headers, **body)
    assert answer.status == 200, answer.body
    line = (await about(clinic, "carl"))[-1]
    assert (line.action, line.by, line.by_role) == (action, "doctor-ada", Role.DOCTOR)
    assert line.request_id == answer.headers["X-Request-ID"]
    assert line.address == "127.0.0.1"


async def test_what_people_see_of_their_own_is_no_line(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(1))
    for path in ("/api/v1/appointments", f"/api/v1/appointments/{booked}", "/api/v1/users/me"):
        await clinic.ask("GET", path, "carl")
    assert await about(clinic, "carl") == []


async def test_a_list_is_one_line_with_all_its_people_and_the_same_list_refers_to_it(clinic: RestClinic) -> None:
    for number in range(5):
        patient = await clinic.ask("POST", "/api/v1/patients", "robin", json={"name": f"Guest {number}"})
        body = {"patientId": patient.body["id"], "doctorId": "doctor-ada", "start": opening(1, number).isoformat()}
        assert (await clinic.ask("POST", "/api/v1/appointments", "robin", json=body)).status == 201
    for _ in range(2):
        assert len((await clinic.ask("GET", "/api/v1/appointments", "ada")).body) == 5
    (first, people), (second, again) = await done_by(clinic, "ada")
    assert first == second == "appointments_listed"
    assert len(people) == 5
    assert again == people
    stored = await clinic.services.records.access_log.by("doctor-ada", BEFORE, AFTER)
    assert [len(line.people) for line in stored] == [5, 0]
    assert [line.action for line in await clinic.services.records.access_log.about(people[3], BEFORE, AFTER)][-2:] == [
        "appointments_listed",
        "appointments_listed",
    ]


async def test_log_ins_good_and_bad_are_lines_without_an_address_of_anybody(clinic: RestClinic) -> None:
    for email, password in (
        ("carl@clinic.test", PASSWORD),
        ("carl@clinic.test", "wrong-horse-7"),
        ("nobody@clinic.test", PASSWORD),
    ):
        await clinic.ask("POST", "/api/v1/auth/patient/login", json={"email": email, "password": password})
    await clinic.services.access_log.flush()
    stored = clinic.services.records.access_log
    assert [line.action for line in await stored.about("patient-carl", BEFORE, AFTER)] == [
        "logged_in",
        "log_in_refused",
    ]
    key = clinic.services.access_log.keyed("nobody@clinic.test")
    everything = str(vars(stored))
    assert key in everything
    assert "@" not in everything


async def test_changes_of_accounts_are_lines_with_the_names_of_the_fields(clinic: RestClinic) -> None:
    await clinic.ask("PATCH", "/api/v1/users/me", "carl", json={"name": "Karl", "language": "de"})
    await clinic.ask("POST", "/api/v1/auth/password", "carl", json={"current": PASSWORD, "new": "Another-horse-7"})
    await clinic.ask("POST", "/api/v1/users/me/calendar-link", "carl", json={"password": "Another-horse-7"})
    lines = await about(clinic, "carl")
    assert [line.action for line in lines] == ["profile_changed", "password_changed", "calendar_link_made"]
    assert lines[0].fields == ("language", "name")


class Away(MemoryRecords):
    """A record whose access log does not answer while `away`."""

    def __init__(self) -> None:
        super().__init__()
        self.away = True
        self.refused = asyncio.Event()
        self.written = asyncio.Event()
        self._add = self.access_log.add
        self.access_log.add = self._unless_away  # type: ignore[method-assign]  # this one alone is away

    async def _unless_away(self, entries: Any) -> None:
        if self.away:
            self.refused.set()
            raise StoreUnavailable("away")
        await self._add(entries)
        self.written.set()


def a_log(records: MemoryRecords, capacity: int = 1000) -> AccessLog:
    return AccessLog(records.access_log, HandClock(), days=1, secret="s", every=0.01, capacity=capacity)


async def test_lines_wait_while_the_record_is_away_and_are_written_later() -> None:
    records = Away()
    log = a_log(records)
    writing = asyncio.create_task(log.run())
    log.looked("patient_shown", ROBIN, ["carl"])
    async with asyncio.timeout(5):
        await records.refused.wait()
    assert await records.access_log.about("carl", BEFORE, AFTER) == []
    records.away = False
    async with asyncio.timeout(5):
        await records.written.wait()
    writing.cancel()


async def test_what_waits_is_written_at_the_end() -> None:
    records = MemoryRecords()
    log = a_log(records, capacity=10_000)
    for number in range(1200):  # more than a batch
        log.looked("patient_shown", ROBIN, [f"p{number}"])
    await log.close(1)
    assert len(await records.access_log.by(ROBIN.user_id, BEFORE, AFTER)) == 1200


async def test_lines_beyond_the_limit_are_counted_and_said(lines: list[Any]) -> None:
    records = Away()
    log = a_log(records, capacity=10)
    for number in range(8):
        log.looked("patient_shown", ROBIN, [f"p{number}"])
    records.away = False
    await log.flush()
    assert len(await records.access_log.by(ROBIN.user_id, BEFORE, AFTER)) == 5
    assert [line["lines"] for line in lines if line["event"] == "access_lines_dropped"] == [3]
    log.looked("patient_shown", ROBIN, ["later"])
    await log.flush()
    assert await records.access_log.about("later", BEFORE, AFTER)
