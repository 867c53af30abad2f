"""What the patients of the morning do: everybody races for slots, and some do what people do besides."""

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
from hub.ops.demo.openings import Opening
from hub.ops.judge.dashboard import Dashboard


class Habit(IntEnum):
    """What somebody does besides trying to get a slot."""

    KEEPS_IT = 0
    CANCELS_IT = 1
    CLICKS_TWICE = 2
    WANTS_ANOTHER_DOCTOR_TOO = 3
    MOVES_IT = 4
    USES_THE_KEY_AGAIN = 5
    SLIPS = 6


@dataclass(frozen=True)
class Patient:
    """One of the race, with a line and a dashboard or without both.

    What they do follows from `number`, so it is alike every morning.
    """

    number: int
    member: Member
    line: Line | None = None
    dashboard: Dashboard | None = None

    @property
    def habit(self) -> Habit:
        """What this one does."""
        return Habit(self.number % len(Habit))

    @property
    def commands(self) -> Commands:
        """How they book: over the line if they have one."""
        return self.line.commands if self.line else self.member.commands


async def take_part(patient: Patient, openings: Sequence[Opening]) -> None:
    """Try to get one slot or another, and live up to one's habit."""
    if patient.habit is Habit.SLIPS:
        await _slip(patient, openings[patient.number % len(openings)])
    for command in _wishes(patient.number, openings):
        key = new_id()
        booked = await _book(patient, command, key)
        if booked.appointment:
            await _go_on(patient, command, booked.appointment.id, key, openings)
            return


def _wishes(number: int, openings: Sequence[Opening]) -> list[Opening]:
    """Return what somebody tries for, best first: the first choices crowd into half of what there is."""
    count = len(openings)
    return [openings[number % (count // 2)], openings[(7 * number + 3) % count], openings[(11 * number + 5) % count]]


async def _book(patient: Patient, command: Opening, key: str) -> Answer:
    """Book; who clicks twice sends the same command two times at once, by two ways if there are two."""
    ways = [patient.commands]
    if patient.habit is Habit.CLICKS_TWICE:
        ways.append(patient.member.commands)
    answers = await asyncio.gather(*(way.book(command.doctor.id, command.start, key=key) for way in ways))
    return answers[0]


async def _go_on(patient: Patient, got: Opening, appointment_id: str, key: str, openings: Sequence[Opening]) -> None:
    commands = patient.commands
    match patient.habit:
        case Habit.CANCELS_IT:
            await commands.cancel(appointment_id)
        case Habit.WANTS_ANOTHER_DOCTOR_TOO:
            if other := _first(openings, lambda each: each.start == got.start and each.doctor != got.doctor):
                await commands.book(other.doctor.id, other.start)
        case Habit.MOVES_IT:
            unpopular = openings[::-1]
            if other := _first(unpopular, lambda each: each.start != got.start and each.doctor == got.doctor):
                await commands.reschedule(appointment_id, other.start)
        case Habit.USES_THE_KEY_AGAIN:
            if other := _first(openings, lambda each: each != got):
                await commands.book(other.doctor.id, other.start, key=key)
        case Habit.KEEPS_IT | Habit.CLICKS_TWICE | Habit.SLIPS:
            pass


async def _slip(patient: Patient, command: Opening) -> None:
    """Request for what there is not: between two slots, in the middle of the night, last month."""
    for away in (timedelta(minutes=10), timedelta(hours=12), timedelta(days=-28)):
        await patient.commands.book(command.doctor.id, command.start + away)


def _first(openings: Sequence[Opening], fits: Callable[[Opening], bool]) -> Opening | None:
    return next((each for each in openings if fits(each)), None)
