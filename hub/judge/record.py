"""The record as the judge sees it: every appointment, and what its history says of who held which slot when."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from hub.scheduling.appointment import Appointment
from hub.scheduling.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentMissed,
    AppointmentRescheduled,
    Event,
)
from hub.scheduling.hours import Doctor
from hub.scheduling.values import LENGTH


@dataclass(frozen=True)
class Entered:
    """An event, and the appointment whose history has it."""

    appointment: Appointment
    event: Event


@dataclass(frozen=True)
class Hold:
    """An appointment held the slot at `start` from one event until another (None: it still does)."""

    appointment: Appointment
    start: datetime
    taken: Event
    freed: Event | None

    def overlaps(self, start: datetime) -> bool:
        """Whether an appointment that starts then would overlap this one."""
        return abs(start - self.start) < LENGTH

    def stood(self, since: datetime, until: datetime) -> bool:
        """Whether it was held at some moment of the closed stretch of time."""
        return self.taken.at <= until and (self.freed is None or self.freed.at >= since)


class Record:
    """Appointments and calendars as they were read. Nothing here trusts that they are consistent."""

    def __init__(self, appointments: Iterable[Appointment], doctors: Iterable[Doctor], read_at: datetime) -> None:
        self.appointments: Mapping[str, Appointment] = {each.id: each for each in appointments}
        self.doctors: Mapping[str, Doctor] = {doctor.id: doctor for doctor in doctors}
        self.read_at = read_at

    @cached_property
    def by_doctor(self) -> Mapping[str, Sequence[Entered]]:
        """All events of each doctor, by `seq`."""
        found: dict[str, list[Entered]] = defaultdict(list)
        for appointment in self.appointments.values():
            found[appointment.doctor_id] += [Entered(appointment, event) for event in appointment.history]
        return {doctor_id: sorted(entered, key=lambda each: each.event.seq) for doctor_id, entered in found.items()}

    @cached_property
    def by_seq(self) -> Mapping[tuple[str, int], Entered]:
        """What stands at (doctor id, `seq`); where two events claim a place, one of them."""
        return {(doctor_id, each.event.seq): each for doctor_id, entered in self.by_doctor.items() for each in entered}

    @cached_property
    def by_command(self) -> Mapping[str, Sequence[Entered]]:
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
