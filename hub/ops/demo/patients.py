"""The patients of the demo: all compete for slots, and some also cancel, move, or send unusual requests."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum

from hub.client.answers import Answer
from hub.client.commands import Commands
from hub.client.line import Line
from hub.client.member import Member
from hub.ids import new_id
from hub.ops.demo.free_slots import FreeSlot
from hub.ops.judge.dashboard import Dashboard


class Behaviour(IntEnum):
    """What a patient does besides booking a slot."""

    KEEPS = 0
    CANCELS = 1
    CLICKS_TWICE = 2
    BOOKS_OTHER_DOCTOR = 3
    MOVES = 4
    REUSES_KEY = 5
    SENDS_INVALID_BOOKINGS = 6


@dataclass(frozen=True)
class Patient:
    """A patient, with or without a line and a dashboard.

    The behaviour depends only on `number`, so it is the same in every demo.
    """

    number: int
    member: Member
    line: Line | None = None
    dashboard: Dashboard | None = None

    @property
    def behaviour(self) -> Behaviour:
        """The behaviour of this patient."""
        return Behaviour(self.number % len(Behaviour))

    @property
    def commands(self) -> Commands:
        """The patient's commands: over the line if there is one, else over REST."""
        return self.line.commands if self.line else self.member.commands


async def act(patient: Patient, free_slots: Sequence[FreeSlot]) -> FreeSlot | None:
    """Try up to three slots, then do what the patient's behaviour says. Return the first choice of who gets none."""
    if patient.behaviour is Behaviour.SENDS_INVALID_BOOKINGS:
        await _send_invalid_bookings(patient, free_slots[patient.number % len(free_slots)])
    choices = _choices(patient.number, free_slots)
    for slot in choices:
        key = new_id()
        booked = await _book(patient, slot, key)
        if booked.appointment:
            await _follow_up(patient, slot, booked.appointment.id, key, free_slots)
            return None
    return choices[0]


def _choices(number: int, free_slots: Sequence[FreeSlot]) -> list[FreeSlot]:
    """Return the slots that a patient tries, best first. All first choices are in the first half of the list."""
    count = len(free_slots)
    indexes = (number % (count // 2), (7 * number + 3) % count, (11 * number + 5) % count)
    return [free_slots[index] for index in indexes]


async def _book(patient: Patient, slot: FreeSlot, key: str) -> Answer:
    """Book. A double click sends the same command twice at the same time, over both transports if there are two."""
    clicks = [patient.commands]
    if patient.behaviour is Behaviour.CLICKS_TWICE:
        clicks.append(patient.member.commands)
    answers = await asyncio.gather(*(commands.book(slot.doctor.id, slot.start, key=key) for commands in clicks))
    return answers[0]


async def _follow_up(
    patient: Patient, booked: FreeSlot, appointment_id: str, key: str, free_slots: Sequence[FreeSlot]
) -> None:
    commands = patient.commands
    match patient.behaviour:
        case Behaviour.CANCELS:
            await commands.cancel(appointment_id)
        case Behaviour.BOOKS_OTHER_DOCTOR:
            if other := _first(free_slots, lambda each: each.start == booked.start and each.doctor != booked.doctor):
                await commands.book(other.doctor.id, other.start)
        case Behaviour.MOVES:
            least_wanted_first = free_slots[::-1]
            if other := _first(
                least_wanted_first, lambda each: each.start != booked.start and each.doctor == booked.doctor
            ):
                await commands.reschedule(appointment_id, other.start)
        case Behaviour.REUSES_KEY:
            if other := _first(free_slots, lambda each: each != booked):
                await commands.book(other.doctor.id, other.start, key=key)
        case Behaviour.KEEPS | Behaviour.CLICKS_TWICE | Behaviour.SENDS_INVALID_BOOKINGS:
            pass


async def _send_invalid_bookings(patient: Patient, slot: FreeSlot) -> None:
    """Try to book between two slots, in the middle of the night, and last month."""
    for offset in (timedelta(minutes=10), timedelta(hours=12), timedelta(days=-28)):
        await patient.commands.book(slot.doctor.id, slot.start + offset)


def _first(free_slots: Sequence[FreeSlot], fits: Callable[[FreeSlot], bool]) -> FreeSlot | None:
    return next((each for each in free_slots if fits(each)), None)
