from datetime import timedelta
from typing import Any

import pytest
from icalendar import Calendar

from api.resources import calendar_feeds
from api.resources.icalendar import calendar_file
from api.resources.log_ins import require_password
from api.views.calendar_files import CalendarFile, CalendarFiles
from hub.ops.doctor_accounts import disable
from tests.api.rest_clinic import MONDAY_MORNING, PASSWORD, Answer, RestClinic, opening

APPOINTMENTS = "/api/v1/appointments"
ME = "/api/v1/users/me"
LINK = "/api/v1/users/me/calendar-link"


async def link(clinic: RestClinic, who: str) -> str:
    answer = await clinic.ask("POST", LINK, who, json={"password": PASSWORD})
    assert answer.status == 201
    return str(answer.body["path"])


def events(answer: Answer) -> dict[str, dict[str, object]]:
    """Return what a calendar program reads, by the appointment's id."""
    calendar = Calendar.from_ical(answer.body)
    assert calendar["VERSION"] == "2.0"
    return {
        str(event["UID"]).removesuffix("@clinic-hub"): {
            "summary": str(event["SUMMARY"]),
            "start": event["DTSTART"].dt,
            "end": event["DTEND"].dt,
            "status": str(event["STATUS"]),
            "sequence": event["SEQUENCE"],
        }
        for event in calendar.walk("VEVENT")
    }


async def test_a_calendar_file_does_not_show_the_reason(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(1), reason="a secret illness")

    answer = await clinic.ask("GET", f"{APPOINTMENTS}/{booked}/calendar.ics", "carl")

    assert answer.headers["Content-Disposition"] == 'attachment; filename="appointment.ics"'
    assert b"secret" not in answer.body
    assert events(answer) == {
        booked: {
            "summary": "Appointment with Dr. Ada",
            "start": opening(1),
            "end": opening(1, half_hours=1),
            "status": "TENTATIVE",
            "sequence": 0,
        }
    }
    of_the_doctor = await clinic.ask("GET", f"{APPOINTMENTS}/{booked}/calendar.ics", "ada")
    assert events(of_the_doctor)[booked]["summary"] == "Appointment with Carl"


async def test_a_name_cannot_write_lines_into_a_calendar(clinic: RestClinic) -> None:
    name = "Carl\\nEND:VEVENT, BEGIN:VALARM; x"
    await clinic.ask("PATCH", "/api/v1/users/me", "carl", json={"name": name})
    booked = await clinic.book("carl", "ada", opening(1))
    answer = await clinic.ask("GET", f"{APPOINTMENTS}/{booked}/calendar.ics", "ada")
    assert events(answer)[booked]["summary"] == f"Appointment with {name}"
    assert answer.body.count(b"\r\nEND:VEVENT") == 1


async def test_the_link_shows_ones_own_appointments_without_a_token(clinic: RestClinic) -> None:
    kept = await clinic.book("carl", "ada", opening(1))
    moved = await clinic.book("carl", "ben", opening(1, half_hours=2))
    called_off = await clinic.book("carl", "ada", opening(2))
    await clinic.book("dora", "ada", opening(1, half_hours=4))
    await clinic.ask("PATCH", f"{APPOINTMENTS}/{kept}/confirm", "carl")
    later = {"start": opening(3).isoformat()}
    await clinic.ask("PATCH", f"{APPOINTMENTS}/{moved}/reschedule", "carl", json=later)
    await clinic.ask("PATCH", f"{APPOINTMENTS}/{called_off}/cancel", "carl")

    shown = events(await clinic.ask("GET", await link(clinic, "carl")))

    assert {id_: (event["status"], event["start"], event["sequence"]) for id_, event in shown.items()} == {
        kept: ("CONFIRMED", opening(1), 1),
        called_off: ("CANCELLED", opening(2), 1),
        moved: ("TENTATIVE", opening(3), 1),
    }
    assert len(events(await clinic.ask("GET", await link(clinic, "ada")))) == 3


