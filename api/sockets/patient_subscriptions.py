"""A patient who is connected turns out to have to do with a doctor: by a booking that others made, or on another line.

Of a doctor whom nobody here follows notices may be lost unseen, and come in any order. So the client is told nothing of
the doctor at first; the doctor is followed, the record says what has happened between the two, and after that the
client is told what comes. It need not come: we also compare with the record whom the patients have to do with.
"""

import asyncio
from contextlib import suppress
from itertools import islice

from prometheus_client import Counter

from api.sockets.resync import OwnRecord
from api.sockets.rooms import Rooms, past_event
from api.sockets.server import Server
from api.sockets.subscriptions import Gone, Interest
from hub.bus.messages import Notice, ScheduleNotice
from hub.records.errors import StoreUnavailable
from hub.records.ports import AppointmentRecords

MET_LATE = Counter("clinic_meetings_late_total", "Doctors of connected patients that only the record told us of.")

COMPARE_EVERY = 3.0
"""Seconds between two comparisons with the record, each of so many patients at most: a bounded load on the record."""
_COMPARED_AT_ONCE = 100
_MEET_AT_ONCE = 8
_RETRY = 0.5
"""Seconds between two attempts while the database does not answer."""


class Meetings:
    """Introduces the clients of patients to doctors."""

    def __init__(
        self, rooms: Rooms, interest: Interest, server: Server, own: OwnRecord, appointments: AppointmentRecords
    ) -> None:
        self._rooms = rooms
        self._interest = interest
        self._server = server
        self._own = own
        self._appointments = appointments
        self._patient_of: dict[str, str] = {}
        self._sids: dict[str, set[str]] = {}
        self._arriving: dict[str, set[str]] = {}
        """The doctors heard of for each client that is being let in: it can be told nothing yet."""
        self._met: dict[tuple[str, str], bool] = {}
        """For each meeting that goes on: whether something was kept from the client since the record was read."""
        self._turns = asyncio.Semaphore(_MEET_AT_ONCE)
        self._tasks: asyncio.TaskGroup | None = None

    def arrive(self, sid: str, patient_id: str) -> None:
        """Look out for new doctors of a client that is being let in; whom the patient knows is read after this."""
        self._patient_of[sid] = patient_id
        self._sids.setdefault(patient_id, set()).add(sid)
        self._arriving[sid] = set()

    def enter(self, sid: str) -> None:
        """Arrange the meetings that had to wait: the client can be told things from now on."""
        for doctor_id in self._arriving.pop(sid):
            self._expect(sid, doctor_id)

    def depart(self, sid: str) -> None:
        """Forget a client."""
        self._arriving.pop(sid, None)
        if patient_id := self._patient_of.pop(sid, None):
            self._sids[patient_id].discard(sid)
            if not self._sids[patient_id]:
                del self._sids[patient_id]

    def heard(self, notice: Notice) -> None:
        """Note that the patient has to do with this doctor."""
        if isinstance(notice, ScheduleNotice):
            return
        for sid in self._sids.get(notice.appointment.patient_id, ()):
            self._expect(sid, notice.doctor_id)

    async def run(self) -> None:
        """Arrange meetings, for ever."""
        async with asyncio.TaskGroup() as self._tasks:
            while True:
                await asyncio.sleep(COMPARE_EVERY)
                with suppress(StoreUnavailable):  # there is a next time, and the feed's comparison complains already
                    await self._compare()

    async def _compare(self) -> None:
        """Look for doctors of connected patients of whom we have not heard; those that wait longest come first."""
        patients = list(islice(self._sids, _COMPARED_AT_ONCE))
        found = await self._appointments.doctors_of(patients) if patients else {}
        for patient_id in patients:
            if (sids := self._sids.pop(patient_id, None)) is None:
                continue
            self._sids[patient_id] = sids  # at the end of the queue
            for sid in sids:
                for doctor_id in found.get(patient_id, ()):
                    if not self._rooms.knows(sid, doctor_id) and sid not in self._arriving:
                        MET_LATE.inc()
                        self._expect(sid, doctor_id)

    def _expect(self, sid: str, doctor_id: str) -> None:
        if self._rooms.knows(sid, doctor_id):
            return
        if sid in self._arriving:
            self._arriving[sid].add(doctor_id)
            return
        if self._tasks is None:
            raise RuntimeError("meetings are arranged before `run` runs")
        if (sid, doctor_id) not in self._met:
            self._tasks.create_task(self._meet(sid, doctor_id))
        self._met[sid, doctor_id] = True

    async def _meet(self, sid: str, doctor_id: str) -> None:
        """Tell the client what has happened between the two, and let it be told what comes after that."""
        try:
            async with self._turns:
                await self._introduce(sid, doctor_id)
        except Gone:
            return
        finally:
            del self._met[sid, doctor_id]

    async def _introduce(self, sid: str, doctor_id: str) -> None:
        while self._met[sid, doctor_id]:
            patient_id = self._patient_of.get(sid)
            if patient_id is None:
                raise Gone
            try:
                await self._interest.hold_own(sid, doctor_id)
                self._met[sid, doctor_id] = False
                history = await self._own.between(patient_id, doctor_id)
            except StoreUnavailable:
                self._met[sid, doctor_id] = True
                await asyncio.sleep(_RETRY)
        # From the read to here nothing was kept from the client, and from here on nothing is.
        if sid not in self._patient_of:
            raise Gone
        for past in history.events:
            self._server.tell([sid], "appointment", past_event(past))
        self._rooms.introduce(sid, doctor_id)
