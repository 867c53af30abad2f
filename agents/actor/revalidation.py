"""Checks refusals against the record before anybody is told.

A write meets the record's fences, a refusal meets none. So a refusal may rest on something that is no longer true:

- A booking may have been applied before, and its appointment moved or cancelled since. The record knows it by its id.
- The appointment that owns the slot by our table may have given it up at another worker, which has the doctor now if
  this worker was paused for long.
- The doctor's schedule may have been changed by another worker or from the command line.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from agents.actor.state_reader import StateReader
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import BookAppointment, Command, RescheduleAppointment, ScheduleChange
from hub.scheduling.decision import RefusalCode, Refused
from hub.scheduling.doctor_state import DoctorState

_BY_SCHEDULE = frozenset({RefusalCode.OUTSIDE_HOURS, RefusalCode.DOCTOR_UNAVAILABLE})


@dataclass(frozen=True)
class SlotOwner:
    """The appointment that owns the slot at `start`, as far as this worker knows."""

    id: str
    start: datetime

    def owns(self, stored: Appointment | None) -> bool:
        """Whether it still owns the slot, by the record."""
        return stored is not None and stored.active and stored.start == self.start


@dataclass(frozen=True)
class Revalidation:
    """A command at `position` of its batch that was refused in this state of the doctor, to be checked."""

    position: int
    command: Command
    state: DoctorState
    refused: Refused

    @property
    def slot_owner(self) -> SlotOwner | None:
        """The owner, by our table, of the slot that the command wants."""
        command = self.command
        if isinstance(command, BookAppointment | RescheduleAppointment) and (
            id_ := self.state.slot_owners.get(command.start)
        ):
            return SlotOwner(id_, command.start)
        return None

    @property
    def by_schedule(self) -> bool:
        """Whether the refusal follows from the doctor's schedule."""
        return isinstance(self.command, ScheduleChange) or self.refused.code in _BY_SCHEDULE


@dataclass(frozen=True)
class Findings:
    """Refusals that cannot be told: bookings that have been `applied`, and doctors whose state is `outdated`."""

    applied: Sequence[Revalidation]
    outdated: Collection[str]


async def revalidate(refused: Sequence[Revalidation], reader: StateReader, being_written: Collection[str]) -> Findings:
    """Read again what these refusals rest on.

    `being_written` are the ids of what this batch is about to write: when one of them owns the slot, the fences of that
    write show whether it may.
    """
    if not refused:
        return Findings((), ())
    bookings = {each.command.id for each in refused if isinstance(each.command, BookAppointment)}
    owners = {owner.id for each in refused if (owner := each.slot_owner)} - set(being_written)
    by_schedule = {each.command.doctor_id for each in refused if each.by_schedule}
    stored, changed = await asyncio.gather(
        reader.appointments(bookings | owners), reader.with_changed_schedule(by_schedule)
    )
    applied = [each for each in refused if each.command.id in bookings & stored.keys()]
    outdated = {
        each.command.doctor_id
        for each in refused
        if each not in applied
        and (
            (each.by_schedule and each.command.doctor_id in changed)
            or ((owner := each.slot_owner) and owner.id in owners and not owner.owns(stored.get(owner.id)))
        )
    }
    return Findings(applied, outdated)
