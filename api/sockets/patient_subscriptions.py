"""Subscribes connected patients and receptionists to doctors who become theirs.

A patient gets a new doctor by a booking of somebody else, or on another device; a receptionist when a doctor joins the
clinic.

While nobody in this process follows a doctor, notices of that doctor may be lost, and arrive in any order. So the
person's session is at first sent nothing of the new doctor. The catch-up follows the doctor, reads from the record
what has happened that the person may see, sends that, and lets later notices through. The first notice may be lost as
well: therefore the doctors of connected people are also compared with the record, or with the views where those of all
doctors are in memory. A process follows the doctors whose views it holds, so their notices are complete.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress

import orjson
from prometheus_client import Counter

from api.people.names import Names
from api.sockets.history import HistoryReader
from api.sockets.limits import Limits
from api.sockets.server import Server
from api.sockets.session import Disconnected, Session, SessionRegistry
from api.views.patient_views import PatientViews
from hub.bus.messages import Notice, ScheduleNotice, WaitlistNotice
from hub.records.errors import StoreUnavailable
from hub.records.ports import Records

FOUND_LATE = Counter(
    "clinic_meetings_late_total", "Doctors of connected people that were found in the record, without a notice."
)


class PatientSubscriptions:
    """Catches up the sessions of patients and receptionists with doctors who are new to them."""

    def __init__(  # noqa: PLR0913, PLR0917  # assembled once
        self,
        sessions: SessionRegistry,
        server: Server,
        history: HistoryReader,
        names: Names,
        patient_views: PatientViews,
        records: Records,
        limits: Limits,
    ) -> None:
        self._sessions = sessions
        self._server = server
        self._history = history
        self._names = names
        self._patient_views = patient_views
        self._records = records
        self._limits = limits
        self._turns = asyncio.Semaphore(limits.catch_ups_at_once)
        self._tasks: asyncio.TaskGroup | None = None

    def on_joined(self, session: Session) -> None:
        """Start the catch-ups that were deferred because the session could not be sent events yet."""
        for doctor_id in session.deferred_doctors:
            self._request(session, doctor_id)
        session.deferred_doctors.clear()

    def on_notice(self, notice: Notice) -> None:
        """Start a catch-up for each session of the patient or a receptionist to which the notice's doctor is new."""
        if isinstance(notice, ScheduleNotice):
            return
        patient_id = (notice.entry if isinstance(notice, WaitlistNotice) else notice.appointment).patient_id
        for session in (*self._sessions.of_patient(patient_id), *self._sessions.desk()):
            self._request(session, notice.doctor_id)

    async def run(self) -> None:
        """Run the catch-ups and the comparison with the record, for ever."""
        async with asyncio.TaskGroup() as self._tasks:
            while True:
                await asyncio.sleep(self._limits.compare_every)
                with suppress(StoreUnavailable):  # the next comparison finds it; the feed's comparison logs the outage
                    await self._compare()

    async def _compare(self) -> None:
        """Find doctors of connected people that no notice told of; patients not compared for longest come first."""
        if self._sessions.desk():
            doctor_ids = await self._records.users.doctor_ids()
            for session in self._sessions.desk():
                self._request_found(session, doctor_ids)
        patients = self._sessions.next_patients(self._limits.compared_at_once)
        found: Mapping[str, set[str]] = {}
        if patients:
            found = await self._history.doctors_of(patients, await self._patient_views.recent_doctors(patients))
        for patient_id in patients:
            self._sessions.mark_compared(patient_id)
            for session in self._sessions.of_patient(patient_id):
                self._request_found(session, found.get(patient_id, ()))

    def _request_found(self, session: Session, doctor_ids: Iterable[str]) -> None:
        for doctor_id in doctor_ids:
            if session.joined and doctor_id not in session.doctors:
                FOUND_LATE.inc()
                self._request(session, doctor_id)

    def _request(self, session: Session, doctor_id: str) -> None:
        if doctor_id in session.doctors:
            return
        if not session.joined:
            session.deferred_doctors.add(doctor_id)
            return
        if self._tasks is None:
            raise RuntimeError("a catch-up is requested before `run` runs")
        if doctor_id not in session.catch_ups:
            self._tasks.create_task(self._catch_up(session, doctor_id))
        session.catch_ups[doctor_id] = True

    async def _catch_up(self, session: Session, doctor_id: str) -> None:
        """Send the session what happened at the doctor, and let the doctor's later notices through."""
        try:
            async with self._turns:
                await self._send_history(session, doctor_id)
        except Disconnected:
            return
        finally:
            del session.catch_ups[doctor_id]

    async def _send_history(self, session: Session, doctor_id: str) -> None:
        role = session.identity.role
        while session.catch_ups[doctor_id]:
            if session.ended:
                raise Disconnected
            try:
                await self._sessions.subscribe(session, doctor_id)
                session.catch_ups[doctor_id] = False
                history = await self._history.of_person(session.identity, doctor_id)
                await self._names.learn(role, (event.about for event in history.events if event.about))
            except StoreUnavailable:
                session.catch_ups[doctor_id] = True
                await asyncio.sleep(self._limits.retry_after)
        # No event was withheld from the session since the read. Nothing suspends from here on, so none will be.
        if session.ended:
            raise Disconnected
        for event in history.events:
            encoded = event.encoded(lambda entry: self._names.add(role, entry, entry.encoded))
            self._server.emit([session], event.socket_event, orjson.Fragment(encoded))
        session.doctors.add(doctor_id)
