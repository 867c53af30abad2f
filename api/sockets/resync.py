"""Reads what a person may see of appointments from the record, consistent at one `seq` of each of the person's doctors.

No read shows all documents at one moment: each is read before or after an event. So the reader first reads the last
`seq` of each doctor, then the appointments, and then applies the doctor's later events until there are none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from api.sockets.emissions import concerns_patient
from api.sockets.limits import Limits
from api.visibility import visible_to
from hub.accounts.identity import Identity
from hub.records.appointment_filter import AppointmentFilter
from hub.records.paging import every_appointment
from hub.records.ports import Records
from hub.records.schedules import schedule_record_of
from hub.scheduling.aggregate import Aggregate
from hub.scheduling.apply import as_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule import Schedule
from hub.scheduling.values import Role

Position = dict[str, int]
"""The last known `seq` of each doctor, by the doctor's id."""


@dataclass(frozen=True)
class Snapshot:
    """Appointments ordered by start, as they are at `position`, which holds every doctor of the person.

    `doctor` is the doctor's own schedule at the position; None for a patient.
    """

    appointments: list[Appointment]
    position: Position
    doctor: Schedule | None


@dataclass(frozen=True)
class Missed:
    """The events after a client's position up to this position; the events of each doctor in order."""

    events: list[RecordedEvent[Aggregate]]
    position: Position


