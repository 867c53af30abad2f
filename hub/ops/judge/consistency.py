"""Judges the record by itself: nothing overlaps, every history adds up, reminders came when they should."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Entered, Hold, Rearranged, Record
from hub.scheduling.appointment import NO_SHOW_DELAY, REMINDER_LEAD, Appointment, fold
from hub.scheduling.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentMissed,
    AppointmentRescheduled,
    PatientReminded,
)
from hub.scheduling.schedule_record import Aggregate, fold_timetable
from hub.scheduling.values import APPOINTMENT_DURATION, rfc3339


def overlaps_of_doctors(record: Record) -> Iterator[Violation]:
    """Find appointments that held overlapping slots at the same point of their doctor's history."""
    for doctor_id, holds in record.holds_of_doctor.items():
        for earlier, later in _neighbours(holds):
            first, second = sorted((earlier, later), key=lambda hold: hold.taken.seq)
            if first.freed is None or first.freed.seq > second.taken.seq:
                yield Violation(
                    Promise.NO_OVERLAP,
                    "a slot had two winners",
                    f"doctor {doctor_id} at {rfc3339(second.start)}: {first.appointment.id} (seq {first.taken.seq}) "
                    f"and {second.appointment.id} (seq {second.taken.seq})",
                )


def overlaps_of_patients(record: Record, writing: timedelta) -> Iterator[Violation]:
    """Find overlapping appointments of a patient that stood together for longer than a decision takes to be written.

    Two actors decide these, each by its own history, so only the time can be compared; and an event bears the time of
    its decision, which may be before another actor's write that it had to wait for.
    """
    for patient_id, holds in record.holds_of_patient.items():
        for one, other in _neighbours(holds):
            began = max(one.taken.at, other.taken.at)
            ended = min(_freed(one, record.read_at), _freed(other, record.read_at))
            if (one.freed is None and other.freed is None) or ended - began > writing:
                yield Violation(
                    Promise.NO_OVERLAP,
                    "a patient had two appointments at once",
                    f"patient {patient_id} at {rfc3339(one.start)}: {one.appointment.id} and {other.appointment.id}",
                )


def hours(record: Record) -> Iterator[Violation]:
    """Find appointments that were put where the doctor did not work, by the hours that were in force then."""
    for doctor_id, holds in record.holds_of_doctor.items():
        schedule_record = record.schedule_records.get(doctor_id)
        for hold in holds:
            doctor = schedule_record.as_of(hold.taken.prev) if schedule_record else None
            if doctor and (doctor.disabled or not doctor.works_at(hold.start)):
                yield Violation(
                    Promise.NO_OVERLAP,
                    "an appointment was put outside the doctor's hours",
                    f"doctor {doctor_id} at {rfc3339(hold.start)}: {hold.appointment.id} (seq {hold.taken.seq})",
                )


def numbering(record: Record) -> Iterator[Violation]:
    """Find where a doctor's events are not numbered 1, 2, 3, …, each naming the one before."""
    for doctor_id, entered in record.by_doctor.items():
        last = 0
        for each in entered:
            event = each.event
            if event.seq == last:
                yield _misnumbered("a seq is there twice", doctor_id, each)
            elif event.seq != last + 1:
                yield _misnumbered("a seq is missing", doctor_id, each)
            elif event.prev != last:
                yield _misnumbered("prev is not the seq before", doctor_id, each)
            last = event.seq


def states(record: Record) -> Iterator[Violation]:
    """Find states that are not what their history gives: somebody wrote around the rules."""
    for appointment in record.appointments.values():
        try:
            told = fold(appointment.history)
        except ValueError as error:
            yield _unfounded(appointment, str(error))
        else:
            if told != appointment:
                names = ", ".join(_differences(appointment, told))
                yield _unfounded(appointment, f"differs in {names}")
    for schedule_record in record.schedule_records.values():
        if fold_timetable(schedule_record.hired, schedule_record.history) != schedule_record:
            yield _unfounded(schedule_record, "differs")


def deadlines(record: Record) -> Iterator[Violation]:
    """Find reminders that came twice for one start, early, late or for nothing; and no-shows that were none yet."""
    for appointment in record.appointments.values():
        start: datetime | None = None
        reminded = False
        for event in appointment.history:
            match event:
                case AppointmentBooked() | AppointmentRescheduled():
                    start, reminded = event.start, False
                case PatientReminded():
                    yield from _judge_reminder(appointment, event, start, reminded=reminded)
                    reminded = True
                case AppointmentMissed() if start is None or event.at < start + NO_SHOW_DELAY:
                    yield _wrong_time("taken for missed too early", appointment, event.at)
                case AppointmentCancelled() | AppointmentCompleted():
                    start = None
                case _:
                    pass


def _judge_reminder(
    appointment: Appointment, event: PatientReminded, start: datetime | None, *, reminded: bool
) -> Iterator[Violation]:
    if start is None:
        yield _wrong_time("reminded without an appointment to keep", appointment, event.at)
    elif reminded:
        yield _wrong_time("reminded twice", appointment, event.at)
    elif not start - REMINDER_LEAD <= event.at < start:
        yield _wrong_time("reminded too early or too late", appointment, event.at)


def _neighbours(holds: Sequence[Hold]) -> Iterator[tuple[Hold, Hold]]:
    """Go through the pairs of different appointments, in a list by start, that would overlap if held together."""
    for position, hold in enumerate(holds):
        for other in holds[position + 1 :]:
            if other.start >= hold.start + APPOINTMENT_DURATION:
                break
            if other.appointment.id != hold.appointment.id:
                yield hold, other


def _freed(hold: Hold, read_at: datetime) -> datetime:
    return hold.freed.at if hold.freed else read_at


def _misnumbered(what: str, doctor_id: str, entered: Entered | Rearranged) -> Violation:
    event = entered.event
    case = f"doctor {doctor_id}: seq {event.seq}, prev {event.prev} ({event.type}, {entered.where})"
    return Violation(Promise.TOLD_IN_ORDER, what, case)


def _unfounded(aggregate: Aggregate, why: str) -> Violation:
    return Violation(Promise.APPLIED_ONCE, "a state is not what its history gives", f"{aggregate.id}: {why}")


def _differences(stored: Appointment, told: Appointment) -> list[str]:
    return [name for name in Appointment.model_fields if getattr(stored, name) != getattr(told, name)]


def _wrong_time(what: str, appointment: Appointment, at: datetime) -> Violation:
    return Violation(Promise.REMINDED_ONCE, what, f"{appointment.id} at {rfc3339(at)}")
