"""The patients who have or had an appointment with a doctor, in the memory of an api process."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from hub.clock import Clock
from hub.records.ports import AppointmentRecords
from hub.scheduling.recorded_event import of_appointments
from hub.scheduling.values import HORIZON

_SPAN = timedelta(days=91)
"""The appointments of so long a time are read at once: the embedded database blocks other requests meanwhile."""
_CAPACITY = 300_000
"""Patients of all doctors together, about 100 bytes each."""


@dataclass
class _Patients:
    """All patients of the doctor's events up to `seq`."""

    ids: set[str] = field(default_factory=set)
    seq: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class DoctorPatients:
    """Reads the appointments of a doctor once, and from then on the doctor's new events before each answer."""

    def __init__(self, appointments: AppointmentRecords, clock: Clock, capacity: int = _CAPACITY) -> None:
        """Keep at most `capacity` patients, besides those of the last doctor."""
        self._appointments = appointments
        self._clock = clock
        self._capacity = capacity
        self._held: OrderedDict[str, _Patients] = OrderedDict()

    async def of(self, doctor_id: str) -> Collection[str]:
        """Return the ids of the doctor's patients, as the record is now or later. Raises `StoreUnavailable`."""
        patients = self._held.setdefault(doctor_id, _Patients())
        self._held.move_to_end(doctor_id)
        async with patients.lock:
            last = await self._appointments.last_seq(doctor_id, patients.seq)
            if not patients.seq and last:
                patients.ids = await self._read(doctor_id)
                patients.seq = last  # later events are added below
            while patients.seq < last:
                events = await self._appointments.events_after(doctor_id, patients.seq)
                patients.ids.update(each.aggregate.patient_id for each in of_appointments(events))
                patients.seq = events[-1].event.seq
        self._evict()
        return patients.ids

    async def _read(self, doctor_id: str) -> set[str]:
        """Return the patients of all appointments. An appointment starts after its booking, at most `HORIZON` later."""
        [first] = await self._appointments.events_after(doctor_id, 0, 1)
        begin, end = first.event.at - _SPAN, self._clock() + HORIZON + _SPAN
        found = await self._appointments.patients_of(doctor_id, None, begin)
        while begin < end:
            found |= await self._appointments.patients_of(doctor_id, begin, begin + _SPAN)
            begin += _SPAN
        return found | await self._appointments.patients_of(doctor_id, begin, None)

    def _evict(self) -> None:
        """Drop the patients of the doctors who have not searched for longest."""
        total = sum(len(patients.ids) for patients in self._held.values())
        for doctor_id in list(self._held)[:-1]:
            if total <= self._capacity:
                return
            total -= len(self._held.pop(doctor_id).ids)