async def test_a_calendar_is_the_same_bytes_until_something_changes(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(1))
    for path, who in ((await link(clinic, "carl"), None), (f"{APPOINTMENTS}/{booked}/calendar.ics", "carl")):
        first, again = await clinic.ask("GET", path, who), await clinic.ask("GET", path, who)
        assert first.body == again.body
        etag = first.headers["ETag"]
        for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            unchanged = await clinic.ask("GET", path, who, headers={"If-None-Match": known})
            assert (unchanged.status, unchanged.body, unchanged.headers["ETag"]) == (304, b"", etag)
        assert (await clinic.ask("GET", path, who, headers={"If-None-Match": '"other"'})).status == 200

    path = await link(clinic, "carl")
    before = await clinic.ask("GET", path)
    await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked}/confirm", "carl")
    after = await clinic.ask("GET", path, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status == 200
    assert after.headers["ETag"] != before.headers["ETag"]


async def test_a_doctors_file_is_written_again_only_when_something_in_it_has_changed(
    clinic: RestClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0

    def counted(*given: object) -> bytes:
        nonlocal written
        written += 1
        return calendar_file(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(calendar_feeds, "calendar_file", counted)
    first = await clinic.book("carl", "ada", opening(1))
    await clinic.book("dora", "ada", opening(3))
    path = await link(clinic, "ada")

    async def shown() -> tuple[int, bytes]:
        answer = await clinic.ask("GET", path)
        assert isinstance(answer.body, bytes)
        return written, answer.body

    number, content = await shown()
    assert (number, await shown()) == (1, (1, content))
    await clinic.ask("PATCH", f"{APPOINTMENTS}/{first}/confirm", "carl")
    assert (await shown())[0] == 2
    await clinic.ask("PATCH", "/api/v1/users/me", "carl", json={"name": "Carla"})
    number, content = await shown()
    assert number == 3
    assert b"Carla" in content
    clinic.clock.forward(timedelta(days=92))  # the first appointment is too old, the second is not
    number, content = await shown()
    assert (number, content.count(b"BEGIN:VEVENT")) == (4, 1)
    assert (await shown())[0] == 4


def test_the_files_are_kept_within_a_budget() -> None:
    files = CalendarFiles(budget=10)
    for doctor_id, size in (("ada", 4), ("ben", 4)):
        files.keep(doctor_id, CalendarFile(1, opening(1), {}, b"x" * size))
    assert files.last("ada") is not None
    files.keep("cleo", CalendarFile(1, opening(1), {}, b"x" * 4))
    assert [files.last(each) is not None for each in ("ada", "ben", "cleo")] == [True, False, True]
    files.keep("dan", CalendarFile(1, opening(1), {}, b"x" * 11))
    assert files.last("dan") is None


async def test_old_appointments_are_not_in_the_feed(clinic: RestClinic) -> None:
    await clinic.book("carl", "ada", opening(1))
    path = await link(clinic, "carl")
    clinic.clock.forward(timedelta(days=90))
    assert len(events(await clinic.ask("GET", path))) == 1
    clinic.clock.forward(timedelta(days=2))
    assert events(await clinic.ask("GET", path)) == {}


async def test_a_new_link_ends_the_old_one_and_a_link_can_be_ended(clinic: RestClinic) -> None:
    old = await link(clinic, "carl")
    new = await link(clinic, "carl")
    assert (await clinic.ask("GET", old)).status == 404
    assert (await clinic.ask("GET", new)).status == 200
    assert (await clinic.ask("DELETE", LINK, "carl")).status == 204
    assert (await clinic.ask("GET", new)).status == 404


async def test_a_key_opens_only_its_own_calendar(clinic: RestClinic) -> None:
    carls = await link(clinic, "carl")
    for path in (
        carls.replace("patient-carl", "patient-dora"),
        carls.replace("patient-carl", "nobody"),
        carls.replace(".ics", "x.ics"),
        "/api/v1/calendars/patient-dora/.ics",
        "/api/v1/calendars/patient-carl/None.ics",
    ):
        assert (await clinic.ask("GET", path)).status == 404


async def test_a_link_is_made_with_the_password_only(clinic: RestClinic) -> None:
    for body in ({}, {"password": "Wrong-horse-7"}):
        answer = await clinic.ask("POST", LINK, "carl", json=body)
        assert [error["pointer"] for error in answer.body["errors"]] == ["/password"]
    assert (await clinic.ask("GET", ME, "carl")).body["calendarLink"] is None


@pytest.mark.parametrize("end", ["change the password", "log out everywhere", "disable", "by hand"])
async def test_a_link_ends_with_the_log_ins_of_its_owner(clinic: RestClinic, end: str) -> None:
    path = await link(clinic, "ada")
    assert (await clinic.ask("GET", path)).status == 200
    match end:
        case "change the password":
            body = {"current": PASSWORD, "new": "Another-horse-7"}
            assert (await clinic.ask("POST", "/api/v1/auth/password", "ada", json=body)).status == 204
        case "log out everywhere":
            assert (await clinic.ask("POST", "/api/v1/auth/logout/all", "ada")).status == 204
        case "disable":
            await disable(clinic.services.records, "doctor-ada", clinic.clock)
        case _:
            assert (await clinic.ask("DELETE", LINK, "ada")).status == 204
    assert (await clinic.ask("GET", path)).status == 404
    assert (await clinic.services.records.users.by_id("doctor-ada")).calendar_key_hash is None  # type: ignore[union-attr]


async def test_a_link_made_while_the_password_was_changed_ends_at_once(
    clinic: RestClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slowly(*given: Any) -> None:
        await require_password(*given)
        body = {"current": PASSWORD, "new": "Another-horse-7"}
        assert (await clinic.ask("POST", "/api/v1/auth/password", "carl", json=body)).status == 204

    monkeypatch.setattr(calendar_feeds, "require_password", slowly)
    assert (await clinic.ask("POST", LINK, "carl", json={"password": PASSWORD})).status == 422
    assert (await clinic.ask("GET", ME, "carl")).body["calendarLink"] is None


async def test_the_profile_shows_when_the_link_was_last_read(clinic: RestClinic) -> None:
    path = await link(clinic, "carl")
    assert (await clinic.ask("GET", ME, "carl")).body["calendarLink"] == {"lastRead": None}
    for minutes, read in ((0, "08:00"), (9, "08:00"), (10, "08:10")):
        clinic.clock.now = MONDAY_MORNING + timedelta(minutes=minutes)
        await clinic.ask("GET", path)
        shown = (await clinic.ask("GET", ME, "carl")).body["calendarLink"]
        assert shown == {"lastRead": f"2026-11-23T{read}:00Z"}
    path = await link(clinic, "carl")
    assert (await clinic.ask("GET", ME, "carl")).body["calendarLink"] == {"lastRead": None}
