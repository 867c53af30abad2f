"""The appointments of patients in memory, moved on by the journals of their doctors' views.

Where the views of all doctors are in memory, a patient is made of them, and only what is older than their windows is
read from the record; elsewhere everything is.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge

from api.views.doctor_directory import DoctorDirectory
from api.views.doctor_view import BEGINNING, DoctorView
from api.views.entries import Entry
from api.views.view_store import Reading, ViewStore
from hub.bus.messages import AppointmentNotice, Notice
from hub.records.appointment_filter import After, AppointmentFilter
from hub.records.errors import StoreUnavailable
from hub.records.paging import every_appointment
from hub.records.ports import AppointmentRecords
from hub.scheduling.events import PatientErased
from hub.scheduling.views import view

LOADS = Counter("clinic_patient_views_loaded_total", "Patients whose appointments were read from the record.")
BYTES = Gauge("clinic_patient_views_bytes", "Estimated memory of the patients' appointments, in bytes.")

_CHECK_EVERY = 3.0
"""Seconds after which a patient's doctors are compared with the record, where they cannot be compared with the views:
the notice of a first booking may be lost."""
_PAGE = 500
"""Appointments read per query."""
_SIZE = 1000
"""Bytes of a patient besides the appointments."""


@dataclass
class _Patient:
    """All appointments of a patient, after the event `seqs[doctor]` of each of the patient's doctors."""

    entries: dict[str, Entry]
    seqs: dict[str, int]
    checked_at: float
    """When the last read of the patient's doctors began (`time.monotonic`)."""
    without: dict[str, int] = field(default_factory=dict)
    """Events of other doctors up to which the patient has nothing with them."""

    @property
    def size(self) -> int:
        return _SIZE + sum(entry.size for entry in self.entries.values())

    def move_on(self, patient_id: str, readings: Mapping[str, Reading]) -> bool:
        """Apply what has happened since; return False if a journal begins too late for that."""
        for doctor_id, reading in readings.items():
            events = reading.view.journal.after(self.seqs[doctor_id])
            if events is None:
                return False
            for event in events:
                if event.entry is None:
                    continue
                known = self.entries.get(event.entry.id)
                if event.entry.patient_id == patient_id and (known is None or known.seq < event.seq):
                    self.entries[event.entry.id] = event.entry
                elif event.entry.patient_id != patient_id and known is not None and known.seq < event.seq:
                    del self.entries[event.entry.id]  # the patient was joined with another account
            self.seqs[doctor_id] = max(self.seqs[doctor_id], reading.view.seq)
        return True


@dataclass(frozen=True)
class PatientPage:
    """A page of a patient's list. `age`: the highest age of the doctors' views, None if all are complete."""

    entries: list[Entry]
    position: Mapping[str, int]
    age: float | None


