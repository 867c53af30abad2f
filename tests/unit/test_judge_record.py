"""The judge checks the record alone: each planted fault is reported, and nothing else."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from hub.ops.judge.promises import Promise
from hub.scheduling.apply import apply_all
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import MarkNoShow, RemindPatient
from hub.scheduling.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentMissed,
    PatientReminded,
)
from hub.scheduling.values import Status
from tests.unit.judge_examples import (
    ADA,
    ANN,
    BOB,
    ELEVEN,
    MAX,
    NINE,
    TEN,
    FaultlessClinic,
    altered,
    found,
    good_morning,
)


def test_a_clinic_with_every_kind_of_answer_breaks_no_promise() -> None:
    clinic = good_morning()
    codes = {exchange.answer.code for exchange in clinic.history.exchanges() if not exchange.answer.ok}
    assert codes == {
        "slot_taken",
        "patient_busy",
        "wrong_status",
        "idempotency_key_reused",
        "too_early",
        "forbidden",
        "not_found",
        "off_grid",
        "outside_hours",
        "in_the_past",
        "too_far_ahead",
    }
    assert clinic.judged() == []


def test_two_appointments_in_one_slot_are_reported() -> None:
    clinic = FaultlessClinic()
    clinic.book(ANN, ADA, TEN)
    assert found(clinic.judged([*clinic.appointments, _intruder(seq=2)])) >= {"two appointments held the same slot"}


def test_two_appointments_in_one_slot_are_reported_even_if_one_was_cancelled_later() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    clinic.change(ANN, "cancel", booked)
    between = apply_all(None, [_moved(event, {1: 1, 2: 3}) for event in clinic.appointments[0].history])
    assert "two appointments held the same slot" in found(clinic.judged([between, _intruder(seq=2)]))
    assert "two appointments held the same slot" not in found(clinic.judged([*clinic.appointments, _intruder(seq=3)]))


def test_starts_less_than_an_appointment_apart_overlap() -> None:
    clinic = FaultlessClinic()
    clinic.book(ANN, ADA, TEN)
    close = _intruder(seq=2, start=TEN + timedelta(minutes=29))
    after = _intruder(seq=2, start=TEN + timedelta(minutes=30))
    assert "two appointments held the same slot" in found(clinic.judged([*clinic.appointments, close]))
    assert "two appointments held the same slot" not in found(clinic.judged([*clinic.appointments, after]))


def test_overlapping_appointments_of_a_patient_are_reported() -> None:
    clinic = FaultlessClinic()
    clinic.book(BOB, ADA, TEN)
    assert "a patient had two appointments at once" in found(
        clinic.judged([*clinic.appointments, _intruder(seq=1, doctor=MAX.id)])
    )


@pytest.mark.parametrize(("seconds", "named"), [(4, False), (6, True)])
def test_overlapping_appointments_of_a_patient_are_reported_beyond_the_time_of_a_write(
    seconds: int, *, named: bool
) -> None:
    clinic = FaultlessClinic()
    first = clinic.book(BOB, ADA, TEN)
    clinic.now += timedelta(minutes=1)
    clinic.change(BOB, "cancel", first)
    cancelled = clinic.appointments[0].last.at
    other = _intruder(seq=1, doctor=MAX.id, at=cancelled - timedelta(seconds=seconds))
    assert ("a patient had two appointments at once" in found(clinic.judged([*clinic.appointments, other]))) is named


def test_a_missing_seq_is_reported() -> None:
    clinic = FaultlessClinic()
    lost = clinic.book(ANN, ADA, TEN)
    clinic.book(BOB, ADA, ELEVEN)
    kept = [each for each in clinic.appointments if each.id != lost.appointment.id]
    assert "a seq is missing" in found(clinic.judged(kept))


def test_a_seq_used_twice_is_reported() -> None:
    clinic = FaultlessClinic()
    clinic.book(ANN, ADA, TEN)
    assert "a seq is used twice" in found(clinic.judged([*clinic.appointments, _intruder(seq=1, start=ELEVEN)]))


def test_a_wrong_prev_is_reported() -> None:
    clinic = good_morning()
    chosen = next(each for each in clinic.appointments if each.last.prev > 0)
    wrong = altered(
        clinic.appointments,
        chosen.id,
        lambda each: apply_all(None, [*each.history[:-1], each.last.model_copy(update={"prev": each.last.prev - 1})]),
    )
    assert "prev is not the preceding seq" in found(clinic.judged(wrong))


@pytest.mark.parametrize(
    "change",
    [
        {"status": Status.COMPLETED},
        {"version": 7},
        {"start": NINE},
        {"due": None},
        {"patient_id": "somebody"},
    ],
)
def test_a_state_that_does_not_match_its_history_is_reported(change: dict[str, object]) -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    wrong = altered(clinic.appointments, booked.appointment.id, lambda each: each.model_copy(update=change))
    assert "a state does not match its history" in found(clinic.judged(wrong))


def test_a_history_that_does_not_begin_with_a_booking_is_reported() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    clinic.change(ANN, "cancel", booked)
    wrong = altered(
        clinic.appointments,
        booked.appointment.id,
        lambda each: each.model_copy(update={"history": each.history[1:]}),
    )
    assert "a state does not match its history" in found(clinic.judged(wrong))


def test_a_second_reminder_is_reported() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    clinic.due(RemindPatient, booked, TEN - timedelta(hours=3))
    wrong = altered(clinic.appointments, booked.appointment.id, _reminded(TEN - timedelta(hours=2)))
    assert "a second reminder for the same start" in found(clinic.judged(wrong))


def test_a_reminder_after_the_cancellation_is_reported() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    clinic.change(ANN, "cancel", booked)
    wrong = altered(clinic.appointments, booked.appointment.id, _reminded(TEN - timedelta(hours=2)))
    assert "a reminder for an appointment that was not active" in found(clinic.judged(wrong))


@pytest.mark.parametrize("before", [timedelta(hours=3, seconds=1), timedelta(0), timedelta(minutes=-5)])
def test_a_reminder_at_the_wrong_time_is_reported(before: timedelta) -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    wrong = altered(clinic.appointments, booked.appointment.id, _reminded(TEN - before))
    assert "a reminder too early or too late" in found(clinic.judged(wrong))


def test_a_moved_appointment_may_have_a_second_reminder() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, NINE)
    clinic.due(RemindPatient, booked, NINE - timedelta(hours=3))
    moved = clinic.change(ANN, "reschedule", booked, ELEVEN)
    clinic.due(RemindPatient, moved, ELEVEN - timedelta(hours=3))
    assert clinic.judged() == []


def test_an_early_no_show_is_reported() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    clinic.due(MarkNoShow, booked, TEN + timedelta(minutes=15))

    def early(each: Appointment) -> Appointment:
        missed = AppointmentMissed(**_header(each, TEN + timedelta(minutes=14)))
        return apply_all(
            None, [*each.history[:-1], missed.model_copy(update={"seq": each.last.seq, "prev": each.last.prev})]
        )

    wrong = altered(clinic.appointments, booked.appointment.id, early)
    assert "marked as no-show too early" in found(clinic.judged(wrong))


def test_each_violation_names_its_promise() -> None:
    clinic = FaultlessClinic()
    clinic.book(ANN, ADA, TEN)
    broken = {violation.promise for violation in clinic.judged([*clinic.appointments, _intruder(seq=2)])}
    assert Promise.NO_OVERLAP in broken
    assert [promise for promise in Promise if not promise.text] == []


def _intruder(seq: int, start: datetime = TEN, doctor: str = ADA.id, at: datetime | None = None) -> Appointment:
    """Return an appointment of Bob that no command booked."""
    by = {"id": "hub", "role": "system", "via": "seed"}
    at = at or TEN - timedelta(hours=4)
    return apply_all(
        None,
        [
            AppointmentBooked(
                seq=seq,
                prev=seq - 1,
                at=at,
                by=by,
                command_id="intruder",
                fingerprint="0",
                doctor_id=doctor,
                patient_id=BOB.id,
                start=start,
            )
        ],
    )


def _moved(event: AppointmentBooked | AppointmentCancelled, to: dict[int, int]) -> AppointmentBooked:
    seq = to[event.seq]
    return event.model_copy(update={"seq": seq, "prev": seq - 1})


def _reminded(at: datetime) -> Callable[[Appointment], Appointment]:
    return lambda each: apply_all(None, [*each.history, PatientReminded(**_header(each, at))])


def _header(appointment: Appointment, at: datetime) -> dict[str, object]:
    seq = appointment.last.seq
    by = {"id": "hub", "role": "system", "via": "timer"}
    return {"seq": seq + 1, "prev": seq, "at": at, "by": by, "command_id": "planted", "fingerprint": "0"}
