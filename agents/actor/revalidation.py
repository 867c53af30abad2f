"""Checks refusals against the record before anybody is told.

A write meets the record's fences, a refusal meets none. So a refusal may rest on something that is no longer true:

- A booking may have been applied before, and its appointment moved or cancelled since. The record knows it by its id.
- A slot may be taken by the same patient. The owner's appointment is not among what a booking is decided against, so it
  is read here, in the read that the first check needs anyway.
- Another worker, which has the doctor now if this worker was paused for long, or the command line may have written.
- A database server may have answered our reads that is no longer primary and does not know it yet.

In the cases of another worker and of a former primary the doctor's history has gone on, beyond the `seq` that the
refusal was decided by.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from agents.actor.state_reader import StateReader
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import BookAppointment, Command, RescheduleAppointment
from hub.scheduling.decide import slot_taken
from hub.scheduling.decision import RefusalCode, Refused
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.waitlist_commands import OfferSlot

_TAKES_A_SLOT = BookAppointment | RescheduleAppointment
_MAKES_AN_APPOINTMENT = BookAppointment | OfferSlot


@dataclass(frozen=True)
class Revalidation:
    """A command at `position` of its batch that was refused in this state of the doctor, to be checked."""

    position: int
    command: Command
    state: DoctorState
    refused: Refused

    @property
    def slot_owner(self) -> str | None:
        """The id of the appointment that holds the wanted slot, if the slot was the reason."""
        if self.refused.code is RefusalCode.SLOT_TAKEN and isinstance(self.command, _TAKES_A_SLOT):
            return self.state.slot_owners.get(self.command.start)
        return None

    def with_owner(self, owner: Appointment) -> Refused:
        """Return the refusal with the appointment that holds the slot, if that is the same patient's."""
        match self.command:
            case BookAppointment(patient_id=patient_id):
                return slot_taken(self.command.by, patient_id, owner)
            case RescheduleAppointment(appointment_id=moved):
                return slot_taken(self.command.by, self.state.appointments[moved].patient_id, owner)
            case _:
                return self.refused


@dataclass(frozen=True)
class Findings:
    """Refusals that cannot be told: bookings that have been `applied`, and doctors whose state is `outdated`.

    `completed`: refusals that can be told, by position, with what the record adds to them.
    """

    applied: Sequence[Revalidation]
    outdated: Collection[str]
    completed: Mapping[int, Refused]


async def revalidate(refused: Sequence[Revalidation], reader: StateReader) -> Findings:
    """Ask the record whether these refusals may be told."""
    if not refused:
        return Findings((), (), {})
    bookings = {each.command.id for each in refused if isinstance(each.command, _MAKES_AN_APPOINTMENT)}
    owners = {owner for each in refused if (owner := each.slot_owner)}
    stored, outdated = await asyncio.gather(
        reader.current_appointments(bookings | owners), reader.outdated({each.command.doctor_id for each in refused})
    )
    return Findings(
        applied=[each for each in refused if each.command.id in stored],
        outdated=outdated,
        completed={
            each.position: each.with_owner(stored[holder])
            for each in refused
            if (holder := each.slot_owner) is not None and holder in stored
        },
    )
