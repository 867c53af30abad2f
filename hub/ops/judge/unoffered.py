"""Judges what was not offered: no free slot is left for long while somebody waits for it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Record, patient_at
from hub.ops.judge.tolerance import Stretch, Tolerance
from hub.scheduling.apply import as_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import OfferAccepted, OfferDeclined, OfferLapsed
from hub.scheduling.line import Candidate, Line, Offer, candidates
from hub.scheduling.schedule import Schedule
from hub.scheduling.values import HORIZON, Status, rfc3339
from hub.scheduling.waitlist_entry import WaitlistEntry


def unoffered(record: Record, tolerance: Tolerance, since: datetime) -> Iterator[Violation]:
    """Find free slots that suit somebody who waits and is free, and that nobody was offered for too long.

    It looks at moments from `since` to the end, `tolerance.offering` apart: what was free for twice as long is found.
    It names each slot of a doctor once.
    """
    end = tolerance.stopped or record.read_at
    step = tolerance.offering
    named: set[tuple[str, datetime]] = set()
    for doctor_id in {each.doctor_id for each in record.entries.values()}:
        moment = end
        while moment - step >= since:
            stretch = (moment - step, moment)
            moment -= step
            if _is_disturbed(tolerance, stretch):
                continue
            found = next(_neglected(record, doctor_id, tolerance, stretch), None)
            if found and (doctor_id, found.start) not in named:
                named.add((doctor_id, found.start))
                case = (
                    f"doctor {doctor_id}, {rfc3339(found.start)}, from {rfc3339(stretch[0])} to {rfc3339(stretch[1])}:"
                    f" entry {found.entry.id}"
                )
                yield Violation(Promise.WAITLIST, "a free slot was not offered", case)


def idle(record: Record, tolerance: Tolerance) -> Iterator[Violation]:
    """Find the same at the last moment alone: what the hub has still to offer."""
    end = tolerance.stopped or record.read_at
    exact = replace(tolerance, writing=timedelta(0))
    for doctor_id in {each.doctor_id for each in record.entries.values()}:
        if found := next(_neglected(record, doctor_id, exact, (end, end)), None):
            case = f"doctor {doctor_id}, {rfc3339(found.start)}: entry {found.entry.id}"
            yield Violation(Promise.WAITLIST, "a free slot was not offered", case)


def _is_disturbed(tolerance: Tolerance, stretch: Stretch) -> bool:
    return any(began <= stretch[1] and ended >= stretch[0] for began, ended in tolerance.disturbed)


def _neglected(record: Record, doctor_id: str, tolerance: Tolerance, stretch: Stretch) -> Iterator[Candidate]:
    """Yield pairs of a slot and an entry that could have been offered at every moment of this time, and were not."""
    began, ended = stretch
    policy = tolerance.offers
    schedules = record.doctors_between(doctor_id, began, ended, tolerance.writing)
    if len(schedules) != 1 or not (policy.may_text(schedules[0], began) and policy.may_text(schedules[0], ended)):
        return
    schedule = schedules[0]
    line = _line(record, doctor_id, tolerance, stretch)
    if line.entries:
        yield from _free_all_the_time(record, schedule, line, stretch, tolerance.writing)


def _free_all_the_time(
    record: Record, schedule: Schedule, line: Line, stretch: Stretch, writing: timedelta
) -> Iterator[Candidate]:
    began, ended = stretch
    taken = {
        each.start for each in record.occupancies_by_doctor.get(schedule.id, ()) if each.during(began - writing, ended)
    }
    for found in candidates(schedule, line, taken, ended):
        theirs = record.occupancies_by_patient.get(found.entry.patient_id, ())
        is_busy = any(each.overlaps(found.start) and each.during(began - writing, ended) for each in theirs)
        if found.start <= began + HORIZON and not is_busy:
            yield found


def _line(record: Record, doctor_id: str, tolerance: Tolerance, stretch: Stretch) -> Line:
    """Return who was in the line all the time, and what each had been offered before the end of it."""
    began, ended = stretch
    entries = [
        waiting
        for each in record.entries.values()
        if each.doctor_id == doctor_id and (waiting := _waiting_all_the_time(each, began, ended))
    ]
    offers = [
        offer
        for each in record.appointments.values()
        if each.doctor_id == doctor_id and (offer := _offer_until(each, ended))
    ]
    line = Line(tolerance.offers, {each.id: each for each in entries}, {each.appointment_id: each for each in offers})
    patients = {each.patient_id for each in entries}
    asked = {each for each in patients if _was_asked(record, each, began - tolerance.writing, ended)}
    return line.without((), asked)


def _waiting_all_the_time(entry: WaitlistEntry, began: datetime, ended: datetime) -> WaitlistEntry | None:
    """Return the entry as it was in this time; None if it had not been joined before, was changed, or had ended."""
    if not entry.waiting and entry.last.at < began:
        return None
    before = [event for event in entry.history if event.at < began]
    if not before or any(began <= event.at <= ended for event in entry.history):
        return None
    then = as_of(entry, before[-1].seq)
    return then if then.waiting else None


def _offer_until(appointment: Appointment, ended: datetime) -> Offer | None:
    """Return what was offered with this appointment until a moment, None if nothing was."""
    if appointment.entry_id is None:
        return None
    before = [event for event in appointment.history if event.at <= ended]
    if not before:
        return None
    accepted = any(isinstance(event, OfferAccepted) for event in before)
    over = any(isinstance(event, OfferDeclined | OfferLapsed) for event in before)
    start = getattr(before[0], "start", appointment.start)
    return Offer(
        appointment_id=appointment.id,
        entry_id=appointment.entry_id,
        patient_id=patient_at(appointment, before[-1].seq),
        offered_start=start,
        start=start,
        status=Status.SCHEDULED if accepted else Status.LAPSED if over else Status.OFFERED,
    )


def _was_asked(record: Record, patient_id: str, since: datetime, until: datetime) -> bool:
    return any(began <= until and ended >= since for _, began, ended in record.offers_of(patient_id))
