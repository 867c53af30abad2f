"""Clients that act at random: they book the same slots, change appointments, repeat commands and disconnect."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.client.commands import Command, Kind
from hub.client.day_changes import Line
from hub.client.member import CannotRead
from hub.ids import derived_id, new_id
from hub.ops.judge.history import DayChange
from hub.scheduling.appointment import REMINDER_LEAD
from hub.scheduling.values import ACTIVE, APPOINTMENT_DURATION, Status, Visit
from hub.scheduling.views import AppointmentView
from tests.own_list import read_own
from tests.tools.nemesis.line_client import LineClient
from tests.tools.nemesis.people import MAY_LEAVE, PASSWORD, WITHOUT_LOG_IN, People, Person, family_name, slot_in

_HANGS_UP_AFTER = (0.005, 0.4)
"""Seconds."""
_REMEMBERED = 20
_TRIES = 3
"""How often an erasure is asked for: a repetition may meet the first request before it has ended."""
_YESTERDAY = timedelta(days=1)
_SOON, _TO_BE_REMINDED, _LATER = timedelta(0), REMINDER_LEAD, timedelta(hours=20)
_DAY_LATER = timedelta(days=1)
_LEAVES = 0.3
"""The part of the day changes whose receptionist leaves before the end, and of these the part that is given up."""
_SLOTS_WANTED = 3
_DAY = 48
"""Slots."""
_WALK_INS = 0.15
"""The part of the bookings by doctors and receptionists that are of the running half hour."""
_NEXT_STEPS: Mapping[Visit | None, Sequence[Kind]] = {
    None: ("complete", "check_in", "check_in"),
    Visit.ARRIVED: ("complete", "call_in", "call_in", "undo_visit"),
    Visit.IN_ROOM: ("complete", "complete", "undo_visit"),
}
"""What a doctor or receptionist does next with an appointment of now, by the step of its visit."""


@dataclass(frozen=True)
class Behaviour:
    """`pause`: seconds between two commands of one person. The other fields are probabilities."""

    pause: tuple[float, float] = (0.4, 2.6)
    hangs_up: float = 0.06
    asks_again: float = 0.06
    reuses_a_key: float = 0.01
    watches: float = 0.03
    changes_own: float = 0.5
    reads_own: float = 0.3
    """Of doctors, after a command."""
    changes_a_day: float = 0.08
    """Of receptionists."""
    joins: float = 0.02
    """The same."""
    waits: float = 0.1
    """Joins a line, leaves one, or makes an offer out of turn."""
    answers: float = 0.25
    """Of patients with an open offer: accepts it, or passes. The other offers end."""
    erases: float = 0.02
    """Of the patients who may leave: they erase themselves, and do nothing after it."""


@dataclass(frozen=True)
class Asked:
    """A command that was sent before, with its key."""

    command: Command
    key: str


class RandomClients:
    """All people act until `stop` is called; then each finishes the current command."""

    def __init__(self, people: People, behaviour: Behaviour, seed: int) -> None:
        self._people = people
        self._behaviour = behaviour
        self._seed = seed
        self._stopped = asyncio.Event()
        self.watches = 0

    def stop(self) -> None:
        self._stopped.set()

    async def work(self) -> None:
        """Return after `stop`, when no command is unanswered."""
        async with asyncio.TaskGroup() as group:
            for number, person in enumerate(self._people.everybody):
                chance = random.Random(f"{self._seed} {number}")
                group.create_task(self._live(_Client(person, self._people, self._behaviour, chance)))

    async def _live(self, one: "_Client") -> None:
        while not self._stopped.is_set() and not one.is_erased:
            try:
                async with asyncio.timeout(one.chance.uniform(*self._behaviour.pause)):
                    await self._stopped.wait()
            except TimeoutError:
                watched = await one.act()
                self.watches += watched  # not in one statement: other tasks add to it during the await


class _Client:
    """Acts at random for one person."""

    def __init__(self, person: Person, people: People, behaviour: Behaviour, chance: random.Random) -> None:
        self.chance = chance
        self._person = person
        self._doctors = [doctor.id for doctor in people.doctors]
        self._clock = people.clock
        self._history = people.history
        self._behaviour = behaviour
        self._before: list[Asked] = []
        self._line = LineClient(person, people, chance)
        self.is_erased = False

    async def act(self) -> bool:
        """Do one action. Return whether it was watching a day."""
        behaviour = self._behaviour
        if self._person.id in MAY_LEAVE and self.chance.random() < behaviour.erases:
            await self._erase()
            return False
        dice = self.chance.random()
        if dice < behaviour.watches:
            return await self._watch()
        dice -= behaviour.watches
        if self._person.member.user.role == "receptionist":
            if dice < behaviour.changes_a_day:
                await self._change_a_day()
                return False
            dice -= behaviour.changes_a_day
            if dice < behaviour.joins:
                await self._join()
                return False
            dice -= behaviour.joins
        if dice < behaviour.waits:
            await self._line.act()
            return False
        dice -= behaviour.waits
        if dice < behaviour.asks_again and self._before:
            again = self.chance.choice(self._before)
            await self._ask(again.command, again.key)
            return False
        dice -= behaviour.asks_again
        if dice < behaviour.reuses_a_key and self._before:
            await self._ask(self._book(), self.chance.choice(self._before).key)
            return False
        dice -= behaviour.reuses_a_key
        if dice < behaviour.hangs_up:
            await self._ask_and_hang_up(self._wish())
        else:
            await self._ask(self._wish(), new_id())
        return False

    async def _watch(self) -> bool:
        """Watch the next day of a doctor. The judge compares its slots with the record."""
        day = slot_in(self._clock, _LATER).date()
        return await self._person.line.watch(self.chance.choice(self._doctors), day) is None

    async def _erase(self) -> None:
        """Erase the person. A request whose answer was lost is repeated; if it was done, its token is refused then."""
        self.is_erased = True
        self._history.on_erase(self._person.id, self._clock())
        for _ in range(_TRIES):
            try:
                await self._person.member.delete_account(PASSWORD)
            except CannotRead as error:
                if "invalid_token" not in str(error):
                    continue
            self._history.on_erased(self._person.id, self._clock())
            return

    async def _ask(self, command: Command, key: str) -> None:
        answer = await self._person.commands(self.chance.choice(("rest", "socket"))).send(command, key)
        self._before = [before for before in self._before if before.key != key]
        if answer.ok:  # a repetition after a refusal may be accepted by then
            self._remember(command, key)
        if self._person.member.user.role == "doctor" and self.chance.random() < self._behaviour.reads_own:
            await self._read()

    async def _change_a_day(self) -> None:
        """Move or cancel the day of a doctor; some leave before the end, and of these some ask for it once more."""
        who, doctor = self._person.member.user, self.chance.choice(self._doctors)
        day = self._clock().date() + self.chance.choice((timedelta(0), timedelta(0), _DAY_LATER))
        change = DayChange(who, doctor, day, new_id(), self._clock())
        match self.chance.choice(("later", "earlier", "another day", "cancelled")):
            case "later":
                change.by = self.chance.choice((30, 60, 120))
            case "earlier":
                change.by = -30
            case "another day":
                change.to = day + _DAY_LATER
            case _:
                change.reason = "The doctor is ill"
        self._history.on_day_change(change)
        if self.chance.random() < _LEAVES:
            change.abandoned = True
            with suppress(TimeoutError):
                async with asyncio.timeout(self.chance.uniform(*_HANGS_UP_AFTER)):
                    await self._send_day_change(change)
            if self.chance.random() < _LEAVES:
                return
            change.abandoned = False
        await self._send_day_change(change)

    async def _join(self) -> None:
        """Join a patient without a log-in with an account. Both receptionists may ask for it."""
        number = self.chance.randrange(len(WITHOUT_LOG_IN))
        patient, into = WITHOUT_LOG_IN[number], f"patient-of-{number + 10}"
        self._history.on_join(self._person.id, patient, into, self._clock())
        with suppress(CannotRead):  # undecided; the hub finishes it by itself
            answer = await self._person.member.join_patient(patient, into)
            self._history.on_joined(patient, into, [each.appointment_id for each in answer.conflicts])

    async def _send_day_change(self, change: DayChange) -> None:
        days = self._person.member.day_changes

        def on_line(line: Line) -> None:
            change.on_line(line, self._clock())

        if change.reason is not None:
            await days.cancel(change.doctor_id, change.day, change.reason, on_line, change.key)
        elif change.to is not None:
            await days.move_to(change.doctor_id, change.day, change.to, on_line, change.key)
        else:
            await days.move_by(change.doctor_id, change.day, change.by or 0, on_line, change.key)

    async def _read(self) -> None:
        """List the doctor's own appointments from yesterday on. The judge compares the answer with the record."""
        read = await read_own(self._person.member, self._clock() - _YESTERDAY, self._clock)
        if read is not None:
            self._history.on_read(read)

    async def _ask_and_hang_up(self, command: Command) -> None:
        """Send a command and disconnect before the answer. It may or may not be carried out."""
        key = new_id()
        commands = self._person.commands(self.chance.choice(("rest", "socket")))
        try:
            async with asyncio.timeout(self.chance.uniform(*_HANGS_UP_AFTER)):
                await commands.send(command, key)
        except TimeoutError:
            self._history.on_abandoned(derived_id(self._person.id, key))
            self._remember(command, key)

    def _remember(self, command: Command, key: str) -> None:
        self._before = [*self._before, Asked(command, key)][-_REMEMBERED:]

    def _wish(self) -> Command:
        offers = [each for each in self._shown() if each.status is Status.OFFERED]
        if offers and self.chance.random() < self._behaviour.answers:
            kind: Kind = self.chance.choice(("accept", "accept", "decline"))
            return Command(kind, appointment_id=self.chance.choice(offers).id)
        own = self._own()
        if own and self.chance.random() < self._behaviour.changes_own:
            return self._change(self.chance.choice(own))
        return self._book()

    def _own(self) -> list[AppointmentView]:
        """Return the current appointments of the person's dashboard, and a few past ones."""
        recent = [each for each in self._shown() if each.start > self._clock() - APPOINTMENT_DURATION]
        active = [each for each in recent if each.status in ACTIVE]
        return active or recent

    def _shown(self) -> list[AppointmentView]:
        """Return what the person's dashboard shows. A receptionist leaves other doctors alone than those of the run."""
        return [each for each in self._person.dashboard.appointments if each.doctor_id in self._doctors]

    def _book(self) -> Command:
        who = self._person.member.user
        start = self._start()
        doctor = who.id if who.role == "doctor" else self.chance.choice(self._doctors)
        if who.role == "patient":
            said = f"The knee of {family_name(who.id)}" if who.id in MAY_LEAVE else None
            return Command("book", doctor_id=doctor, start=start, reason=said)
        patient = self.chance.choice((*(f"patient-of-{number}" for number in range(8)), *WITHOUT_LOG_IN))
        if self.chance.random() < _WALK_INS:
            start = slot_in(self._clock, _SOON) - APPOINTMENT_DURATION
        said = f"The elbow of {family_name(patient)}" if patient in MAY_LEAVE else None
        return Command("book", doctor_id=doctor, start=start, patient_id=patient, reason=said)

    def _start(self) -> datetime:
        """Return a slot: soon, just before its reminder is due, or tomorrow. The first two are contended."""
        ahead, among = self.chance.choice(
            ((_SOON, _SLOTS_WANTED), (_TO_BE_REMINDED, _SLOTS_WANTED), (_TO_BE_REMINDED, _SLOTS_WANTED), (_LATER, _DAY))
        )
        return slot_in(self._clock, ahead) + self.chance.randrange(among) * APPOINTMENT_DURATION

    def _change(self, appointment: AppointmentView) -> Command:
        """Return a change that is mostly allowed."""
        if self._person.member.user.role != "patient":
            near = appointment.start - self._clock() < APPOINTMENT_DURATION
            if near or appointment.status is Status.NO_SHOW:
                return Command(self.chance.choice(_NEXT_STEPS[appointment.visit]), appointment_id=appointment.id)
        kind: Kind = self.chance.choice(("confirm", "cancel", "reschedule"))
        return Command(kind, appointment_id=appointment.id, start=self._start() if kind == "reschedule" else None)
