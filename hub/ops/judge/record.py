"""The record as the judge sees it: every appointment and timetable, and what they say of who held which slot when."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from hub.scheduling.appointment import Appointment
from hub.scheduling.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentMissed,
    AppointmentRescheduled,
    Event,
    ScheduleEvent,
)
from hub.scheduling.schedule import Schedule
from hub.scheduling.schedule_record import ScheduleRecord
from hub.scheduling.values import APPOINTMENT_DURATION


@dataclass(frozen=True)
class Entered:
    """An event, and the appointment whose history has it."""

    appointment: Appointment
    event: Event

    @property
    def where(self) -> str:
        """Whose history has it."""
        return self.appointment.id


@dataclass(frozen=True)
class Rearranged:
    """An event of a doctor's timetable, and the timetable."""

    schedule_record: ScheduleRecord
    event: ScheduleEvent

    @property
    def where(self) -> str:
        """Whose history has it."""
        return self.schedule_record.id


@dataclass(frozen=True)
class Hold:
    """An appointment held the slot at `start` from one event until another (None: it still does)."""

    appointment: Appointment
    start: datetime
    taken: Event
    freed: Event | None

    def overlaps(self, start: datetime) -> bool:
        """Whether an appointment that starts then would overlap this one."""
        return abs(start - self.start) < APPOINTMENT_DURATION

    def stood(self, since: datetime, until: datetime) -> bool:
        """Whether it was held at some moment of the closed stretch of time."""
        return self.taken.at <= until and (self.freed is None or self.freed.at >= since)


class Record:
    """Appointments and timetables as they were read. Nothing here trusts that they are consistent."""

    def __init__(
        self, appointments: Iterable[Appointment], schedule_records: Iterable[ScheduleRecord], read_at: datetime
    ) -> None:
        self.appointments: Mapping[str, Appointment] = {each.id: each for each in appointments}
        self.schedule_records: Mapping[str, ScheduleRecord] = {each.doctor_id: each for each in schedule_records}
        self.read_at = read_at

    @property
    def doctors(self) -> Mapping[str, Schedule]:
        """The doctors as they are now, by id."""
        return {doctor_id: schedule_record.doctor for doctor_id, schedule_record in self.schedule_records.items()}

    def doctors_between(self, doctor_id: str, since: datetime, until: datetime, writing: timedelta) -> list[Schedule]:
        """Return each way a doctor's hours were at some moment of a stretch of time; none of somebody who is no doctor.

        A change counts from its decision; what was before it, until it is written, at most `writing` later.
        """
        schedule_record = self.schedule_records.get(doctor_id)
        if schedule_record is None:
            return []
        found, doctor = [], schedule_record.hired
        for event in schedule_record.history:
            if event.at + writing >= since:
                found.append(doctor)
            if event.at > until:
                return found
            doctor = schedule_record.as_of(event.seq)
        return [*found, doctor]

    @cached_property
    def by_doctor(self) -> Mapping[str, Sequence[Entered | Rearranged]]:
        """All events of each doctor, by `seq`."""
        found: dict[str, list[Entered | Rearranged]] = defaultdict(list)
        for appointment in self.appointments.values():
            found[appointment.doctor_id] += [Entered(appointment, event) for event in appointment.history]
        for schedule_record in self.schedule_records.values():
            found[schedule_record.doctor_id] += [
                Rearranged(schedule_record, event) for event in schedule_record.history
            ]
        return {doctor_id: sorted(entered, key=lambda each: each.event.seq) for doctor_id, entered in found.items()}

    @cached_property
    def by_seq(self) -> Mapping[tuple[str, int], Entered | Rearranged]:
        """What stands at (doctor id, `seq`); where two events claim a place, one of them."""
        return {(doctor_id, each.event.seq): each for doctor_id, entered in self.by_doctor.items() for each in entered}

    @cached_property
    def by_command(self) -> Mapping[str, Sequence[Entered | Rearranged]]:
        """What each command caused; more than one entry would be one too many."""
        found = defaultdict(list)
        for entered in self.by_doctor.values():
            for each in entered:
                found[each.event.command_id].append(each)
        return found

    @cached_property
    def holds(self) -> Sequence[Hold]:
        """Who held which slot when, over all doctors, by start."""
        found = [hold for appointment in self.appointments.values() for hold in holds_of(appointment)]
        return sorted(found, key=lambda hold: hold.start)

    @cached_property
    def holds_of_doctor(self) -> Mapping[str, Sequence[Hold]]:
        """The same, by doctor."""
        found = defaultdict(list)
        for hold in self.holds:
            found[hold.appointment.doctor_id].append(hold)
        return found

    @cached_property
    def holds_of_patient(self) -> Mapping[str, Sequence[Hold]]:
        """The same, by patient."""
        found = defaultdict(list)
        for hold in self.holds:
            found[hold.appointment.patient_id].append(hold)
        return found


def holds_of(appointment: Appointment) -> list[Hold]:
    """Return which slots an appointment held, in the order of its history."""
    holds: list[Hold] = []
    since: tuple[datetime, Event] | None = None
    for event in appointment.history:
        match event:
            case AppointmentBooked():
                since = (event.start, event)
            case AppointmentRescheduled() if since:
                holds.append(Hold(appointment, *since, freed=event))
                since = (event.start, event)
            case AppointmentCancelled() | AppointmentCompleted() | AppointmentMissed() if since:
                holds.append(Hold(appointment, *since, freed=event))
                since = None
    return [*holds, Hold(appointment, *since, freed=None)] if since else holds
