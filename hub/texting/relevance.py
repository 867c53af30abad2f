"""Decides, right before the POST to Twilio, whether a text is still true."""

from datetime import datetime

from hub.scheduling.appointment import Appointment
from hub.scheduling.events import (
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentMissed,
    AppointmentRescheduled,
    Event,
    OfferAccepted,
    OfferDeclined,
    OfferLapsed,
)
from hub.texting.text import SkipReason, Text


def skip_reason(text: Text, appointment: Appointment | None, now: datetime) -> SkipReason | None:
    """Return why the text must not be sent any more, or None if it is still true.

    `appointment` is the current state in the record. Only events after the text's own event count. So if an appointment
    was moved and moved back, only the text about the last move is sent. A patient who is at the clinic needs no text.
    """
    if text.appointment_id is None:
        return "too_late" if now >= text.useless_after else None
    if appointment is None:
        return "unknown_appointment"
    if now >= text.useless_after:
        return "too_late"
    if text.line == "patient" and appointment.visit is not None:
        return "arrived"
    later = (_outdated_by(event, text) for event in appointment.history if event.seq > text.seq)
    return next((reason for reason in later if reason is not None), None)


def _outdated_by(event: Event, text: Text) -> SkipReason | None:
    match event:
        case AppointmentCancelled():
            return "cancelled"
        case AppointmentRescheduled():
            return "moved"
        case AppointmentCompleted() | AppointmentMissed() | OfferDeclined() | OfferLapsed():
            return "over"
        case OfferAccepted() if text.kind == "offer":
            return "over"
        case _:
            return None
