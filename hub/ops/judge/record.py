"""The record for the judge: all appointments and schedules, and which appointment held which slot at what time."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from hub.scheduling.apply import as_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentMissed,
    AppointmentRescheduled,
    Event,
    OfferAccepted,
    OfferDeclined,
    OfferLapsed,
    PatientCheckedIn,
    PatientJoined,
    ScheduleEvent,
    SlotOffered,
)
from hub.scheduling.schedule import Schedule
from hub.scheduling.schedule_record import ScheduleRecord
from hub.scheduling.values import APPOINTMENT_DURATION
from hub.scheduling.views import AppointmentView
from hub.scheduling.waitlist_entry import WaitlistEntry
from hub.scheduling.waitlist_events import WaitlistEvent


@dataclass(frozen=True)
class AppointmentEntry:
    """An event in the history of an appointment, with the appointment in its current state."""

    appointment: Appointment
    event: Event

    @property
    def where(self) -> str:
        """The id of the appointment."""
        return self.appointment.id


@dataclass(frozen=True)
class ScheduleEntry:
    """An event in the history of a doctor's schedule, with the schedule in its current state."""

    schedule_record: ScheduleRecord
    event: ScheduleEvent

    @property
    def where(self) -> str:
        """The id of the schedule."""
        return self.schedule_record.id


@dataclass(frozen=True)
class LineEntry:
    """An event in the history of an entry of the waitlist, with the entry in its current state."""

    entry: WaitlistEntry
    event: WaitlistEvent

    @property
    def where(self) -> str:
        """The id of the entry."""
        return self.entry.id


RecordEntry = AppointmentEntry | ScheduleEntry | LineEntry
"""An event in a history of a doctor."""


@dataclass(frozen=True)
class Occupancy:
    """A time during which an appointment held the slot at `start`.

    It began with the event `taken` and ended with the event `freed`, which is None if the appointment still holds it.
    A join ends it for the first patient and begins it for the other one.
    """

    appointment: Appointment
    patient_id: str
    start: datetime
    taken: Event
    freed: Event | None

    def overlaps(self, start: datetime) -> bool:
        """Whether an appointment at `start` would overlap this one."""
        return abs(start - self.start) < APPOINTMENT_DURATION

    @property
    def active_since(self) -> datetime | None:
        """Since when it was an appointment; None if it was only offered. An open offer has other deadlines."""
        first, *others = self.appointment.history
        if not isinstance(first, SlotOffered) or self.start != first.start:
            return self.taken.at
        accepted = next((event for event in others if isinstance(event, OfferAccepted)), None)
        if accepted is None or (self.freed and self.freed.seq < accepted.seq):
            return None
        return max(self.taken.at, accepted.at)

    def during(self, since: datetime, until: datetime) -> bool:
        """Whether the slot was held at some moment from `since` to `until`, both included."""
        return self.taken.at <= until and (self.freed is None or self.freed.at >= since)


def patient_at(appointment: Appointment, seq: int) -> str:
    """Return the patient of an appointment right after its event `seq`: a join changes it."""
    named = [
        each.patient_id
        for each in appointment.history
        if isinstance(each, AppointmentBooked | SlotOffered | PatientJoined) and each.seq <= seq
    ]
    return named[-1] if named else appointment.patient_id


def as_erased(shown: AppointmentView, appointment: Appointment | None, seq: int) -> AppointmentView:
    """Return what was shown as of the event `seq`, without the words that were erased later.

    From the erasure on, no words may be shown: then it is returned as it is.
    """
    erased = [event.seq for event in appointment.history if event.type == "patient_erased"] if appointment else []
    return shown.model_copy(update={"reason": None}) if erased and seq < max(erased) else shown


