"""Which texts an event causes, and whether they are still relevant."""

from datetime import datetime, timedelta

import pytest

from hub.ids import derived_id
from hub.scheduling.apply import apply
from hub.scheduling.commands import CancelAppointment, MarkNoShow
from hub.scheduling.events import AppointmentBooked, PatientReminded, SlotOffered
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule import Schedule
from hub.scheduling.values import Actor, Role
from hub.texting.planning import plan_texts
from hub.texting.relevance import skip_reason
from hub.texting.text import TextStatus, repetition_of
from tests.unit.clinic_examples import BERLIN, NOW, START, after, book, booked, change, free, only, standing
from tests.unit.clinic_examples import DOCTOR as BY_DOCTOR
from tests.unit.text_examples import CLINIC, DOCTOR, PATIENT, asked, happened, said

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
THREE_HOURS_BEFORE = START - 3 * HOUR
DESK = Actor(id="desk", role=Role.SYSTEM, via="cli")


def test_a_booking_for_today_is_told_to_the_patient_and_to_the_doctor() -> None:
    to_patient, to_doctor = asked(free(), book())

    assert said([to_patient, to_doctor]) == [("patient", "booked"), ("doctor", "booked")]
    assert (to_patient.user_id, to_patient.phone) == ("ann", "+12025550101")
    assert (to_doctor.user_id, to_doctor.phone) == ("berlin", "+12025550102")
    assert "Mon 1 Jun, 2:00 PM" in to_patient.body
    assert "Mon 1 Jun, 2:00 PM" in to_doctor.body


def test_a_text_has_its_event_and_the_time_until_which_it_is_useful() -> None:
    (text, _) = asked(free(), book())

    assert text.id == derived_id("text", "berlin", "1", "ann")
    assert (text.appointment_id, text.doctor_id, text.seq, text.version) == ("booking", "berlin", 1, 1)
    assert (text.start, text.not_before, text.useless_after) == (START, NOW, START)
    assert text.status is TextStatus.PLANNED


def test_planning_an_event_again_gives_texts_with_the_same_ids() -> None:
    event = happened(booked())

    first = plan_texts(CLINIC, DOCTOR, BERLIN, PATIENT, event, NOW)
    again = plan_texts(CLINIC, DOCTOR, BERLIN, PATIENT, event, NOW + HOUR)

    assert [text.id for text in again] == [text.id for text in first]
    assert len({text.id for text in first}) == 2


def test_an_event_older_than_a_day_causes_no_text() -> None:
    event = happened(booked())

    assert len(plan_texts(CLINIC, DOCTOR, BERLIN, PATIENT, event, NOW + DAY)) == 2
    assert plan_texts(CLINIC, DOCTOR, BERLIN, PATIENT, event, NOW + DAY + timedelta(milliseconds=1)) == []


@pytest.mark.parametrize("without_text", [False, True])
def test_an_offer_at_night_to_a_connected_patient_causes_no_text(*, without_text: bool) -> None:
    hub = Actor(id="hub", role=Role.SYSTEM, via="timer")
    offered = SlotOffered(
        seq=1,
        prev=0,
        command_id="offer",
        by=hub,
        at=NOW,
        fingerprint="0" * 16,
        doctor_id="berlin",
        patient_id="ann",
        entry_id="entry",
        start=START,
        until=NOW + HOUR / 2,
        without_text=without_text,
    )
    texts = plan_texts(CLINIC, DOCTOR, BERLIN, PATIENT, RecordedEvent(offered, apply(None, offered)), NOW)
    assert said(texts) == ([] if without_text else [("patient", "offer")])


def test_a_reminder_goes_to_the_patient_alone_and_is_of_use_until_half_an_hour_before() -> None:
    (text,) = asked(booked(), change("remind"), THREE_HOURS_BEFORE)

    assert (text.line, text.kind, text.useless_after) == ("patient", "reminder", START - timedelta(minutes=30))
    assert "Reply 1 to confirm or 2 to cancel." in text.body


