"""Who is told what, without a socket."""

from datetime import UTC, date, datetime, timedelta

from api.sockets.rooms import Day, Rooms, Told
from hub.bus.messages import AppointmentNotice
from hub.scheduling.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentRescheduled,
    Event,
    PatientReminded,
    ReminderMissed,
)
from hub.scheduling.slots import SlotChange
from hub.scheduling.values import APPOINTMENT_DURATION, Actor, Role, Status
from hub.scheduling.views import AppointmentView

TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ELEVEN = TEN + timedelta(hours=1)
TODAY = Day("ada", date(2026, 11, 23), datetime(2026, 11, 22, 23, tzinfo=UTC), datetime(2026, 11, 23, 23, tzinfo=UTC))
TOMORROW = Day(
    "ada", date(2026, 11, 24), datetime(2026, 11, 23, 23, tzinfo=UTC), datetime(2026, 11, 24, 23, tzinfo=UTC)
)


def header(seq: int) -> dict[str, object]:
    by = Actor(id="carl", role=Role.PATIENT, via="socket")
    return {"seq": seq, "prev": seq - 1, "at": TEN - timedelta(days=1), "by": by, "command_id": "c", "fingerprint": "f"}


def notice(event: Event, *slots: SlotChange) -> AppointmentNotice:
    """What is told of an event of Ada's with Carl."""
    appointment = AppointmentView(
        id="a1",
        doctor_id="ada",
        patient_id="carl",
        start=TEN,
        end=TEN + APPOINTMENT_DURATION,
        status=Status.SCHEDULED,
        version=1,
        reason="a cough",
        created_at=TEN - timedelta(days=1),
    )
    return AppointmentNotice(doctor_id="ada", event=event, appointment=appointment, slots=slots)


def booked(seq: int, start: datetime = TEN) -> AppointmentNotice:
    event = AppointmentBooked.model_validate(
        {**header(seq), "doctor_id": "ada", "patient_id": "carl", "start": start, "reason": None}
    )
    return notice(event, SlotChange(start=start, available=False))


def cancelled(seq: int, start: datetime = TEN) -> AppointmentNotice:
    return notice(AppointmentCancelled.model_validate(header(seq)), SlotChange(start=start, available=True))


def slots(told: list[Told]) -> list[tuple[tuple[str, ...], object, object]]:
    return [(each.sids, each.data["start"], each.data["available"]) for each in told if each.event == "slot"]


def test_an_appointment_is_told_to_its_doctor_and_its_patient_and_to_nobody_else() -> None:
    rooms = Rooms()
    rooms.enter("s-ada", Role.DOCTOR, "ada")
    rooms.enter("s-ben", Role.DOCTOR, "ben")
    rooms.enter("s-carl", Role.PATIENT, "carl")
    rooms.enter("s-carl-at-home", Role.PATIENT, "carl")
    for sid in ("s-carl", "s-carl-at-home"):
        rooms.introduce(sid, "ada")
    rooms.enter("s-dora", Role.PATIENT, "dora")

    [told] = rooms.told(booked(7))

    assert set(told.sids) == {"s-ada", "s-carl", "s-carl-at-home"}
    assert len(told.sids) == 3
    assert told.event == "appointment"
    assert told.data.keys() == {"type", "appointment", "seq", "prev"}
    assert (told.data["type"], told.data["seq"], told.data["prev"]) == ("booked", 7, 6)


def test_a_doctor_and_a_patient_of_one_id_are_two_people() -> None:
    rooms = Rooms()
    rooms.enter("s-doctor-carl", Role.DOCTOR, "carl")
    rooms.enter("s-patient-ada", Role.PATIENT, "ada")
    assert rooms.told(booked(1)) == []


def test_a_client_in_both_rooms_is_told_once() -> None:
    rooms = Rooms()
    rooms.enter("s", Role.DOCTOR, "ada")
    rooms.enter("s", Role.PATIENT, "carl")
    rooms.introduce("s", "ada")
    [told] = rooms.told(booked(1))
    assert told.sids == ("s",)


def test_a_patient_is_told_nothing_of_a_doctor_before_being_introduced() -> None:
    rooms = Rooms()
    rooms.enter("s-carl", Role.PATIENT, "carl")
    rooms.introduce("s-carl", "ben")
    assert rooms.told(booked(1)) == []
    rooms.introduce("s-carl", "ada")
    assert len(rooms.told(booked(2))) == 1
    rooms.leave("s-carl")
    assert not rooms.knows("s-carl", "ada")


