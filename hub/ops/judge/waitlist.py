"""Judges the offers of the waitlist: they go to the first who fits, once, and end in time."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import AppointmentEntry, LineEntry, Record
from hub.scheduling.apply import as_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import OfferAccepted, OfferDeclined, OfferLapsed, PatientJoined, SlotOffered
from hub.scheduling.line import OfferPolicy
from hub.scheduling.schedule import zone
from hub.scheduling.values import Role, rfc3339
from hub.scheduling.waitlist_events import WaitlistJoined, WaitlistPatientJoined


def offers(  # noqa: C901  # one case an event
    record: Record, writing: timedelta
) -> Iterator[Violation]:
    """Find offers that break a rule.

    An offer goes to the first in the line whom the slot suits and who is free; to nobody twice; to nobody who has
    another one. It is not accepted after its end. Only times can be compared with what other doctors' actors decide, so
    who was busy or asked within `writing` may have been passed over. An offer without a text goes to the first who is
    connected, and nobody knows afterwards who was.
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
                elif not (event.out_of_turn or event.without_text):
                    waiting = [id_ for id_ in line if line[id_] not in open_.values()]
                    yield from _out_of_turn(record, doctor_id, each.appointment, event, waiting, had, writing)
                had.add((event.patient_id, event.start))
                open_[each.appointment.id] = event.patient_id
            elif isinstance(each, AppointmentEntry) and isinstance(each.appointment.history[0], SlotOffered):
                offered = each.appointment.history[0]
                if isinstance(each.event, PatientJoined):
                    had.add((each.event.patient_id, offered.start))
                    if each.appointment.id in open_:
                        open_[each.appointment.id] = each.event.patient_id
                if isinstance(each.event, OfferAccepted | OfferDeclined | OfferLapsed):
                    open_.pop(each.appointment.id, None)
                if isinstance(each.event, OfferAccepted) and each.event.at >= offered.until:
                    yield _about("an offer was accepted after its end", each.appointment, each.event.at)
    yield from _two_at_once(record, writing)


def lapses(record: Record, late: timedelta, since: datetime, stopped: datetime | None = None) -> Iterator[Violation]:
    """Find offers that were still open longer than `late` after their end, if that is after `since`.

    `stopped`: when the agents were stopped; None if they run.
    """
    for patient_id in {each.patient_id for each in record.appointments.values() if each.entry_id is not None}:
        for offer, _, ended in record.offers_of(patient_id):
            until = _until(offer)
            if until is not None and until >= since and min(ended, stopped or ended) - until > late:
                yield _about("the end of an offer was lost", offer, until)


def rules(record: Record, policy: OfferPolicy, since: datetime) -> Iterator[Violation]:
    """Find offers since then that stand for too long, and those of the hub that are too near or made at night.

    At night only a connected patient is offered something, without a text. The offer says so; that the patient was
    connected is known to nobody afterwards.
    """
    for appointment in record.appointments.values():
        event = appointment.history[0]
        schedule_record = record.schedule_records.get(appointment.doctor_id)
        if not isinstance(event, SlotOffered) or schedule_record is None or event.at < since:
            continue
        if event.until > policy.until(event.start, event.at):
            yield _about("an offer stands for too long", appointment, event.at)
        if event.out_of_turn:
            if event.by.role is Role.SYSTEM:
                yield _about("an offer out of turn was not made by the clinic", appointment, event.at)
            continue
        if event.start - event.at < policy.lead:
            yield _about("a slot was offered that is too near", appointment, event.at)
        if event.without_text is policy.may_text(schedule_record.initial, event.at):
            what = "without a text in the hours for texts" if event.without_text else "outside the hours for texts"
            yield _about(f"an offer was made {what}", appointment, event.at)


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
            yield _about("an offer went past an entry that was before", offer, event.at, f"entry {entry_id}")
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
    return any(began <= until and ended >= since for _, began, ended in record.offers_of(patient_id))


def _two_at_once(record: Record, writing: timedelta) -> Iterator[Violation]:
    patients = {each.patient_id for each in record.appointments.values() if each.entry_id is not None}
    for patient_id in patients:
        times = sorted(record.offers_of(patient_id), key=lambda each: each[1])
        for (_, _, ended), (offer, began, until) in pairwise(times):
            if min(ended, until) - began > writing:
                yield _about("a patient had two offers at once", offer, began)


def _until(appointment: Appointment) -> datetime | None:
    first = appointment.history[0]
    return first.until if isinstance(first, SlotOffered) else None


def _about(what: str, offer: Appointment, at: datetime, more: str = "") -> Violation:
    case = f"offer {offer.id} of doctor {offer.doctor_id} to {offer.patient_id} at {rfc3339(at)}"
    return Violation(Promise.WAITLIST, what, f"{case}, {more}" if more else case)
