"""Judges texts: every reminder and every offer in the record was sent once, and none after it had become useless."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import AppointmentEntry, Occupancy, Record, occupancies_of, patient_at
from hub.scheduling.events import OfferAccepted, OfferDeclined, OfferLapsed, PatientJoined, SlotOffered
from hub.scheduling.values import rfc3339
from hub.texting.text import UNSETTLED, Text, TextStatus, text_id

_OBSOLETE = frozenset({"cancelled", "moved", "over", "arrived", "erased"})
"""Reasons for skipping a text that is no longer useful."""


@dataclass(frozen=True)
class AcceptedText:
    """A text that the carrier accepted from the hub: the hub's id of it, and the time by the hub's clock."""

    text_id: str
    at: datetime


@dataclass(frozen=True)
class TextEvidence:
    """The texts in the outbox, the texts that the carrier accepted, and the limits of what can be judged.

    A reminder has to be delivered if it came due before `settled`. A text with an unknown result counts as lost only
    if it has not changed since `given_up`. `in_transit`: how long a text may take from the last look at its appointment
    to the carrier.
    """

    texts: Mapping[str, Text]
    accepted: Collection[AcceptedText]
    settled: datetime
    given_up: datetime
    in_transit: timedelta


def reminders(record: Record) -> list[AppointmentEntry]:
    """Return the events that each require a reminder text."""
    return [each for recorded in record.by_doctor.values() for each in recorded if each.event.type == "reminded"]


def offers(record: Record) -> list[AppointmentEntry]:
    """Return the offers that each require a text; others must not have one."""
    return [
        each
        for recorded in record.by_doctor.values()
        for each in recorded
        if isinstance(each, AppointmentEntry) and isinstance(each.event, SlotOffered) and not each.event.without_text
    ]


def unresolved(evidence: TextEvidence) -> list[Text]:
    """Return the texts of which it is unknown whether they were sent."""
    accepted = {each.text_id for each in evidence.accepted}
    return [text for text in evidence.texts.values() if text.status in UNSETTLED and text.id not in accepted]


def undelivered(record: Record, evidence: TextEvidence) -> Iterator[Violation]:
    """Find reminders and offers in the record that were useful and were not delivered."""
    accepted = {each.text_id for each in evidence.accepted}
    for each in (*reminders(record), *offers(record)):
        text = evidence.texts.get(_text_id(each))
        if _text_id(each) in accepted or each.event.at >= evidence.settled or each.appointment.erased:
            continue
        if text is None:
            yield _about(f"{_name(each)} was not put into the outbox", each)
        elif not _excused(text, evidence):
            yield _about(f"{_name(each)} was not delivered: {text.status} {text.reason or ''}".strip(), each)


def duplicates(record: Record, evidence: TextEvidence) -> Iterator[Violation]:
    """Find texts that were delivered twice, and texts without a reason in the record."""
    known = {_text_id(each): each for each in (*reminders(record), *offers(record))}
    times: dict[str, int] = defaultdict(int)
    for accepted in evidence.accepted:
        times[accepted.text_id] += 1
        text = evidence.texts.get(accepted.text_id)
        if text is None or (text.kind in {"reminder", "offer"} and accepted.text_id not in known):
            case = f"text {accepted.text_id} at {rfc3339(accepted.at)}"
            yield Violation(Promise.REMINDED_ONCE, "a text was delivered without a reason in the record", case)
    for id_, count in times.items():
        if count > 1 and (text := evidence.texts.get(id_)):
            name = _name(known[id_]) if id_ in known else "a text"
            promise = Promise.WAITLIST if text.kind == "offer" else Promise.REMINDED_ONCE
            yield Violation(
                promise, f"{name} was delivered twice", f"{text.kind} of {text.appointment_id}: {count} times"
            )


def too_late(record: Record, evidence: TextEvidence) -> Iterator[Violation]:
    """Find reminders that were delivered after the start, or after the appointment was cancelled or moved."""
    first = {each.text_id: each.at for each in sorted(evidence.accepted, key=lambda each: each.at)}
    for each in reminders(record):
        at = first.get(_text_id(each))
        occupancy = _occupancy_at(each)
        if at is None or occupancy is None:
            continue
        freed = None if isinstance(occupancy.freed, PatientJoined) else occupancy.freed  # it was told as it is
        if at >= occupancy.start:
            yield _about("a reminder was delivered after the start", each)
        elif freed and at > freed.at + evidence.in_transit:
            yield _about("a reminder was delivered after the appointment was cancelled or moved", each)
    for each in offers(record):
        at = first.get(_text_id(each))
        if at is not None and at > _end_of_offer(each) + evidence.in_transit:
            yield _about("an offer was delivered after its end", each)


def after_erasure(erased: Mapping[str, datetime], evidence: TextEvidence) -> Iterator[Violation]:
    """Find texts that were delivered to patients after they were `erased`, by the time at which that was finished."""
    for each in evidence.accepted:
        text = evidence.texts.get(each.text_id)
        at = erased.get(text.user_id) if text else None
        if text and at is not None and each.at > at + evidence.in_transit:
            case = f"{text.kind} to {text.user_id} at {rfc3339(each.at)}"
            yield Violation(Promise.REMINDED_ONCE, "a text was delivered after its recipient was erased", case)


def _excused(text: Text, evidence: TextEvidence) -> bool:
    """Whether a missing text breaks no promise: it became useless, or the hub is still finding out its result."""
    if text.status is TextStatus.SKIPPED:
        # An offer is short: its time may be over before a worker that was killed has a successor.
        return text.reason in _OBSOLETE or (text.kind == "offer" and text.reason == "too_late")
    return text.status in UNSETTLED and text.updated_at >= evidence.given_up


def _occupancy_at(each: AppointmentEntry) -> Occupancy | None:
    """Return the slot that the appointment held when the reminder came due."""
    earlier = [occupancy for occupancy in occupancies_of(each.appointment) if occupancy.taken.seq < each.event.seq]
    return earlier[-1] if earlier else None


def _end_of_offer(each: AppointmentEntry) -> datetime:
    """Return when the offer was answered or lapsed, at the latest when its time was over."""
    until = each.event.until if isinstance(each.event, SlotOffered) else each.event.at
    ends = (one.at for one in each.appointment.history if isinstance(one, OfferAccepted | OfferDeclined | OfferLapsed))
    return min(until, next(ends, until))


def _name(each: AppointmentEntry) -> str:
    return "an offer" if isinstance(each.event, SlotOffered) else "a reminder"


def _text_id(each: AppointmentEntry) -> str:
    patient_id = patient_at(each.appointment, each.event.seq)
    return text_id(each.appointment.doctor_id, each.event.seq, patient_id)


def _about(what: str, each: AppointmentEntry) -> Violation:
    case = f"{each.appointment.id}, seq {each.event.seq} at {rfc3339(each.event.at)}"
    promise = Promise.WAITLIST if isinstance(each.event, SlotOffered) else Promise.REMINDED_ONCE
    return Violation(promise, what, case)