def test_a_move_is_told_with_the_new_time_and_to_the_doctor_with_both() -> None:
    to_patient, to_doctor = asked(booked(), change("reschedule"))

    assert said([to_patient, to_doctor]) == [("patient", "rescheduled"), ("doctor", "rescheduled")]
    assert "3:00 PM" in to_patient.body
    assert "2:00 PM" not in to_patient.body
    assert "2:00 PM" in to_doctor.body
    assert "3:00 PM" in to_doctor.body


@pytest.mark.parametrize("by", [BY_DOCTOR, DESK])
def test_what_the_clinic_cancels_is_told_to_the_patient(by: Actor) -> None:
    command = CancelAppointment(id="change", doctor_id="berlin", by=by, at=NOW, appointment_id="booking")

    assert ("patient", "cancelled") in said(asked(booked(), command))


def test_what_the_patient_cancels_is_told_to_the_doctor_alone() -> None:
    assert said(asked(booked(), change("cancel"))) == [("doctor", "cancelled")]


def test_a_doctor_gets_no_text_about_their_own_action() -> None:
    assert said(asked(free(), book(by=BY_DOCTOR))) == [("patient", "booked")]
    assert said(asked(booked(), change("reschedule", by=BY_DOCTOR))) == [("patient", "rescheduled")]
    assert said(asked(booked(), change("cancel", by=BY_DOCTOR))) == [("patient", "cancelled")]


@pytest.mark.parametrize("kind", ["check_in", "call_in", "undo_visit"])
def test_a_step_of_the_visit_is_written_to_nobody(kind: str) -> None:
    before = standing("scheduled" if kind == "check_in" else "arrived")
    assert asked(before, change(kind, by=BY_DOCTOR), START - timedelta(minutes=5)) == []


@pytest.mark.parametrize("kind", ["confirm", "complete", "mark_no_show", "join_patient"])
def test_other_events_cause_no_text(kind: str) -> None:
    by = BY_DOCTOR if kind == "complete" else None

    assert asked(booked(), change(kind, by=by), START + timedelta(minutes=15) if kind != "confirm" else NOW) == []


def test_a_doctor_who_wants_no_texts_gets_none() -> None:
    doctor = DOCTOR.model_copy(update={"texts": ()})

    assert said(asked(free(), book(), doctor=doctor)) == [("patient", "booked")]


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (datetime.fromisoformat("2026-06-03T11:00+02:00"), True),  # the same day
        (datetime.fromisoformat("2026-06-02T00:00+02:00"), True),  # the first instant of the day before
        (datetime.fromisoformat("2026-06-01T23:59+02:00"), False),  # the last minute of the day before that
    ],
)
def test_a_doctor_is_told_of_today_and_tomorrow_by_the_doctors_own_clock(at: datetime, *, told: bool) -> None:
    wednesday = datetime.fromisoformat("2026-06-03T14:00+02:00")

    texts = asked(free(), book(start=wednesday), at)

    assert (("doctor", "booked") in said(texts)) == told


@pytest.mark.parametrize(
    ("moved_to", "useless_after"),
    [
        (START + HOUR, START + HOUR),  # both are today
        (START + 8 * DAY, START),  # away from today: until somebody would wait in vain
    ],
)
def test_a_doctor_is_told_of_a_move_away_from_today_until_it_does_not_matter(
    moved_to: datetime, useless_after: datetime
) -> None:
    (_, to_doctor) = asked(booked(), change("reschedule", start=moved_to))

    assert (to_doctor.line, to_doctor.useless_after) == ("doctor", useless_after)


def test_a_doctor_is_told_of_a_move_to_tomorrow_and_not_of_one_between_far_days() -> None:
    far = after(free(), book(start=START + 8 * DAY), NOW)

    assert said(asked(far, change("reschedule", start=START + HOUR)))[1:] == [("doctor", "rescheduled")]
    assert said(asked(far, change("reschedule", start=START + 9 * DAY)))[1:] == []


def test_a_text_to_a_person_without_a_phone_is_recorded_as_skipped() -> None:
    (to_patient, _) = asked(free(), book(), patient=PATIENT.model_copy(update={"phone": None}))

    assert (to_patient.status, to_patient.reason, to_patient.phone) == (TextStatus.SKIPPED, "no_phone", None)


