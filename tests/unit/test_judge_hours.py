"""The judge checks working hours in the record, in the updates of doctors and in refusals."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from hub.client.commands import Command, Request
from hub.client.wire import CalendarEvent
from hub.ops.judge.dashboard import Received
from hub.ops.judge.record import Record
from hub.ops.judge.verdict import judge
from hub.scheduling.schedule import Shift
from hub.scheduling.schedule_record import ScheduleRecord, unchanged_schedule
from tests.unit.judge_examples import ADA, ANN, BOB, ELEVEN, MAX, NINE, TEN, FaultlessClinic, found, refused

MORNINGS = tuple(Shift(weekday=day, opens=8 * 60, closes=10 * 60) for day in range(5))


def changed_hours() -> FaultlessClinic:
    """Return a clinic whose doctor changed the hours between two bookings, took an hour off, and was disabled."""
    clinic = FaultlessClinic()
    first = clinic.book(ANN, ADA, ELEVEN)
    clinic.arrange("change_hours", ADA, shifts=MORNINGS)
    clinic.book(BOB, ADA, TEN)
    clinic.book(BOB, ADA, NINE)
    clinic.arrange("add_time_off", ADA, start=NINE, end=TEN)
    clinic.book(ANN, ADA, NINE + timedelta(minutes=30))
    clinic.change(ANN, "confirm", first)
    clinic.arrange("disable", MAX)
    clinic.book(ANN, MAX, TEN)
    return clinic


def with_schedule(clinic: FaultlessClinic, change: Callable[[ScheduleRecord], ScheduleRecord]) -> set[str]:
    """Return the violations when the record has another schedule of Ada."""
    good = clinic.record()
    schedule_records = [change(each) if each.doctor_id == ADA.id else each for each in good.schedule_records.values()]
    record = Record(good.appointments.values(), schedule_records, clinic.now)
    return found(judge(clinic.history, list(clinic.dashboards.values()), record))


def test_hours_that_change_break_no_promise() -> None:
    clinic = changed_hours()
    assert clinic.judged() == []
    answers = [exchange.answer.code for exchange in clinic.history.exchanges()]
    assert answers == [None, "outside_hours", None, "outside_hours", None, "doctor_unavailable"]


def test_an_appointment_outside_the_hours_of_that_time_is_reported() -> None:
    clinic = changed_hours()
    clinic.book(BOB, ADA, TEN)
    late = clinic.record()
    (first, *_) = sorted(clinic.appointments, key=lambda each: each.history[0].seq)
    booking = first.history[0].model_copy(update={"seq": 9, "prev": 8, "command_id": "late"})
    stray = first.model_copy(update={"id": "late", "history": (booking,), "start": TEN, "end": ELEVEN})
    record = Record([*late.appointments.values(), stray], late.schedule_records.values(), clinic.now)
    assert "an appointment was booked outside the doctor's hours" in found(judge(clinic.history, [], record))


def test_a_lost_change_of_hours_leaves_a_gap_in_the_numbering() -> None:
    assert "a seq is missing" in with_schedule(changed_hours(), lambda each: unchanged_schedule(each.initial))


def test_a_schedule_that_does_not_match_its_history_is_reported() -> None:
    def bend(schedule_record: ScheduleRecord) -> ScheduleRecord:
        return schedule_record.model_copy(update={"current": schedule_record.initial})

    assert "a state does not match its history" in with_schedule(changed_hours(), bend)


@pytest.mark.parametrize("code", ["outside_hours", "doctor_unavailable"])
@pytest.mark.parametrize("after", [False, True])
def test_a_refusal_by_hours_that_did_not_apply_is_reported(code: str, *, after: bool) -> None:
    clinic = FaultlessClinic()
    if not after:
        clinic.arrange("change_hours", ADA, shifts=())
        clinic.arrange("disable", ADA)
        clinic.arrange("enable", ADA)
        clinic.arrange("change_hours", ADA, shifts=clinic.doctors[0].shifts)
        clinic.now += timedelta(minutes=1)
    request = Request(ANN, Command("book", doctor_id=ADA.id, start=TEN), "k", "rest", clinic.now)
    clinic.history.on_request(request)
    clinic.history.on_answer(request, refused("k", code, clinic.now))
    clinic.now += timedelta(minutes=1)
    if after:
        clinic.arrange("change_hours", ADA, shifts=())
        clinic.arrange("disable", ADA)
    assert found(clinic.judged()) == {f"the reason of a refusal was not true: {code}"}


def test_a_refusal_by_hours_that_changed_during_the_request_may_be_true() -> None:
    clinic = FaultlessClinic()
    request = Request(ANN, Command("book", doctor_id=ADA.id, start=TEN), "k", "rest", clinic.now)
    clinic.history.on_request(request)
    clinic.arrange("change_hours", ADA, shifts=())
    clinic.arrange("change_hours", ADA, shifts=clinic.doctors[0].shifts)
    clinic.history.on_answer(request, refused("k", "outside_hours", clinic.now))
    assert clinic.judged() == []


def test_a_change_of_hours_that_was_not_sent_to_the_doctor_is_reported() -> None:
    clinic = changed_hours()
    seen = clinic.dashboards[ADA.id].periods[0].received
    seen[:] = [each for each in seen if not isinstance(each.event, CalendarEvent)]
    assert found(clinic.judged()) == {"an event was not sent"}


def test_a_change_of_hours_sent_with_other_content_is_reported() -> None:
    clinic = changed_hours()
    seen = clinic.dashboards[ADA.id].periods[0].received
    place = next(number for number, each in enumerate(seen) if isinstance(each.event, CalendarEvent))
    view = seen[place].event.calendar.model_copy(update={"disabled": True})
    seen[place] = Received(seen[place].event.model_copy(update={"calendar": view}), seen[place].at)
    assert found(clinic.judged()) == {"an event was sent with other content than in the record"}


def test_a_change_of_hours_sent_to_another_user_is_reported() -> None:
    clinic = FaultlessClinic()
    clinic.dashboards[ANN.id].on_event(clinic.arrange("change_hours", ADA, shifts=MORNINGS))
    assert found(clinic.judged()) == {"an event was sent to a client that may not see it"}


def test_a_slot_outside_the_new_hours_that_is_shown_as_free_is_reported() -> None:
    clinic = FaultlessClinic()
    before = dict(clinic.dashboards[ANN.id].slots)
    clinic.arrange("change_hours", ADA, shifts=MORNINGS)
    clinic.dashboards[ANN.id]._slots.update(before)
    assert found(clinic.judged()) == {"a watched slot is shown wrongly"}
