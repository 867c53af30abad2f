"""Puts the texts that events ask for into the outbox. From there `agents.texts.sending` sends them.

What the actor of this worker has just written is planned from memory. Anything else follows from the record: per doctor
the outbox keeps the last `seq` whose texts are in it, and what came after is read when a worker takes over, and looked
for now and then. So neither a crash between writing and planning nor a broker that loses everything loses a text.
Planning an event twice is harmless, because a text's id follows from its event and its recipient.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress

import structlog
from prometheus_client import Counter

from hub.accounts.account import Account
from hub.clock import Clock
from hub.records.errors import BrokenRecord, StoreUnavailable
from hub.records.ports import Records
from hub.scheduling.recorded_event import Happened, Past
from hub.texting.planning import plan_texts
from hub.texting.wording import Clinic

log = structlog.get_logger(__name__)
PLANNED = Counter("clinic_texts_planned_total", "Texts that were put into the outbox.")

GATHER = 0.2
"""Seconds in which what has been written is gathered, so that many bookings cost one write."""
_REST = 4
"""How many times as long as the planning took it rests: when there is much to do, bookings come before their texts."""
_REST_MOST = 2.0
"""Seconds. Planning takes long, too, when the database has been away, and texts are not to wait for that again."""
LOOK_EVERY = 30.0
"""Seconds between two looks whether the record is ahead of the outbox."""
_RETRY = 1.0
_AT_ONCE = 500
"""Events of which the texts are written at a time. What had gathered for seconds and was written in one go kept the
embedded engine busy for up to 4.9 s, and bookings waited for it."""
_MOST_WAITING = 20_000
"""Events that wait to be planned; where there are more, they are read from the record instead."""
_DOCTORS_AT_ONCE = 10
"""Doctors of whom it is looked at the same time whether the record is ahead; what is to be decided waits behind it."""


class TextPlanner:
    """Plans the texts of the doctors that this worker owns."""

    def __init__(self, records: Records, clock: Clock, clinic: Clinic) -> None:
        self._records = records
        self._clock = clock
        self._clinic = clinic
        self._owns: Callable[[str], bool] = lambda _: False
        self._positions: dict[str, int] = {}
        self._written: list[Past] = []
        self._news = asyncio.Event()
        self._look_again = 0.0

    def take_over(self, owns: Callable[[str], bool]) -> None:
        """Answer for these doctors from now on, beginning with what the worker before left to be planned."""
        self._owns = owns
        self._positions = {}  # another one: who is just planning goes on with the old one
        self._written.clear()
        self._look_again = 0.0
        self._news.set()

    def take(self, happened: Past) -> None:
        """Take an event that has just been written; those of a doctor come in order of `seq`."""
        if len(self._written) >= _MOST_WAITING:
            self._written.clear()
            self._look_again = 0.0
        self._written.append(happened)
        self._news.set()

    async def run(self) -> None:
        """Plan, for ever."""
        now = asyncio.get_running_loop().time
        while True:
            # By a time of its own: where something is written all the time, the record is looked at all the same.
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._look_again):
                    await self._news.wait()
            self._news.clear()
            began = now()
            try:
                if began >= self._look_again:
                    self._look_again = began + LOOK_EVERY
                    await self._catch_up()
                    began = now()  # looking at thousands of doctors is no reason to let new texts wait
                await self._plan()
            except StoreUnavailable:
                log.warning("texts_not_planned", reason="the database does not answer")
                self._look_again = now() + _RETRY  # the record has all of it
            except BrokenRecord as error:
                log.warning("texts_not_planned", reason=str(error))
                self._look_again = now() + _RETRY  # what is sound of it is planned then, doctor by doctor
            await asyncio.sleep(max(GATHER, _rest(now() - began)))

    async def _plan(self) -> None:
        written, self._written = self._written[:_AT_ONCE], self._written[_AT_ONCE:]
        if self._written:
            self._news.set()
        fits, ahead = self._in_order(written)
        await self._put(fits)
        for doctor_id in ahead:
            await self._catch_up_with(doctor_id)

    def _in_order(self, written: Sequence[Past]) -> tuple[list[Past], set[str]]:
        """Return the events that continue what is planned, and the doctors of whom something is missing before."""
        expected, fits, ahead = dict(self._positions), [], set()
        for happened in written:
            doctor_id, event = happened.doctor_id, happened.event
            if event.seq <= expected.get(doctor_id, 0):
                continue
            if doctor_id in ahead or event.prev != expected.get(doctor_id):
                ahead.add(doctor_id)
                continue
            expected[doctor_id] = event.seq
            fits.append(happened)
        return fits, {doctor_id for doctor_id in ahead if self._owns(doctor_id)}

    async def _catch_up(self) -> None:
        """Plan what the record knows of all owned doctors and the outbox does not.

        Thousands of doctors take seconds. So after some of them what has been written meanwhile has its turn, and a
        rest lets bookings and reminders come first.
        """
        now, owns = asyncio.get_running_loop().time, self._owns
        owned = [doctor_id for doctor_id in await self._records.users.doctor_ids() if owns(doctor_id)]
        for first in range(0, len(owned), _DOCTORS_AT_ONCE):
            began = now()
            for doctor_id in await self._ahead(owned[first : first + _DOCTORS_AT_ONCE]):
                try:
                    await self._catch_up_with(doctor_id)
                except BrokenRecord as error:
                    log.warning("texts_not_planned", doctor_id=doctor_id, reason=str(error))  # the others' can be
            await self._plan()
            await asyncio.sleep(_rest(now() - began))
            if self._owns is not owns:
                return  # others are ours now: who they are is looked at from the beginning

    async def _ahead(self, doctor_ids: Collection[str]) -> list[str]:
        """Return the doctors of whom the record knows more than the outbox, but for those who wait for their turn.

        What is missing before or between what waits shows itself when it is planned. A read each, side by side: asked
        for many pairs of doctor and `seq` at once, the embedded engine scans.
        """
        waiting = {happened.doctor_id for happened in self._written}
        planned = await self._planned([doctor_id for doctor_id in doctor_ids if doctor_id not in waiting])
        last = await asyncio.gather(*(self._records.appointments.last_seq(each, planned[each]) for each in planned))
        return [doctor_id for doctor_id, seq in zip(planned, last, strict=True) if seq > planned[doctor_id]]

    async def _catch_up_with(self, doctor_id: str) -> None:
        planned = (await self._planned([doctor_id]))[doctor_id]
        while happened := await self._records.appointments.happened(doctor_id, planned, _AT_ONCE):
            await self._put(happened)
            planned = happened[-1].event.seq

    async def _planned(self, doctor_ids: Collection[str]) -> Mapping[str, int]:
        """Return how far the planning has come, by doctor."""
        positions = self._positions
        if unknown := [doctor_id for doctor_id in doctor_ids if doctor_id not in positions]:
            positions |= await self._records.text_positions.read(unknown)
        return {doctor_id: positions[doctor_id] for doctor_id in doctor_ids}

    async def _put(self, happened: Sequence[Past]) -> None:
        """Write the texts of these events, and only then how far the planning has come.

        What happens to a doctor's timetable asks for no text; it counts as planned like the rest.
        """
        if not happened:
            return
        of_appointments = [one for one in happened if isinstance(one, Happened)]
        people = await self._people(of_appointments)
        now = self._clock()
        texts = [
            text
            for one in of_appointments
            if (doctor := people.get(one.appointment.doctor_id))
            and doctor.calendar
            and (patient := people.get(one.appointment.patient_id))
            for text in plan_texts(self._clinic, doctor, doctor.calendar, patient, one, now)
        ]
        if texts:
            PLANNED.inc(await self._records.texts.add_all(texts))
        last = {one.doctor_id: one.event.seq for one in happened}
        await self._records.text_positions.advance(last)
        self._positions |= last

    async def _people(self, happened: Sequence[Happened]) -> Mapping[str, Account]:
        ids = {one.appointment.doctor_id for one in happened} | {one.appointment.patient_id for one in happened}
        return await self._records.users.by_ids(ids)


def _rest(worked: float) -> float:
    """Return how many seconds to rest after so many of work."""
    return min(_REST * worked, _REST_MOST)
