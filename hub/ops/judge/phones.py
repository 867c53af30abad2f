"""Judges what reached the phones: every reminder of the record once, and none after cancellation or start."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Entered, Hold, Record, holds_of
from hub.scheduling.values import rfc3339
from hub.texting.text import UNSETTLED, Text, TextStatus, text_id

_NO_USE_ANY_MORE = frozenset({"cancelled", "moved", "over"})


@dataclass(frozen=True)
class Arrival:
    """A text that the carrier took from the hub: the hub's own id of it, and when, by the hub's clock."""

    text_id: str
    at: datetime


@dataclass(frozen=True)
class Post:
    """What became of the texts: the outbox, what was taken, and the times that say what was owed.

    Owed are reminders of before `settled`; one of unknown fate only if nothing has become of it since `given_up`.
    `under_way`: how long a text may be on its way after its appointment was looked at for the last time.
    """

    texts: Mapping[str, Text]
    arrived: Collection[Arrival]
    settled: datetime
    given_up: datetime
    under_way: timedelta


def reminders(record: Record) -> list[Entered]:
    """Return the events that each ask for a reminder."""
    return [each for entered in record.by_doctor.values() for each in entered if each.event.type == "reminded"]


def in_the_dark(post: Post) -> list[Text]:
    """Return the texts of which nobody knows whether they went out."""
    arrived = {each.text_id for each in post.arrived}
    return [text for text in post.texts.values() if text.status in UNSETTLED and text.id not in arrived]


def undelivered(record: Record, post: Post) -> Iterator[Violation]:
    """Find reminders of the record that reached no phone, and were of use."""
    arrived = {each.text_id for each in post.arrived}
    for each in reminders(record):
        text = post.texts.get(_id_of(each))
        if _id_of(each) in arrived or each.event.at >= post.settled:
            continue
        if text is None:
            yield _about("a reminder was not put into the outbox", each)
        elif not _excused(text, post):
            yield _about(f"a reminder reached no phone: {text.status} {text.reason or ''}".strip(), each)


def repeated(record: Record, post: Post) -> Iterator[Violation]:
    """Find texts that reached their phone twice, or about which the record knows nothing."""
    known = {_id_of(each): each for each in reminders(record)}
    times: dict[str, int] = defaultdict(int)
    for arrival in post.arrived:
        times[arrival.text_id] += 1
        text = post.texts.get(arrival.text_id)
        if text is None or (text.kind == "reminder" and arrival.text_id not in known):
            case = f"text {arrival.text_id} at {rfc3339(arrival.at)}"
            yield Violation(Promise.REMINDED_ONCE, "a text reached a phone for which there was no reason", case)
    for id_, count in times.items():
        if count > 1 and (text := post.texts.get(id_)):
            what = "a reminder reached its phone twice" if id_ in known else "a text reached its phone twice"
            yield Violation(Promise.REMINDED_ONCE, what, f"{text.kind} of {text.appointment_id}: {count} times")


def misplaced(record: Record, post: Post) -> Iterator[Violation]:
    """Find reminders that reached a phone after the start, or after the appointment was given up or moved."""
    first = {arrival.text_id: arrival.at for arrival in sorted(post.arrived, key=lambda each: each.at)}
    for each in reminders(record):
        at = first.get(_id_of(each))
        hold = _reminded_of(each)
        if at is None or hold is None:
            continue
        if at >= hold.start:
            yield _about("a reminder reached its phone after the start", each)
        elif hold.freed and at > hold.freed.at + post.under_way:
            yield _about("a reminder reached its phone after the appointment was given up", each)


def _excused(text: Text, post: Post) -> bool:
    """Whether a text may rightly not have arrived: of no use any more, or its fate is still being found out."""
    if text.status is TextStatus.SKIPPED:
        return text.reason in _NO_USE_ANY_MORE
    return text.status in UNSETTLED and text.updated_at >= post.given_up


def _reminded_of(each: Entered) -> Hold | None:
    """Return what was held when the reminder came due."""
    held = [hold for hold in holds_of(each.appointment) if hold.taken.seq < each.event.seq]
    return held[-1] if held else None


def _id_of(each: Entered) -> str:
    return text_id(each.appointment.doctor_id, each.event.seq, each.appointment.patient_id)


def _about(what: str, each: Entered) -> Violation:
    case = f"{each.appointment.id}, seq {each.event.seq} at {rfc3339(each.event.at)}"
    return Violation(Promise.REMINDED_ONCE, what, case)
