"""Checks refusals against the record before anybody is told.

A write meets the record's fences, a refusal meets none. So a refusal may rest on something that is no longer true:

- A booking may have been applied before, and its appointment moved or cancelled since. The record knows it by its id.
- Another worker, which has the doctor now if this worker was paused for long, or the command line may have written.
- A database server may have answered our reads that is no longer primary and does not know it yet.

In the last two cases the doctor's history has gone on, beyond the `seq` that the refusal was decided by.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from agents.actor.state_reader import StateReader
from hub.scheduling.commands import BookAppointment, Command
from hub.scheduling.doctor_state import DoctorState


@dataclass(frozen=True)
class Revalidation:
    """A command at `position` of its batch that was refused in this state of the doctor, to be checked."""

    position: int
    command: Command
    state: DoctorState


@dataclass(frozen=True)
class Findings:
    """Refusals that cannot be told: bookings that have been `applied`, and doctors whose state is `outdated`."""

    applied: Sequence[Revalidation]
    outdated: Collection[str]


async def revalidate(refused: Sequence[Revalidation], reader: StateReader) -> Findings:
    """Ask the record whether these refusals may be told."""
    if not refused:
        return Findings((), ())
    bookings = {each.command.id for each in refused if isinstance(each.command, BookAppointment)}
    stored, outdated = await asyncio.gather(
        reader.current_appointments(bookings), reader.outdated({each.command.doctor_id for each in refused})
    )
    return Findings([each for each in refused if each.command.id in stored], outdated)
