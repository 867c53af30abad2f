"""Reads from the record what no view holds: a person's doctors, and events from before a view's journal.

No read shows all documents at one moment: each is read before or after an event. So the last `seq` of the doctor is
read first, then the appointments, and then the doctor's later events until there are none.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from api.sockets.emissions import concerns_patient
from api.sockets.limits import Limits
from api.views.journal import JournalEvent
from api.visibility import may_see_entry, visible_to
from hub.accounts.identity import Identity
from hub.records.appointment_filter import AppointmentFilter
from hub.records.paging import every_appointment
from hub.records.ports import Records
from hub.scheduling.aggregate import Aggregate
from hub.scheduling.apply import as_of
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.values import Role


@dataclass(frozen=True)
class History:
    """Events of one doctor in order. None of those that the person may see is missing up to the event `seq`."""

    events: list[JournalEvent]
    seq: int


class HistoryReader:
    """Reads the events that a person may see. Every method may raise `StoreUnavailable`."""

    def __init__(self, records: Records, limits: Limits) -> None:
        self._users = records.users
        self._appointments = records.appointments
        self._waitlist = records.waitlist
        self._page = limits.record_page

    async def doctors(self, person: Identity) -> set[str]:
        """Return the doctors whose events may concern a person.

        They are the doctor, all doctors that a patient ever had or waited for, or all doctors for a receptionist.
        """
        match person.role:
            case Role.DOCTOR:
                return {person.user_id}
            case Role.PATIENT:
                return (await self.doctors_of([person.user_id])).get(person.user_id, set())
            case Role.RECEPTIONIST:
                return set(await self._users.doctor_ids())
            case _:
                return set()

    async def doctors_of(
        self, patient_ids: Collection[str], had: Mapping[str, set[str]] | None = None
    ) -> dict[str, set[str]]:
        """Return the doctors whom each patient ever had or waited for; no patient without any.

        `had`: those whom they had, as far as the caller needs them; None: they are read.
        """
        waits = self._waitlist.doctors_of(patient_ids)
        ever_had: Mapping[str, set[str]]
        if had is None:
            ever_had, awaited = await asyncio.gather(self._appointments.doctors_of(patient_ids), waits)
        else:
            ever_had, awaited = had, await waits
        return {each: ever_had.get(each, set()) | awaited.get(each, set()) for each in ever_had.keys() | awaited.keys()}

    async def since(self, person: Identity, doctor_id: str, after: int, last: int) -> History:
        """Return the doctor's events after `after` up to `last`, which the doctor has reached.

        It reads the events of all patients. It is for people who may see most of them.
        """
        events: list[RecordedEvent[Aggregate]] = []
        while after < last:
            events += await self._appointments.events_after(doctor_id, after, last=last)
            after = events[-1].event.seq
        return _history(person, events, last)

    async def of_person(self, person: Identity, doctor_id: str, after: int = 0) -> History:
        """Return the events of a doctor after `after`, from the histories of what a person may see.

        For staff without those of the waitlist up to now: they read the line when they show it.
        """
        wanted = AppointmentFilter(doctor_id=doctor_id).within(visible_to(person.role, person.user_id))
        seq = await self._appointments.last_seq(doctor_id)
        events: list[RecordedEvent[Aggregate]] = [
            RecordedEvent(event, as_of(appointment, event.seq))
            for appointment in await every_appointment(self._appointments, wanted, self._page)
            for event in appointment.history
            # Later events were read with some appointments and not with others; all of them are read below.
            if after < event.seq <= seq
        ]
        waits = await self._waitlist.of_patient(person.user_id) if person.role is Role.PATIENT else []
        events += [
            RecordedEvent(event, as_of(entry, event.seq))
            for entry in waits
            for event in entry.history
            if entry.doctor_id == doctor_id and after < event.seq <= seq
        ]
        while later := await self._appointments.events_after(doctor_id, seq):
            events += later
            seq = later[-1].event.seq
        return _history(person, events, seq)


def concerns(event: JournalEvent, person: Identity) -> bool:
    """Return whether a person is sent this event of one of the person's doctors.

    Hours are for the doctors only: they hold the notes of time off.
    """
    if event.waiting is not None:
        return may_see_entry(person.role, person.user_id, event.waiting)
    if event.entry is None:
        return person.role is Role.DOCTOR
    if not visible_to(person.role, person.user_id).matches(event.entry):
        return False
    return person.role is not Role.PATIENT or concerns_patient(event.type)


def _history(person: Identity, recorded: list[RecordedEvent[Aggregate]], seq: int) -> History:
    events = map(JournalEvent.of_recorded, sorted(recorded, key=lambda each: each.event.seq))
    return History([event for event in events if concerns(event, person)], seq)
