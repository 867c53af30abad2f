"""What one person does at random with the waitlist: joins a line, leaves it, takes others out, offers out of turn."""

import asyncio
import random
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from hub.client.answers import NoResponse, Problem
from hub.client.appointment import NamedAppointment
from hub.client.wire import WaitingEntry
from hub.ids import new_id
from hub.ops.judge.history import LineRequest
from hub.scheduling.appointment import REMINDER_LEAD
from hub.scheduling.values import APPOINTMENT_DURATION
from hub.scheduling.wish import Between, Wish
from tests.tools.nemesis.people import WITHOUT_LOG_IN, People, Person, slot_in

_AGAIN = 0.1
"""The part of the requests that is sent once more, under the same key."""
_HANGS_UP = 0.1
"""The part of the requests whose caller leaves before the answer."""
_HANGS_UP_AFTER = (0.005, 0.4)
"""Seconds."""
_LEAVES = 0.25
"""The part of the requests that ends an entry rather than making one, if there is one."""
_WANTED = 2 * APPOINTMENT_DURATION
"""Most wishes are for so long, where many book as well."""
_MIDNIGHT = 24 * 60


class LineClient:
    """Acts at random for one person. Everything is recorded in the history of the people."""

    def __init__(self, person: Person, people: People, chance: random.Random) -> None:
        self._person = person
        self._chance = chance
        self._clock = people.clock
        self._history = people.history
        self._doctors = [doctor.id for doctor in people.doctors]
        self._patients = [*(patient.id for patient in people.patients), *WITHOUT_LOG_IN]
        self._known: dict[str, WaitingEntry] = {}
        """The entries that this person has made or seen, by id."""
        self._before: list[tuple[LineRequest, Wish | None]] = []

    async def act(self) -> None:
        """Do one thing."""
        chance, role = self._chance, self._person.member.user.role
        if self._before and chance.random() < _AGAIN:
            await self._send(*chance.choice(self._before))
            return
        if role != "patient":
            await self._look()
        entry = chance.choice(list(self._known.values())) if self._known else None
        if entry is None or chance.random() >= (_LEAVES if role == "patient" else 2 * _LEAVES):
            await self._send(self._join(), self._wish())
        elif role == "patient" or chance.random() < 0.4:  # the others are offers
            await self._send(self._about("leave", entry), None)
        else:
            await self._send(replace(self._about("offer", entry), start=self._start()), None)

    async def _look(self) -> None:
        """See who waits, so that an entry of others can be ended or offered something."""
        listed = await self._person.member.waitlist.show()
        if isinstance(listed, list):
            self._known = {each.id: each for each in listed if each.doctor_id in self._doctors}

    def _join(self) -> LineRequest:
        who = self._person.member.user
        doctor = who.id if who.role == "doctor" else self._chance.choice(self._doctors)
        patient = who.id if who.role == "patient" else self._chance.choice(self._patients)
        return LineRequest(who, "join", new_id(), self._clock(), doctor, patient)

    def _about(self, kind: Literal["leave", "offer"], entry: WaitingEntry) -> LineRequest:
        who = self._person.member.user
        return LineRequest(who, kind, new_id(), self._clock(), entry.doctor_id, entry.patient_id, entry.id)

    def _wish(self) -> Wish:
        """Return a wish for the slots that many book, by the clock of doctors in UTC, or for a whole day."""
        start = slot_in(self._clock, REMINDER_LEAD)
        minute = start.hour * 60 + start.minute
        last = start.date() + timedelta(days=self._chance.randrange(2))
        if self._chance.random() < 0.3:  # the others want a certain time
            return Wish(first_day=self._clock().date(), last_day=last)
        closes = min(minute + int(_WANTED.total_seconds() / 60), _MIDNIGHT)
        return Wish(first_day=start.date(), last_day=last, between=Between(opens=minute, closes=closes))

    def _start(self) -> datetime:
        """Return a slot that may be free: soon, or where many book. Staff may offer what the patient did not wish."""
        ahead = self._chance.choice((timedelta(hours=1), REMINDER_LEAD))
        return slot_in(self._clock, ahead) + self._chance.randrange(4) * APPOINTMENT_DURATION

    async def _send(self, request: LineRequest, wish: Wish | None) -> None:
        """Send a request. Some callers leave before the answer; it may or may not be carried out."""
        request = self._history.on_line_request(request)
        self._before = [*self._before, (request, wish)][-10:]
        if self._chance.random() >= _HANGS_UP:
            self._answered(request, await self._sent(request, wish))
            return
        request.abandoned = True
        with suppress(TimeoutError):
            async with asyncio.timeout(self._chance.uniform(*_HANGS_UP_AFTER)):
                self._answered(request, await self._sent(request, wish))

    def _sent(
        self, request: LineRequest, wish: Wish | None
    ) -> Awaitable[WaitingEntry | NamedAppointment | Problem | NoResponse]:
        waitlist, who = self._person.member.waitlist, self._person.member.user
        if request.kind == "join" and wish is not None:
            between = (wish.between.opens, wish.between.closes) if wish.between else None
            patient = None if who.role == "patient" else request.patient_id
            return waitlist.join(
                request.doctor_id,
                wish.first_day,
                wish.last_day,
                between=between,
                patient_id=patient,
                key=request.key,
            )
        assert request.entry_id is not None
        if request.kind == "leave":
            return waitlist.leave(request.entry_id, request.key)
        assert request.start is not None
        return waitlist.offer(request.entry_id, request.start, request.key)

    def _answered(self, request: LineRequest, answer: WaitingEntry | NamedAppointment | Problem | NoResponse) -> None:
        request.on_answer(answer, self._clock())
        if isinstance(answer, WaitingEntry):
            self._known[answer.id] = answer
            if request.kind == "leave":
                del self._known[answer.id]
