"""How the values of the clinic are read and written."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import TypeAdapter, ValidationError

from hub.scheduling.commands import CommandAdapter, fingerprint
from hub.scheduling.events import EventAdapter
from hub.scheduling.values import Id, Instant, rfc3339
from hub.scheduling.views import view
from tests.unit.clinic_examples import START, book, booked, change, only

READ = {
    "2026-06-01T12:00:00Z": datetime(2026, 6, 1, 12, tzinfo=UTC),
    "2026-06-01T14:00:00+02:00": datetime(2026, 6, 1, 12, tzinfo=UTC),
    "2026-06-01T17:45:00+05:45": datetime(2026, 6, 1, 12, tzinfo=UTC),
    "2026-06-01T12:00:00.123987Z": datetime(2026, 6, 1, 12, 0, 0, 123000, tzinfo=UTC),
}


@pytest.mark.parametrize(("text", "instant"), READ.items())
def test_an_instant_is_utc_in_whole_milliseconds(text: str, instant: datetime) -> None:
    read = TypeAdapter(Instant).validate_python(text)
    assert read == instant
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-01T12:00:00",
        "2026-06-01",
        "noon",
        "",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:30:00-05:00",
        "2999-12-31T23:30:00-05:00",
    ],
)
def test_a_time_without_a_zone_or_at_the_end_of_the_calendar_is_an_error(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Instant).validate_python(text)


def test_an_instant_is_written_as_rfc_3339_with_z() -> None:
    nepal = timezone(timedelta(hours=5, minutes=45))
    assert rfc3339(datetime(2026, 6, 1, 17, 45, tzinfo=nepal)) == "2026-06-01T12:00:00Z"
    assert rfc3339(datetime(2026, 6, 1, 12, 0, 0, 7000, tzinfo=UTC)) == "2026-06-01T12:00:00.007Z"


@pytest.mark.parametrize("text", ["", "a b", "a\n", "$where", "a.b", "ä", "x" * 65])
def test_an_id_is_short_and_plain(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Id).validate_python(text)


CHANGES = [
    "confirm",
    "cancel",
    "complete",
    "reschedule",
    "remind",
    "mark_no_show",
    "check_in",
    "call_in",
    "undo_visit",
    "join_patient",
]


@pytest.mark.parametrize("kind", CHANGES)
def test_a_command_is_the_same_after_the_bus(kind: str) -> None:
    command = change(kind)
    read = CommandAdapter.validate_json(command.model_dump_json(by_alias=True))
    assert read == command
    assert fingerprint(read) == fingerprint(command)


def test_an_event_is_the_same_after_the_bus() -> None:
    event = only(booked()).last
    assert EventAdapter.validate_json(event.model_dump_json(by_alias=True)) == event


def test_names_are_camel_case_outside_and_an_unknown_one_is_an_error() -> None:
    written = book().model_dump(mode="json", by_alias=True)
    assert written["doctorId"] == "berlin"
    assert written["start"] == "2026-06-01T12:00:00Z"
    with pytest.raises(ValidationError):
        CommandAdapter.validate_python({**written, "isAdmin": True})


def test_the_view_of_an_appointment_holds_neither_its_deadlines_nor_its_history() -> None:
    seen = view(only(booked())).model_dump(by_alias=True)
    of_the_visit = {"visit", "arrivedAt", "inRoomAt", "completedAt", "offeredUntil"}
    assert set(seen) == of_the_visit | {
        *("id", "doctorId", "patientId", "start", "end", "status", "version", "reason", "createdAt"),
    }
    assert seen["start"] == START