class ResyncReader:
    """Reads the appointments and events that a person may see."""

    def __init__(self, records: Records, limits: Limits) -> None:
        self._records = records
        self._limits = limits
        self._appointments = records.appointments

    async def doctors(self, person: Identity) -> set[str]:
        """Return the doctors whose events may concern a person.

        They are the doctor, all doctors that a patient ever had, or all doctors of the clinic for a receptionist.
        """
        match person.role:
            case Role.DOCTOR:
                return {person.user_id}
            case Role.PATIENT:
                return (await self._appointments.doctors_of([person.user_id])).get(person.user_id, set())
            case Role.RECEPTIONIST:
                return set(await self._records.users.doctor_ids())
            case _:
                return set()

    async def snapshot(self, person: Identity, start_from: datetime) -> Snapshot:
        """Return the appointments that the person may see and that start at `start_from` or later."""
        wanted = AppointmentFilter(start_from=start_from).within(visible_to(person.role, person.user_id))
        position, own = await self._read(await self.doctors(person), wanted, {})
        of_person = {appointment.id: appointment for appointment in own}

        def apply(recorded: RecordedEvent[Aggregate]) -> None:
            # An appointment that was rescheduled while the pages were read may be on none of them.
            appointment = recorded.aggregate
            if isinstance(appointment, Appointment) and wanted.matches(appointment):
                of_person[appointment.id] = appointment

        await self._apply_later_events(position, apply)
        shown = sorted(of_person.values(), key=lambda appointment: (appointment.start, appointment.id))
        # Read last, so that it includes every change up to the position.
        schedule_record = (
            await schedule_record_of(self._records, person.user_id) if person.role is Role.DOCTOR else None
        )
        schedule = as_of(schedule_record, position[person.user_id]).current if schedule_record else None
        return Snapshot(shown, position, schedule)

    async def missed(self, person: Identity, since: Mapping[str, int], limit: int) -> Missed | None:
        """Return the events after `since`; all events of a doctor who is not in it, because the patient is new there.

        None for more than `limit` events, and for a position that no answer can have held: with a doctor who is not
        the person's, or with a `seq` that the doctor has not reached.
        """
        doctors = await self.doctors(person)
        if not (since.keys() == doctors if person.role is Role.DOCTOR else since.keys() <= doctors):
            return None
        last = {doctor_id: await self._appointments.last_seq(doctor_id, seq) for doctor_id, seq in since.items()}
        if any(last[doctor_id] < seq for doctor_id, seq in since.items()):
            return None
        behind = sum(last.values()) - sum(since.values())
        if person.role is Role.DOCTOR:
            missed = await self._since(since, last) if behind <= limit else None
        elif person.role is Role.RECEPTIONIST:
            # Too far behind means a snapshot: the other way reads every appointment that the clinic ever had.
            missed = await self._missed_of(person, since, last, doctors - since.keys()) if behind <= limit else None
        elif behind <= self._limits.scanned_events:
            missed = await self._missed_of(person, since, last, doctors - since.keys())
        else:
            missed = await self._all_of(person, doctors, since, visible_to(person.role, person.user_id), last)
        return missed if missed and len(missed.events) <= limit else None

    async def between(self, person: Identity, doctor_id: str) -> Missed:
        """Return all events of one doctor that a patient or a receptionist may see."""
        wanted = AppointmentFilter(doctor_id=doctor_id).within(visible_to(person.role, person.user_id))
        return await self._all_of(person, {doctor_id}, {}, wanted, {})

    async def _since(self, since: Mapping[str, int], last: Position) -> Missed:
        """Return all events of these doctors after `since` up to `last`, which the doctors have reached."""
        events: list[RecordedEvent[Aggregate]] = []
        for doctor_id, reached in since.items():
            after = reached
            while after < last[doctor_id]:
                events += await self._appointments.events_after(doctor_id, after, last=last[doctor_id])
                after = events[-1].event.seq
        return Missed(events, last)

    async def _missed_of(
        self, person: Identity, since: Mapping[str, int], last: Position, new_doctors: set[str]
    ) -> Missed:
        """Return the missed events of a patient or a receptionist who was away for a moment.

        Few events of the person's doctors are new, while the appointments that the person may see may be many.
        """
        of_doctors = await self._since(since, last)
        events = [past for past in of_doctors.events if _concerns(past, person)]
        position = dict(of_doctors.position)
        for doctor_id in new_doctors:
            history = await self.between(person, doctor_id)
            events += history.events
            position |= history.position
        return Missed(sorted(events, key=_by_doctor), position)

    async def _all_of(
        self,
        person: Identity,
        doctors: set[str],
        since: Mapping[str, int],
        wanted: AppointmentFilter,
        known: Position,
    ) -> Missed:
        position, own = await self._read(doctors, wanted, known)
        events: list[RecordedEvent[Aggregate]] = [
            RecordedEvent(event, as_of(appointment, event.seq))
            for appointment in own
            for event in appointment.history
            # Later events were read with some appointments and not with others; all of them are applied below.
            if since.get(appointment.doctor_id, 0) < event.seq <= position[appointment.doctor_id]
        ]
        await self._apply_later_events(position, events.append)
        own_events = [past for past in events if _concerns(past, person)]
        return Missed(sorted(own_events, key=_by_doctor), position)

    async def _read(
        self, doctors: set[str], wanted: AppointmentFilter, known: Position
    ) -> tuple[Position, list[Appointment]]:
        """Return the position of each doctor, and the appointments as read after that.

        `known` holds positions that were read before. If the appointments name a doctor who became the patient's
        meanwhile, all is read again.
        """
        while True:
            unknown = doctors - known.keys()
            known = known | {doctor_id: await self._appointments.last_seq(doctor_id) for doctor_id in unknown}
            own = await self._every(doctors, wanted)
            found = {appointment.doctor_id for appointment in own}
            if found <= doctors:
                return known, own
            doctors = doctors | found

    async def _every(self, doctors: set[str], wanted: AppointmentFilter) -> list[Appointment]:
        """Return all appointments that pass the filter."""
        if wanted.doctor_id is not None or wanted.patient_id is not None:
            return await every_appointment(self._appointments, wanted, self._limits.record_page)
        found: list[Appointment] = []
        # Doctor by doctor: there is no index on the start alone.
        for doctor_id in sorted(doctors):
            of_doctor = wanted.within(AppointmentFilter(doctor_id=doctor_id))
            found += await every_appointment(self._appointments, of_doctor, self._limits.record_page)
        return found

    async def _apply_later_events(self, position: Position, apply: Callable[[RecordedEvent[Aggregate]], None]) -> None:
        """Call `apply` with every event after `position`, and move `position` to the last of them."""
        for doctor_id in position:
            while events := await self._appointments.events_after(doctor_id, position[doctor_id]):
                for past in events:
                    apply(past)
                position[doctor_id] = events[-1].event.seq


def _concerns(recorded: RecordedEvent[Aggregate], person: Identity) -> bool:
    """Return whether a patient or a receptionist is sent the event: doctors' hours are for the doctors only."""
    appointment = recorded.aggregate
    if not isinstance(appointment, Appointment) or not visible_to(person.role, person.user_id).matches(appointment):
        return False
    return person.role is not Role.PATIENT or concerns_patient(recorded.event)


def _by_doctor(recorded: RecordedEvent[Aggregate]) -> tuple[str, int]:
    return recorded.doctor_id, recorded.event.seq
