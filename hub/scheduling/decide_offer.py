"""The decision about an offer: accepted, declined, or over."""

from datetime import datetime
from typing import assert_never

from hub.scheduling.appointment import Appointment
from hub.scheduling.decision import RefusalCode, Refused, header
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.events import OfferAccepted, OfferDeclined, OfferEvent, OfferLapsed
from hub.scheduling.requirements import require_status
from hub.scheduling.values import Status
from hub.scheduling.waitlist_commands import AcceptOffer, DeclineOffer, LapseOffer, OfferChange


def refuse_offer_change(
    state: DoctorState, command: OfferChange, appointment: Appointment, now: datetime
) -> Refused | None:
    """Return why the offer cannot be answered or ended so at the instant `now` (UTC), if so."""
    if refusal := require_status(appointment, Status.OFFERED):
        return refusal
    match command:
        case AcceptOffer():
            return _require_time_left(appointment, now) or _require_hours(state, appointment)
        case DeclineOffer():
            return None
        case LapseOffer():
            return _require_over(command, appointment, now)
        case _:
            assert_never(command)


def offer_event(state: DoctorState, command: OfferChange, now: datetime) -> OfferEvent:
    """Return the event of a change that nothing forbids."""
    fields = header(state, command, now)
    match command:
        case AcceptOffer():
            return OfferAccepted(**fields)
        case DeclineOffer():
            return OfferDeclined(**fields)
        case LapseOffer():
            return OfferLapsed(**fields)
        case _:
            assert_never(command)


def _require_time_left(appointment: Appointment, now: datetime) -> Refused | None:
    if appointment.due is not None and now < appointment.due:
        return None
    return Refused(RefusalCode.WRONG_STATUS, "The time of the offer is over.")


def _require_hours(state: DoctorState, appointment: Appointment) -> Refused | None:
    """Refuse what the doctor's hours do not cover any more: they may have changed since the offer."""
    if state.schedule.disabled:
        return Refused(RefusalCode.DOCTOR_UNAVAILABLE, "This doctor takes no appointments.")
    if not state.schedule.works_at(appointment.start):
        return Refused(RefusalCode.OUTSIDE_HOURS, "The doctor does not work then.")
    return None


def _require_over(command: LapseOffer, appointment: Appointment, now: datetime) -> Refused | None:
    if appointment.start != command.start:
        return Refused(RefusalCode.WRONG_STATUS, "The appointment has moved.")
    if appointment.due is not None and now < appointment.due:
        return Refused(RefusalCode.TOO_EARLY, "The offer still stands.")
    return None