def test_a_missed_reminder_is_told_to_the_doctor_only_and_a_reminder_to_both() -> None:
    rooms = Rooms()
    rooms.enter("s-ada", Role.DOCTOR, "ada")
    rooms.enter("s-carl", Role.PATIENT, "carl")
    rooms.introduce("s-carl", "ada")
    [missed] = rooms.told(notice(ReminderMissed.model_validate(header(1))))
    [reminded] = rooms.told(notice(PatientReminded.model_validate(header(2))))
    assert missed.sids == ("s-ada",)
    assert reminded.sids == ("s-ada", "s-carl")


def test_who_left_is_told_nothing() -> None:
    rooms = Rooms()
    rooms.enter("s", Role.DOCTOR, "ada")
    rooms.watch("s", TODAY).open(0)
    rooms.leave("s")
    rooms.leave("never came")
    assert rooms.told(booked(1)) == []
    assert rooms.watches("s") == 0


def test_a_watcher_is_told_of_the_slot_and_never_by_whom() -> None:
    rooms = Rooms()
    rooms.watch("s", TODAY).open(0)
    [told] = rooms.told(booked(1))
    assert told == Told(("s",), "slot", {"doctorId": "ada", "start": "2026-11-23T10:00:00Z", "available": False})


def test_a_watcher_is_told_of_the_watched_day_only() -> None:
    rooms = Rooms()
    rooms.watch("today", TODAY).open(0)
    rooms.watch("tomorrow", TOMORROW).open(0)
    last_night, midnight = TODAY.end - APPOINTMENT_DURATION, TODAY.end

    assert slots(rooms.told(booked(1, last_night))) == [(("today",), "2026-11-23T22:30:00Z", False)]
    assert slots(rooms.told(booked(2, midnight))) == [(("tomorrow",), "2026-11-23T23:00:00Z", False)]


def test_a_move_frees_one_slot_and_takes_another() -> None:
    rooms = Rooms()
    rooms.watch("s", TODAY).open(0)
    event = AppointmentRescheduled.model_validate({**header(1), "previous_start": TEN, "start": ELEVEN})
    moved = notice(event, SlotChange(start=TEN, available=True), SlotChange(start=ELEVEN, available=False))
    assert slots(rooms.told(moved)) == [
        (("s",), "2026-11-23T10:00:00Z", True),
        (("s",), "2026-11-23T11:00:00Z", False),
    ]


def test_an_unwatched_day_is_told_no_more_and_the_other_one_still_is() -> None:
    rooms = Rooms()
    rooms.watch("s", TODAY).open(0)
    rooms.watch("s", TOMORROW).open(0)
    rooms.unwatch("s", "ada", TODAY.date)
    rooms.unwatch("s", "ada", TODAY.date)
    assert rooms.watches("s") == 1
    assert rooms.told(booked(1)) == []
    assert len(rooms.told(booked(2, TOMORROW.begin))) == 1


def test_what_happens_while_the_answer_is_made_goes_into_the_answer_and_is_not_told_again() -> None:
    rooms = Rooms()
    watch = rooms.watch("s", TODAY)
    assert rooms.told(booked(5)) == []
    assert rooms.told(cancelled(6)) == []
    assert rooms.told(booked(7, ELEVEN)) == []

    news = watch.open(answered=5)

    assert news == [SlotChange(start=TEN, available=True), SlotChange(start=ELEVEN, available=False)]
    assert rooms.told(booked(7, ELEVEN)) == []
    assert slots(rooms.told(booked(8))) == [(("s",), "2026-11-23T10:00:00Z", False)]


def test_a_change_that_the_answer_holds_already_is_not_told_when_its_notice_comes_late() -> None:
    rooms = Rooms()
    rooms.watch("s", TODAY).open(answered=6)
    assert rooms.told(booked(5)) == []
    assert rooms.told(cancelled(6)) == []
    assert len(rooms.told(booked(7))) == 1


def test_to_watch_again_begins_again() -> None:
    rooms = Rooms()
    rooms.watch("s", TODAY).open(answered=3)
    again = rooms.watch("s", TODAY)
    assert rooms.told(booked(4)) == []
    assert again.open(answered=3) == [SlotChange(start=TEN, available=False)]
    assert rooms.watches("s") == 1
