"""Judges the record alone: no overlaps, states that match their histories, reminders and no-shows at the right time."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Occupancy, Record, RecordEntry
from hub.scheduling.aggregate import Aggregate
from hub.scheduling.apply import apply_all, as_of, replayed
from hub.scheduling.appointment import NO_SHOW_DELAY, REMINDER_LEAD, Appointment
from hub.scheduling.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentMissed,
    AppointmentRescheduled,
    OfferAccepted,
    OfferDeclined,
    OfferLapsed,
    PatientCalledIn,
    PatientCheckedIn,
    PatientJoined,
    PatientReminded,
    SlotOffered,
    VisitUndone,
)
from hub.scheduling.schedule_record import unchanged_schedule
from hub.scheduling.values import APPOINTMENT_DURATION, rfc3339


def overlaps_of_doctors(record: Record) -> Iterator[Violation]:
    """Find appointments that held overlapping slots at the same point in their doctor's history."""
    for doctor_id, occupancies in record.occupancies_by_doctor.items():
        for earlier, later in _neighbours(occupancies):
            first, second = sorted((earlier, later), key=lambda occupancy: occupancy.taken.seq)
            if first.freed is None or first.freed.seq > second.taken.seq:
                yield Violation(
                    Promise.NO_OVERLAP,
                    "two appointments held the same slot",
                    f"doctor {doctor_id} at {rfc3339(second.start)}: {first.appointment.id} (seq {first.taken.seq}) "
                    f"and {second.appointment.id} (seq {second.taken.seq})",
                )


def overlaps_of_patients(record: Record, writing: timedelta) -> Iterator[Violation]:
    """Find overlapping appointments of a patient that were both active for longer than `writing`.

    The actors of two doctors decide these, and their histories have no common order, so only times can be compared. An
    event has the time of its decision. That may be earlier than a write of the other actor for which it had to wait.
    """
    for patient_id, occupancies in record.occupancies_by_patient.items():
        for one, other in _neighbours(occupancies):
            began = max(one.taken.at, other.taken.at)
            ended = min(_freed(one, record.read_at), _freed(other, record.read_at))
            if (one.freed is None and other.freed is None) or ended - began > writing:
                yield Violation(
                    Promise.NO_OVERLAP,
                    "a patient had two appointments at once",
                    f"patient {patient_id} at {rfc3339(one.start)}: {one.appointment.id} and {other.appointment.id}",
                )


def hours(record: Record) -> Iterator[Violation]:
    """Find appointments outside the working hours that the doctor had when the slot was taken."""
    for doctor_id, occupancies in record.occupancies_by_doctor.items():
        schedule_record = record.schedule_records.get(doctor_id)
        for occupancy in occupancies:
            if isinstance(occupancy.taken, PatientCheckedIn | PatientJoined):
                continue  # the slot was taken by a booking before; the hours may have changed since
            schedule = as_of(schedule_record, occupancy.taken.prev).current if schedule_record else None
            if schedule and (schedule.disabled or not schedule.works_at(occupancy.start)):
                yield Violation(
                    Promise.NO_OVERLAP,
                    "an appointment was booked outside the doctor's hours",
                    f"doctor {doctor_id} at {rfc3339(occupancy.start)}: {occupancy.appointment.id} "
                    f"(seq {occupancy.taken.seq})",
                )


def numbering(record: Record) -> Iterator[Violation]:
    """Find events of a doctor that are not numbered 1, 2, 3, …, with the preceding number as `prev`."""
    for doctor_id, recorded in record.by_doctor.items():
        last = 0
        for each in recorded:
            event = each.event
            if event.seq == last:
                yield _misnumbered("a seq is used twice", doctor_id, each)
            elif event.seq != last + 1:
                yield _misnumbered("a seq is missing", doctor_id, each)
            elif event.prev != last:
                yield _misnumbered("prev is not the preceding seq", doctor_id, each)
            last = event.seq


