"""Judges the waitlist: offers go to the first who fits, once, end in time, and no free slot is left unoffered."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import AppointmentEntry, LineEntry, Record, patient_at
from hub.scheduling.apply import as_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import OfferAccepted, OfferDeclined, OfferLapsed, SlotOffered
from hub.scheduling.line import Line, OfferPolicy, candidates, offer_of
from hub.scheduling.schedule import Schedule, zone
from hub.scheduling.values import Status, rfc3339
from hub.scheduling.waitlist_entry import WaitlistEntry
from hub.scheduling.waitlist_events import WaitlistJoined, WaitlistPatientJoined


def offers(  # noqa: C901  # one case an event
    record: Record, writing: timedelta
) -> Iterator[Violation]:
    """Find offers that break a rule.

    An offer goes to the first in the line whom the slot suits and who is free; to nobody twice; to nobody who has
    another one. It is not accepted after its end. Only times can be compared with what other doctors' actors decide, so
    who was busy or asked within `writing` may have been passed over.
    """
    for doctor_id, recorded in record.by_doctor.items():
        line: dict[str, str] = {}
        had: set[tuple[str, datetime]] = set()
        open_: dict[str, str] = {}
        for each in recorded:
            if isinstance(each, LineEntry):
                _move_line(line, each)
            elif isinstance(each, AppointmentEntry) and isinstance(each.event, SlotOffered):
                event = each.event
                if (event.patient_id, event.start) in had:
                    yield _about("a patient was offered the same slot twice", each.appointment, event.at)
                if event.entry_id not in line:
                    yield _about("a slot was offered to somebody who did not wait", each.appointment, event.at)
                elif not event.out_of_turn:
                    waiting = [id_ for id_ in line if line[id_] not in open_.values()]
                    yield from _out_of_turn(record, doctor_id, each.appointment, event, waiting, had, writing)
                had.add((event.patient_id, event.start))
                open_[each.appointment.id] = event.patient_id
            elif isinstance(each, AppointmentEntry) and each.appointment.id in open_:
                if isinstance(each.event, OfferAccepted | OfferDeclined | OfferLapsed):
                    del open_[each.appointment.id]
                elif each.event.type == "patient_joined":
                    open_[each.appointment.id] = patient_at(each.appointment, each.event.seq)
                until = _until(each.appointment)
                if isinstance(each.event, OfferAccepted) and until is not None and each.event.at >= until:
                    yield _about("an offer was accepted after its end", each.appointment, each.event.at)
    yield from _two_at_once(record, writing)


def lapses(record: Record, late: timedelta) -> Iterator[Violation]:
    """Find offers that were still open longer than `late` after their end."""
    for appointment in record.appointments.values():
        until = _until(appointment)
        if until is None:
            continue
        answer = appointment.history[1].at if len(appointment.history) > 1 else record.read_at
        if appointment.history[1:2] and appointment.history[1].type == "patient_joined":
            continue
        if answer - until > late:
            yield _about("the end of an offer was lost", appointment, until)


def unoffered(record: Record, policy: OfferPolicy, late: timedelta) -> Iterator[Violation]:
    """Find free slots that suit somebody who waits and is free, and that nobody was offered for longer than `late`.

    It looks at the record as it was read, and leaves out whose patient or doctor had an event within `late`.
    """
    now = record.read_at
    quiet = {id_ for id_, recorded in record.by_doctor.items() if recorded and now - recorded[-1].event.at > late}
    stirred = {
        patient_at(each.appointment, each.event.seq)
        for recorded in record.by_doctor.values()
        for each in recorded
        if isinstance(each, AppointmentEntry) and now - each.event.at <= late
    }
    asked = {each.patient_id for each in record.appointments.values() if each.status is Status.OFFERED}
    for doctor_id in quiet:
        schedule = record.doctors.get(doctor_id)
        waiting = [each for each in record.entries.values() if each.doctor_id == doctor_id and each.waiting]
        if schedule is None or not waiting or not _may_text(policy, schedule, now, late):
            continue
        line = _line(record, doctor_id, policy, waiting).without((), asked | stirred)
        taken = {each.start for each in record.occupancies_by_doctor.get(doctor_id, ()) if each.freed is None}
        for found in candidates(schedule, line, taken, now + late):
            if not _is_busy(record, found.entry.patient_id, found.start, now, now):
                case = f"doctor {doctor_id} at {rfc3339(found.start)}: entry {found.entry.id}"
                yield Violation(Promise.WAITLIST, "a free slot was not offered", case)
                break


def _may_text(policy: OfferPolicy, schedule: Schedule, now: datetime, late: timedelta) -> bool:
    return policy.may_text(schedule, now) and policy.may_text(schedule, now - late)


def _line(record: Record, doctor_id: str, policy: OfferPolicy, waiting: Sequence[WaitlistEntry]) -> Line:
    own = [each for each in record.appointments.values() if each.doctor_id == doctor_id]
    made = [offer for each in own if (offer := offer_of(each))]
    return Line(policy, {each.id: each for each in waiting}, {each.appointment_id: each for each in made})


def _move_line(line: dict[str, str], recorded: LineEntry) -> None:
    """Bring the line, entries to patients in its order, to the state after an event."""
    match recorded.event:
        case WaitlistJoined(patient_id=patient_id) | WaitlistPatientJoined(patient_id=patient_id):
            line[recorded.entry.id] = patient_id
        case _:
            line.pop(recorded.entry.id, None)


def _out_of_turn(  # noqa: PLR0913, PLR0917  # all that was known then
    record: Record,
    doctor_id: str,
    offer: Appointment,
    event: SlotOffered,
    line: Sequence[str],
    had: set[tuple[str, datetime]],
    writing: timedelta,
) -> Iterator[Violation]:
    schedule_record = record.schedule_records.get(doctor_id)
    if schedule_record is None:
        return
    local = event.start.astimezone(zone(schedule_record.initial.zone))
    for entry_id in line:
        if entry_id == event.entry_id:
            return
        entry = as_of(record.entries[entry_id], event.prev)
        patient_id = entry.patient_id
        since, until = event.at - writing, event.at + writing
        passed_over = (
            not entry.wish.fits(local)
            or (patient_id, event.start) in had
            or _has_accepted(record, entry_id, event)
            or _is_busy(record, patient_id, event.start, since, until)
            or _was_asked(record, patient_id, since, until)
        )
        if not passed_over:
            yield _about(f"an offer went past entry {entry_id}, which was before", offer, event.at)
            return


def _has_accepted(record: Record, entry_id: str, before: SlotOffered) -> bool:
    """Return whether the entry had done its work, although it was not closed yet."""
    return any(
        isinstance(event, OfferAccepted) and event.seq < before.seq
        for each in record.appointments.values()
        if each.entry_id == entry_id
        for event in each.history
    )


def _is_busy(record: Record, patient_id: str, start: datetime, since: datetime, until: datetime) -> bool:
    return any(
        each.overlaps(start) and each.during(since, until) for each in record.occupancies_by_patient.get(patient_id, ())
    )


def _was_asked(record: Record, patient_id: str, since: datetime, until: datetime) -> bool:
    return any(began <= until and ended >= since for _, began, ended in _open_times(record, patient_id))


def _two_at_once(record: Record, writing: timedelta) -> Iterator[Violation]:
    patients = {each.patient_id for each in record.appointments.values() if each.entry_id is not None}
    for patient_id in patients:
        times = sorted(_open_times(record, patient_id), key=lambda each: each[1])
        for (_, _, ended), (offer, began, until) in pairwise(times):
            if min(ended, until) - began > writing:
                yield _about("a patient had two offers at once", offer, began)


def _open_times(record: Record, patient_id: str) -> list[tuple[Appointment, datetime, datetime]]:
    """Return the offers of a patient, each with the times between which it was open."""
    found = []
    for each in record.appointments.values():
        if each.entry_id is None or each.patient_id != patient_id:
            continue
        answers = (one.at for one in each.history if isinstance(one, OfferAccepted | OfferDeclined | OfferLapsed))
        found.append((each, each.history[0].at, next(answers, record.read_at)))
    return found


def _until(appointment: Appointment) -> datetime | None:
    first = appointment.history[0]
    return first.until if isinstance(first, SlotOffered) else None


def _about(what: str, offer: Appointment, at: datetime) -> Violation:
    case = f"offer {offer.id} of doctor {offer.doctor_id} to {offer.patient_id} at {rfc3339(at)}"
    return Violation(Promise.WAITLIST, what, case)