def test_a_text_planned_after_its_use_is_recorded_as_skipped() -> None:
    event = happened(after(booked(), change("remind"), THREE_HOURS_BEFORE))

    (late,) = plan_texts(CLINIC, DOCTOR, BERLIN, PATIENT, event, START - timedelta(minutes=30))
    (in_time,) = plan_texts(CLINIC, DOCTOR, BERLIN, PATIENT, event, START - timedelta(minutes=31))

    assert (late.status, late.reason) == (TextStatus.SKIPPED, "too_late")
    assert in_time.status is TextStatus.PLANNED


def test_appointments_of_the_seed_cause_no_texts() -> None:
    assert asked(free(), book(by=Actor(id="ann", role=Role.PATIENT, via="seed"))) == []


def test_no_text_names_the_doctor_the_specialty_or_the_patient() -> None:
    bodies = [
        text.body
        for calendar, command in [(free(), book(reason="a cough")), (booked(), change("reschedule"))]
        for text in asked(calendar, command)
    ]

    for body in bodies:
        assert not any(word in body for word in ("Berta", "Psychiatry", "Ann", "cough", "ann@", "+1202"))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("confirm", None), ("cancel", "cancelled"), ("complete", "over"), ("reschedule", "moved")],
)
def test_a_reminder_is_skipped_after_a_later_event_of_its_appointment(kind: str, reason: str | None) -> None:
    reminded = after(booked(), change("remind", key="r"), THREE_HOURS_BEFORE)
    (text,) = plan_texts(CLINIC, DOCTOR, BERLIN, PATIENT, happened(reminded), THREE_HOURS_BEFORE)
    # Later than it would be sent, so that it may be complete; what is asked is what the event makes of it.
    at = START - timedelta(minutes=30) if kind == "complete" else THREE_HOURS_BEFORE
    by = BY_DOCTOR if kind == "complete" else None
    now_stands = only(after(reminded, change(kind, by=by), at))

    assert skip_reason(text, only(reminded), THREE_HOURS_BEFORE) is None
    assert skip_reason(text, now_stands, THREE_HOURS_BEFORE) == reason


def test_a_patient_who_has_arrived_needs_no_text_and_the_doctor_still_does() -> None:
    to_patient, to_doctor = asked(free(), book())
    arrived = after(booked(), change("check_in", by=BY_DOCTOR, key="arrival"), START - timedelta(minutes=20))
    left = after(arrived, change("undo_visit", by=BY_DOCTOR, key="undo"), START - timedelta(minutes=10))

    assert [skip_reason(text, only(arrived), NOW) for text in (to_patient, to_doctor)] == ["arrived", None]
    assert [skip_reason(text, only(left), NOW) for text in (to_patient, to_doctor)] == [None, None]


def test_a_text_is_skipped_after_its_use_or_without_its_appointment() -> None:
    (text, _) = asked(free(), book())
    appointment = only(booked())

    assert skip_reason(text, appointment, START - timedelta(milliseconds=1)) is None
    assert skip_reason(text, appointment, START) == "too_late"
    assert skip_reason(text, None, NOW) == "unknown_appointment"


def test_if_an_appointment_moves_away_and_back_only_the_last_text_is_sent() -> None:
    away = after(booked(), change("reschedule", key="away"), NOW)
    back = after(away, change("reschedule", key="back", start=START), NOW)
    again = after(back, change("reschedule", key="again"), NOW)
    texts = [
        plan_texts(CLINIC, DOCTOR, BERLIN, PATIENT, happened(one), NOW)[0] for one in (booked(), away, back, again)
    ]

    worth = [skip_reason(text, only(again), NOW) for text in texts]

    assert worth == ["moved", "moved", "moved", None]
    assert texts[1].body == texts[3].body


def test_a_text_about_a_cancellation_stays_relevant() -> None:
    cancelled = after(booked(), change("cancel", by=BY_DOCTOR), NOW)
    (text,) = plan_texts(CLINIC, DOCTOR, BERLIN, PATIENT, happened(cancelled), NOW)

    assert skip_reason(text, only(cancelled), NOW) is None


def test_after_a_no_show_no_text_is_relevant() -> None:
    (text, _) = asked(free(), book())
    missed = after(
        booked(),
        MarkNoShow(id="m", doctor_id="berlin", by=DESK, at=START, appointment_id="booking", start=START),
        START + timedelta(minutes=15),
    )

    assert skip_reason(text, only(missed), NOW) == "over"