class PatientViews:
    """Holds the appointments of the patients who were asked for last."""

    def __init__(
        self,
        views: ViewStore,
        directory: DoctorDirectory,
        appointments: AppointmentRecords,
        monotonic: Callable[[], float],
        budget: int,
    ) -> None:
        """Hold appointments of at most `budget` bytes together, or those of one patient."""
        self._views = views
        self._directory = directory
        self._appointments = appointments
        self._monotonic = monotonic
        self._budget = budget
        self._held: OrderedDict[str, _Patient] = OrderedDict()
        """By patient, the least recently used first."""
        self._bytes = 0
        self._told: dict[str, list[set[str]]] = {}
        """For each patient who is being read: the doctors in notices since each of these reads began."""
        views.listen(self._on_notice)
        BYTES.set_function(lambda: self._bytes)

    async def page(
        self, wanted: AppointmentFilter, limit: int, after: After | None, known: Mapping[str, int]
    ) -> PatientPage | None:
        """Return at most `limit` appointments of one patient, by (start, id), never from before the positions `known`.

        None if the patient has appointments with a doctor who has no view. Raises `StoreUnavailable`.
        """
        if wanted.patient_id is None:
            raise ValueError("the filter names no patient")
        found = await self._patient(wanted.patient_id, known)
        if found is None:
            return None
        patient, readings = found
        matching = sorted(
            (entry for entry in patient.entries.values() if wanted.matches(entry)),
            key=lambda entry: (entry.start, entry.id),
        )
        later = [entry for entry in matching if after is None or (entry.start, entry.id) > (after.start, after.id)]
        ages = [reading.age for reading in readings.values() if reading.age is not None]
        return PatientPage(later[:limit], dict(patient.seqs), max(ages, default=None))

    async def recent_doctors(self, patient_ids: Collection[str]) -> dict[str, set[str]] | None:
        """Return the doctors with whom each patient has appointments in the windows of their views.

        None if the view of one doctor is not in memory, or has to say its age.
        """
        if (views := await self._all_views()) is None:
            return None
        return {
            patient_id: {id_ for id_, of_doctor in views.items() if of_doctor.has_patient(patient_id)}
            for patient_id in patient_ids
        }

    async def _patient(
        self, patient_id: str, known: Mapping[str, int]
    ) -> tuple[_Patient, Mapping[str, Reading]] | None:
        """Return a patient after the positions `known`, with the views of the patient's doctors."""
        while True:
            patient = self._held.get(patient_id)
            if patient is None:
                patient = await self._load(patient_id, known)
                if patient is None:
                    return None
                self._hold(patient_id, patient)
            self._held.move_to_end(patient_id)
            readings: dict[str, Reading] = {}
            for doctor_id in list(patient.seqs):
                reading = await self._views.doctor(doctor_id, known.get(doctor_id, 0))
                if reading is None:
                    return None
                readings[doctor_id] = reading
            same = await self._has_the_same_doctors(patient_id, patient, known)
            # Nothing suspends from here on.
            if self._held.get(patient_id) is patient:
                before = patient.size
                if same and patient.move_on(patient_id, readings):
                    self._bytes += patient.size - before
                    return patient, readings
                self._bytes -= before
                del self._held[patient_id]

    async def _has_the_same_doctors(self, patient_id: str, patient: _Patient, known: Mapping[str, int]) -> bool:
        """Return whether the patient has no other doctors now.

        The views say so where all are in memory. Elsewhere the record does, if the client knows of later events or
        after some time.
        """
        unknown = {
            doctor_id: seq
            for doctor_id, seq in known.items()
            if doctor_id not in patient.seqs and seq > patient.without.get(doctor_id, 0)
        }
        began = self._monotonic()
        if not unknown:
            if (views := await self._all_views()) is not None:
                return all(id_ in patient.seqs for id_, of_doctor in views.items() if of_doctor.has_patient(patient_id))
            if began - patient.checked_at < _CHECK_EVERY:
                return True
        try:
            doctors = (await self._appointments.doctors_of([patient_id])).get(patient_id, set())
        except StoreUnavailable:
            if unknown:
                raise
            return True  # the views say how old they are
        patient.checked_at = began
        patient.without |= unknown
        return doctors == patient.seqs.keys()

    async def _all_views(self) -> Mapping[str, DoctorView] | None:
        """Return the views of all doctors of the clinic; None if one is not in memory, or has to say its age."""
        try:
            return self._views.all_of(await self._directory.names())
        except StoreUnavailable:
            return None

    async def _load(self, patient_id: str, known: Mapping[str, int]) -> _Patient | None:
        """Read a patient. What happens at the patient's doctors after the returned `seqs` is in their journals."""
        told: set[str] = set()
        self._told.setdefault(patient_id, []).append(told)
        try:
            if (made := await self._from_views(patient_id, known)) is not None and made.seqs.keys() >= told:
                return made
            return await self._from_record(patient_id, told)
        finally:
            self._told[patient_id] = [each for each in self._told[patient_id] if each is not told]
            if not self._told[patient_id]:
                del self._told[patient_id]

    async def _from_views(self, patient_id: str, known: Mapping[str, int]) -> _Patient | None:
        """Make a patient of the views of all doctors; None if one of them is not in memory, or has to say its age."""
        began = self._monotonic()
        if (views := await self._all_views()) is None or not known.keys() <= views.keys():
            return None
        wanted = {doctor_id: max(known.get(doctor_id, 0), self._views.position(doctor_id)) for doctor_id in views}
        behind = {doctor_id: seq for doctor_id, seq in wanted.items() if views[doctor_id].seq < seq}
        await asyncio.gather(*(self._views.doctor(doctor_id, seq) for doctor_id, seq in behind.items()))
        if behind and (views := await self._all_views()) is None:
            return None
        seqs = {doctor_id: of_doctor.seq for doctor_id, of_doctor in views.items()}
        entries: dict[str, Entry] = {}
        if (begin := max((of_doctor.begin for of_doctor in views.values()), default=BEGINNING)) > BEGINNING:
            entries = await self._entries(AppointmentFilter(patient_id=patient_id, start_to=begin))
            # Their views may have moved on meanwhile: what happened after `seqs` is in the journals.
        for of_doctor in views.values():
            for entry in of_doctor.of_patient(patient_id):
                if entry.id not in entries or entries[entry.id].seq < entry.seq:
                    entries[entry.id] = entry
        doctors = {entry.doctor_id for entry in entries.values()}
        return _Patient(entries, {id_: seqs[id_] for id_ in doctors}, began) if doctors <= seqs.keys() else None

    async def _from_record(self, patient_id: str, told: set[str]) -> _Patient | None:
        LOADS.inc()
        # The record has every event that a view has. So a read that begins now is at least as new as the views.
        seqs = self._views.seqs()
        while True:
            began = self._monotonic()
            entries = await self._entries(AppointmentFilter(patient_id=patient_id))
            doctors = {entry.doctor_id for entry in entries.values()}
            if doctors <= seqs.keys() and told <= doctors:
                return _Patient(entries, {doctor_id: seqs[doctor_id] for doctor_id in doctors}, began)
            seqs = {}
            for doctor_id in doctors | told:
                reading = await self._views.doctor(doctor_id)
                if reading is None:
                    return None
                seqs[doctor_id] = reading.view.seq
            told.clear()

    async def _entries(self, wanted: AppointmentFilter) -> dict[str, Entry]:
        """Read the appointments from the record."""
        found = await every_appointment(self._appointments, wanted, _PAGE)
        return {each.id: Entry.of(view(each), each.last.seq) for each in found}

    def _hold(self, patient_id: str, patient: _Patient) -> None:
        if (before := self._held.pop(patient_id, None)) is not None:
            self._bytes -= before.size
        self._held[patient_id] = patient
        self._bytes += patient.size
        while self._bytes > self._budget and len(self._held) > 1:
            _, least = self._held.popitem(last=False)
            self._bytes -= least.size

    def _on_notice(self, notice: Notice) -> None:
        """Drop a patient who has got a new doctor, or was erased: the list is read again at its next use."""
        if not isinstance(notice, AppointmentNotice):
            return
        patient_id = notice.appointment.patient_id
        patient = self._held.get(patient_id)
        erased = isinstance(notice.event, PatientErased)
        if patient is not None and (erased or notice.doctor_id not in patient.seqs):
            self._bytes -= patient.size
            del self._held[patient_id]
        for told in self._told.get(patient_id, ()):
            told.add(notice.doctor_id)
