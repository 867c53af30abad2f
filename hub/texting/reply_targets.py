"""Decides which appointment a patient's 1 or 2 is about."""

from collections.abc import Iterable, Mapping, Sequence

from hub.scheduling.appointment import Appointment
from hub.scheduling.values import Status
from hub.texting.inbound_text import InboundText
from hub.texting.text import AccountTextKind, Text, TextKind, TextStatus

_ANSWERABLE: frozenset[TextKind | AccountTextKind] = frozenset({"booked", "reminder", "rescheduled", "offer"})
_OVER = frozenset({Status.CANCELLED, Status.LAPSED})
_NOT_SENT = frozenset({TextStatus.PLANNED, TextStatus.SKIPPED, TextStatus.RECORDED})


def answerable_texts(texts: Iterable[Text], appointments: Mapping[str, Appointment], phone: str) -> dict[str, Text]:
    """Return the latest text to the phone about each appointment, by appointment, the latest text first.

    `texts` are sorted, the latest first. A text counts if it was sent and names the time that the appointment still
    has.
    """
    latest: dict[str, Text] = {}
    for text in texts:
        appointment = appointments.get(text.appointment_id or "")
        sent = text.status not in _NOT_SENT and text.kind in _ANSWERABLE and text.phone == phone
        if sent and text.line == "patient" and appointment and text.start == appointment.start:
            latest.setdefault(appointment.id, text)
    return latest


def reply_targets(
    texts: Mapping[str, Text], appointments: Mapping[str, Appointment], replies: Sequence[InboundText]
) -> list[Appointment]:
    """Return the active appointments and open offers in the order in which the patient's next replies are about them.

    1. The appointment of the latest text, if the patient has not replied about it.
    2. Those with a reminder or an offer that is not replied to: these ask for a reply. The latest comes first.
    3. Those that the patient has replied about, the last reply first: a 2 after a 1 is about the same appointment.
    4. The others: the latest text first.

    `texts` is a result of `answerable_texts`. `replies` are the patient's replies, the latest first.
    """
    active = [appointments[each] for each in texts if appointments[each].holds_slot]
    replied = {each.id: at for each in active if (at := _last_reply(texts[each.id], replies)) is not None}
    newest = active[0].id if active and active[0].id not in replied else None

    def rank(appointment: Appointment) -> tuple[int, int]:
        if appointment.id == newest:
            return 0, 0
        if appointment.id in replied:
            return 2, replied[appointment.id]
        return (1 if texts[appointment.id].kind in {"reminder", "offer"} else 3), 0

    return sorted(active, key=rank)  # stable: among equals the latest text comes first


def last_cancelled(
    texts: Mapping[str, Text], appointments: Mapping[str, Appointment], replies: Sequence[InboundText]
) -> Appointment | None:
    """Return the cancelled appointment, or the offer that is over, of the last reply, else that of the latest text."""
    replied = [reply.about for reply in replies if reply.about in texts]
    cancelled = (appointments[each] for each in (*replied, *texts) if each and appointments[each].status in _OVER)
    return next(cancelled, None)


def _last_reply(text: Text, replies: Sequence[InboundText]) -> int | None:
    """Return the position of the last reply about the text's appointment, if it came after the text."""
    return next(
        (
            position
            for position, reply in enumerate(replies)
            if reply.about == text.appointment_id and reply.decided and reply.received_at >= text.created_at
        ),
        None,
    )