class Record:
    """Appointments, schedules and waitlists as they were read. They may be inconsistent."""

    def __init__(
        self,
        appointments: Iterable[Appointment],
        schedule_records: Iterable[ScheduleRecord],
        read_at: datetime,
        entries: Iterable[WaitlistEntry] = (),
    ) -> None:
        self.appointments: Mapping[str, Appointment] = {each.id: each for each in appointments}
        self.schedule_records: Mapping[str, ScheduleRecord] = {each.doctor_id: each for each in schedule_records}
        self.entries: Mapping[str, WaitlistEntry] = {each.id: each for each in entries}
        self.read_at = read_at

    @property
    def doctors(self) -> Mapping[str, Schedule]:
        """The current schedules, by doctor."""
        return {doctor_id: schedule_record.current for doctor_id, schedule_record in self.schedule_records.items()}

    def doctors_between(self, doctor_id: str, since: datetime, until: datetime, writing: timedelta) -> list[Schedule]:
        """Return the schedules of a doctor that applied at some moment from `since` to `until`; none without a doctor.

        A new schedule applies from its decision on. The old one applies until the new one is written, at most `writing`
        later.
        """
        schedule_record = self.schedule_records.get(doctor_id)
        if schedule_record is None:
            return []
        found, schedule = [], schedule_record.initial
        for event in schedule_record.history:
            if event.at + writing >= since:
                found.append(schedule)
            if event.at > until:
                return found
            schedule = as_of(schedule_record, event.seq).current
        return [*found, schedule]

    @cached_property
    def by_doctor(self) -> Mapping[str, Sequence[RecordEntry]]:
        """All events of each doctor, by `seq`."""
        found: dict[str, list[RecordEntry]] = defaultdict(list)
        for appointment in self.appointments.values():
            found[appointment.doctor_id] += [AppointmentEntry(appointment, event) for event in appointment.history]
        for schedule_record in self.schedule_records.values():
            found[schedule_record.doctor_id] += [
                ScheduleEntry(schedule_record, event) for event in schedule_record.history
            ]
        for entry in self.entries.values():
            found[entry.doctor_id] += [LineEntry(entry, event) for event in entry.history]
        return {doctor_id: sorted(recorded, key=lambda each: each.event.seq) for doctor_id, recorded in found.items()}

    @cached_property
    def by_seq(self) -> Mapping[tuple[str, int], RecordEntry]:
        """The events by (doctor id, `seq`). If two events have the same `seq`, one of them."""
        return {
            (doctor_id, each.event.seq): each for doctor_id, recorded in self.by_doctor.items() for each in recorded
        }

    @cached_property
    def by_command(self) -> Mapping[str, Sequence[RecordEntry]]:
        """The events of each command. More than one event breaks a promise."""
        found = defaultdict(list)
        for recorded in self.by_doctor.values():
            for each in recorded:
                found[each.event.command_id].append(each)
        return found

    @cached_property
    def occupancies(self) -> Sequence[Occupancy]:
        """Which appointment held which slot at what time, over all doctors, by start."""
        found = [occupancy for appointment in self.appointments.values() for occupancy in occupancies_of(appointment)]
        return sorted(found, key=lambda occupancy: occupancy.start)

    @cached_property
    def occupancies_by_doctor(self) -> Mapping[str, Sequence[Occupancy]]:
        """The occupancies of each doctor, by start."""
        found = defaultdict(list)
        for occupancy in self.occupancies:
            found[occupancy.appointment.doctor_id].append(occupancy)
        return found

    @cached_property
    def occupancies_by_patient(self) -> Mapping[str, Sequence[Occupancy]]:
        """The occupancies of each patient, by start."""
        found = defaultdict(list)
        for occupancy in self.occupancies:
            found[occupancy.patient_id].append(occupancy)
        return found

    @cached_property
    def _offered(self) -> Mapping[str, Sequence[tuple[Appointment, datetime, datetime]]]:
        found = defaultdict(list)
        for each in self.appointments.values():
            if each.entry_id is None:
                continue
            answers = (one.at for one in each.history if isinstance(one, OfferAccepted | OfferDeclined | OfferLapsed))
            found[each.patient_id].append((each, each.history[0].at, next(answers, self.read_at)))
        return found

    def offers_of(self, patient_id: str) -> Sequence[tuple[Appointment, datetime, datetime]]:
        """Return the offers of a patient, each with the times between which it was open."""
        return self._offered.get(patient_id, ())


def occupancies_of(appointment: Appointment) -> list[Occupancy]:
    """Return the slots that an appointment held, in the order of its history."""
    occupancies: list[Occupancy] = []
    since: tuple[datetime, Event] | None = None
    patient_id = ""
    missed: datetime | None = None
    for event in appointment.history:
        match event:
            case AppointmentBooked() | SlotOffered():
                since, patient_id = (event.start, event), event.patient_id
            case PatientJoined():
                if since:
                    occupancies.append(Occupancy(appointment, patient_id, *since, freed=event))
                    since = (since[0], event)
                patient_id = event.patient_id
            case PatientCheckedIn() if missed:  # a no-show that came late takes back its slot
                since, missed = (missed, event), None
            case AppointmentRescheduled() if since:
                occupancies.append(Occupancy(appointment, patient_id, *since, freed=event))
                since = (event.start, event)
            case (
                AppointmentCancelled() | AppointmentCompleted() | AppointmentMissed() | OfferDeclined() | OfferLapsed()
            ) if since:
                occupancies.append(Occupancy(appointment, patient_id, *since, freed=event))
                missed = since[0] if isinstance(event, AppointmentMissed) else None
                since = None
    return [*occupancies, Occupancy(appointment, patient_id, *since, freed=None)] if since else occupancies