def states(record: Record) -> Iterator[Violation]:
    """Find states that do not match their history, because a write bypassed the rules."""
    for appointment in record.appointments.values():
        try:
            expected = apply_all(None, appointment.history)
        except ValueError as error:
            yield _state_mismatch(appointment, str(error))
        else:
            # The place is given by the actor, and is in no event.
            expected = expected.model_copy(update={"place": appointment.place})
            if expected != appointment:
                names = ", ".join(_differences(appointment, expected))
                yield _state_mismatch(appointment, f"differs in {names}")
    for entry in record.entries.values():
        if replayed(entry) != entry:
            yield _state_mismatch(entry, "differs")
    for schedule_record in record.schedule_records.values():
        if apply_all(unchanged_schedule(schedule_record.initial), schedule_record.history) != schedule_record:
            yield _state_mismatch(schedule_record, "differs")


def deadlines(record: Record) -> Iterator[Violation]:  # noqa: C901  # one case an event
    """Find wrong reminders and no-shows.

    A reminder is wrong twice for one start, too early, too late, or without an active appointment. A no-show is wrong
    too early, or of a patient who has arrived.
    """
    for appointment in record.appointments.values():
        start: datetime | None = None
        offered: datetime | None = None
        reminded = False
        steps = 0  # of the visit: 1 the patient has arrived, 2 is in the room
        for event in appointment.history:
            match event:
                case SlotOffered():
                    offered = event.start
                case OfferAccepted():
                    start = offered
                case AppointmentBooked() | AppointmentRescheduled():
                    start, reminded = event.start, False
                case PatientReminded():
                    yield from _judge_reminder(appointment, event, start, reminded=reminded)
                    reminded = True
                case AppointmentMissed() if steps:
                    yield _wrong_time("a patient who had arrived was marked as no-show", appointment, event.at)
                case PatientCheckedIn() | PatientCalledIn():
                    steps += 1
                case VisitUndone():
                    steps -= 1
                case AppointmentMissed() if start is None or event.at < start + NO_SHOW_DELAY:
                    yield _wrong_time("marked as no-show too early", appointment, event.at)
                case AppointmentCancelled() | AppointmentCompleted() | OfferDeclined() | OfferLapsed():
                    start = None
                case _:
                    pass


def _judge_reminder(
    appointment: Appointment, event: PatientReminded, start: datetime | None, *, reminded: bool
) -> Iterator[Violation]:
    if start is None:
        yield _wrong_time("a reminder for an appointment that was not active", appointment, event.at)
    elif reminded:
        yield _wrong_time("a second reminder for the same start", appointment, event.at)
    elif not start - REMINDER_LEAD <= event.at < start:
        yield _wrong_time("a reminder too early or too late", appointment, event.at)


def _neighbours(occupancies: Sequence[Occupancy]) -> Iterator[tuple[Occupancy, Occupancy]]:
    """Return the pairs of different appointments whose slots overlap. The list must be sorted by start."""
    for position, occupancy in enumerate(occupancies):
        for other in occupancies[position + 1 :]:
            if other.start >= occupancy.start + APPOINTMENT_DURATION:
                break
            if other.appointment.id != occupancy.appointment.id:
                yield occupancy, other


def _freed(occupancy: Occupancy, read_at: datetime) -> datetime:
    return occupancy.freed.at if occupancy.freed else read_at


def _misnumbered(what: str, doctor_id: str, recorded: RecordEntry) -> Violation:
    event = recorded.event
    case = f"doctor {doctor_id}: seq {event.seq}, prev {event.prev} ({event.type}, {recorded.where})"
    return Violation(Promise.TOLD_IN_ORDER, what, case)


def _state_mismatch(aggregate: Aggregate, why: str) -> Violation:
    return Violation(Promise.APPLIED_ONCE, "a state does not match its history", f"{aggregate.id}: {why}")


def _differences(stored: Appointment, expected: Appointment) -> list[str]:
    return [name for name in Appointment.model_fields if getattr(stored, name) != getattr(expected, name)]


def _wrong_time(what: str, appointment: Appointment, at: datetime) -> Violation:
    return Violation(Promise.REMINDED_ONCE, what, f"{appointment.id} at {rfc3339(at)}")
