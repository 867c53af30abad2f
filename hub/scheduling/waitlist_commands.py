"""The commands of the waitlist: who waits, and what becomes of offers."""

from typing import Literal, assert_never

from hub.scheduling.command_fields import CommandFields
from hub.scheduling.values import Id, Instant
from hub.scheduling.wish import Wish


class AcceptOffer(CommandFields):
    """Take the offered slot, for its patient."""

    kind: Literal["accept"] = "accept"
    appointment_id: Id


class DeclineOffer(CommandFields):
    """Pass: free the offered slot."""

    kind: Literal["decline"] = "decline"
    appointment_id: Id


class LapseOffer(CommandFields):
    """End the offer, provided that it is still open at `start` and its time is over."""

    kind: Literal["lapse"] = "lapse"
    appointment_id: Id
    start: Instant


OfferChange = AcceptOffer | DeclineOffer | LapseOffer
"""A command that answers or ends an offer."""


class JoinWaitlist(CommandFields):
    """Let the patient wait for a time that suits. The entry gets the id of the command."""

    kind: Literal["join_waitlist"] = "join_waitlist"
    patient_id: Id
    wish: Wish


class LeaveWaitlist(CommandFields):
    """Take the patient out of the line."""

    kind: Literal["leave_waitlist"] = "leave_waitlist"
    entry_id: Id


class JoinWaitingPatient(CommandFields):
    """Give the entry of `previous_patient_id` to the account with which this person was joined."""

    kind: Literal["join_waiting_patient"] = "join_waiting_patient"
    entry_id: Id
    previous_patient_id: Id
    patient_id: Id


class OfferSlot(CommandFields):
    """Offer the slot at `start` to this entry, whoever is before it. The offer gets the id of the command."""

    kind: Literal["offer_slot"] = "offer_slot"
    entry_id: Id
    start: Instant


class TendWaitlist(CommandFields):
    """Do the next thing that the doctor's waitlist needs: end an entry or an offer, or offer a free slot.

    An offer gets the id of the command. It is refused when there is nothing to do.
    """

    kind: Literal["tend_waitlist"] = "tend_waitlist"


WaitlistCommand = JoinWaitlist | LeaveWaitlist | JoinWaitingPatient | OfferSlot | TendWaitlist
"""A command that is decided by the doctor's line."""


def waitlist_content(command: WaitlistCommand) -> list[object]:
    """Return what the fingerprint of a command is made of, besides who asks for which doctor."""
    match command:
        case JoinWaitlist():
            return [command.patient_id, command.wish.model_dump_json()]
        case LeaveWaitlist():
            return [command.entry_id]
        case JoinWaitingPatient():
            return [command.entry_id, command.previous_patient_id, command.patient_id]
        case OfferSlot():
            return [command.entry_id, command.start.isoformat()]
        case TendWaitlist():
            return []
        case _:
            assert_never(command)
