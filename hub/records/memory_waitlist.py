"""The in-memory implementation of the waitlist, for tests."""

from collections.abc import Collection
from datetime import datetime

from hub.records.memory_appointments import MemoryAppointments
from hub.scheduling.appointment import Appointment
from hub.scheduling.values import Status
from hub.scheduling.waitlist_entry import WaitlistEntry


class MemoryWaitlist:
    """Implements `hub.records.ports.WaitlistRecords`."""

    def __init__(self, appointments: MemoryAppointments) -> None:
        self._appointments = appointments

    async def by_ids(self, ids: Collection[str]) -> dict[str, WaitlistEntry]:
        """Return the entries that exist among the ids, by id."""
        entries = self._appointments.entries
        return {id_: entries[id_] for id_ in ids if id_ in entries}

    async def line(self, doctor_id: str) -> list[WaitlistEntry]:
        """Return the waiting entries of a doctor, the first in the line first."""
        waiting = [each for each in self._entries() if each.waiting and each.doctor_id == doctor_id]
        return sorted(waiting, key=lambda each: each.joined_seq)

    async def places(self, doctor_ids: Collection[str]) -> dict[str, int]:
        """Return the place of each waiting entry of these doctors in its line, by entry."""
        lines = [await self.line(doctor_id) for doctor_id in doctor_ids]
        return {entry.id: place for line in lines for place, entry in enumerate(line, start=1)}

    async def offers(self, doctor_id: str, since: datetime) -> list[Appointment]:
        """Return the appointments of a doctor that were offered and start at `since` or later."""
        found = await self._appointments.starting_since(doctor_id, since)
        return [each for each in found if each.entry_id is not None]

    async def of_patient(self, patient_id: str) -> list[WaitlistEntry]:
        """Return the entries of a patient, the oldest first."""
        own = [each for each in self._entries() if each.patient_id == patient_id]
        return sorted(own, key=lambda each: (each.created_at, each.id))

    async def waiting_patients(self) -> set[str]:
        """Return the patients who wait for any doctor."""
        return {each.patient_id for each in self._entries() if each.waiting}

    async def awaited_doctors(self, patient_ids: Collection[str] | None = None) -> set[str]:
        """Return the doctors for whom these patients wait, or anybody."""
        waiting = (each for each in self._entries() if each.waiting)
        return {each.doctor_id for each in waiting if patient_ids is None or each.patient_id in patient_ids}

    async def doctors_of(self, patient_ids: Collection[str]) -> dict[str, set[str]]:
        """Return the doctors for whom each patient waits or has waited."""
        found: dict[str, set[str]] = {}
        for each in self._entries():
            if each.patient_id in patient_ids:
                found.setdefault(each.patient_id, set()).add(each.doctor_id)
        return found

    async def asked(self, patient_ids: Collection[str]) -> set[str]:
        """Return those of the patients who have an open offer, of any doctor."""
        offered = (each for each in self._appointments.everything() if each.status is Status.OFFERED)
        return {each.patient_id for each in offered} & set(patient_ids)

    def _entries(self) -> Collection[WaitlistEntry]:
        return self._appointments.entries.values()