def test_an_undelivered_text_is_repeated_once_under_its_own_id() -> None:
    (text, _) = asked(free(), book())
    failed = text.model_copy(
        update={"status": TextStatus.UNDELIVERED, "sid": "SM1", "error_code": 30003, "attempts": 2}
    )

    again = repetition_of(failed, NOW + HOUR, NOW + 2 * HOUR)

    assert again
    assert again == repetition_of(failed, NOW + HOUR, NOW + 2 * HOUR)
    assert (again.again_of, again.body, again.phone) == (text.id, text.body, text.phone)
    assert (again.status, again.attempts, again.sid, again.error_code) == (TextStatus.PLANNED, 0, None, None)
    assert (again.not_before, again.created_at) == (NOW + 2 * HOUR, NOW + HOUR)
    assert again.id != text.id
    assert repetition_of(again, NOW + HOUR, NOW + 2 * HOUR) is None


def test_a_text_is_not_repeated_when_that_would_be_too_late() -> None:
    (text, _) = asked(free(), book())

    assert repetition_of(text, NOW, START) is None


@pytest.mark.parametrize(
    ("zone", "start", "shown"),
    [
        ("Europe/Berlin", "2026-03-29T02:00Z", "Sun 29 Mar, 4:00 AM"),
        ("Europe/Berlin", "2026-10-25T02:00Z", "Sun 25 Oct, 3:00 AM"),
        ("America/New_York", "2026-11-01T06:30Z", "Sun 1 Nov, 1:30 AM EST"),
        ("Australia/Lord_Howe", "2026-10-03T16:00Z", "Sun 4 Oct, 3:00 AM"),
        ("Australia/Lord_Howe", "2026-04-04T15:00Z", "Sun 5 Apr, 1:30 AM +1030"),
        ("Pacific/Chatham", "2026-09-26T15:15Z", "Sun 27 Sep, 5:00 AM"),
    ],
)
def test_across_a_clock_change_the_reminder_is_due_three_hours_of_waiting_before_and_says_the_local_time(
    zone: str, start: str, shown: str
) -> None:
    at = datetime.fromisoformat(start)
    header = {"prev": 0, "by": DESK, "command_id": "booking", "fingerprint": ""}
    booking = AppointmentBooked(
        **header, seq=1, at=at - 2 * DAY, doctor_id="berlin", patient_id="ann", start=at, reason=None
    )
    appointment = apply(None, booking)
    reminded = apply(appointment, PatientReminded(**header | {"prev": 1, "command_id": "r"}, seq=2, at=at - 3 * HOUR))
    schedule = Schedule(id="berlin", zone=zone)

    (text,) = plan_texts(CLINIC, DOCTOR, schedule, PATIENT, RecordedEvent(reminded.last, reminded), at - 3 * HOUR)

    assert appointment.due == at - 3 * HOUR
    assert f"appointment {shown}. Reply" in text.body


def test_each_text_is_in_the_recipients_language() -> None:
    chosen = {"language": "de"}
    to_patient, to_doctor = asked(free(), book(), patient=PATIENT.model_copy(update=chosen))
    assert "Ihr Termin am Mo 1.6., 14:00 Uhr" in to_patient.body
    assert "Mon 1 Jun, 2:00 PM" in to_doctor.body
    to_patient, to_doctor = asked(free(), book(), doctor=DOCTOR.model_copy(update=chosen))
    assert "Mon 1 Jun, 2:00 PM" in to_patient.body
    assert "Mo 1.6., 14:00 Uhr" in to_doctor.body


def test_a_phone_that_must_be_proven_and_is_not_gets_no_text() -> None:
    state = after(free(), book(), NOW)
    stranger = PATIENT.model_copy(update={"phone_verified": False})
    for patient, proven_only, reasons in (
        (stranger, True, {"patient": "not_proven", "doctor": None}),
        (stranger, False, {"patient": None, "doctor": None}),
        (PATIENT, True, {"patient": None, "doctor": None}),
    ):
        texts = plan_texts(CLINIC, DOCTOR, BERLIN, patient, happened(state), NOW, proven_only=proven_only)
        assert {text.line: text.reason for text in texts} == reasons
