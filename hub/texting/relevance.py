"""Whether a text is still worth sending, as its appointment stands right before the POST."""

from datetime import datetime

from hub.scheduling.appointment import Appointment
from hub.scheduling.events import AppointmentCancelled, AppointmentCompleted, AppointmentMissed, AppointmentRescheduled
from hub.texting.text import SkipReason, Text


def skip_reason(text: Text, appointment: Appointment | None, now: datetime) -> SkipReason | None:
    """Return why a text is not sent any more, or None when what it says still holds.

    `appointment` is what the record holds now. Only what came after the text's own event counts: an appointment that
    was moved away and back is told of by the text about the last move, and by no other.
    """
    if appointment is None:
        return "unknown_appointment"
    if now >= text.useless_after:
        return "too_late"
    for event in appointment.history:
        if event.seq <= text.seq:
            continue
        match event:
            case AppointmentCancelled():
                return "cancelled"
            case AppointmentRescheduled():
                return "moved"
            case AppointmentCompleted() | AppointmentMissed():
                return "over"
            case _:
                continue
    return None
