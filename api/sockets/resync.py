"""What the record holds of one person's appointments, true at one certain point of each of their doctors.

No read shows everything at one moment: a document is read before or after an event, whichever it was. So we ask first
where each doctor stands, then read, and then lead what was read on by the doctor's later events, until there are none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from api.sockets.rooms import concerns_patient
from api.visibility import visible_to
from hub.accounts.identity import Identity
from hub.records.paging import every_appointment
from hub.records.ports import AppointmentFilter, Records
from hub.records.schedules import schedule_record_of
from hub.scheduling.appointment import Appointment, as_of
from hub.scheduling.recorded_event import Happened, Past
from hub.scheduling.schedule import Schedule
from hub.scheduling.values import Role

_FEW = 100
"""Events of all patients of somebody's doctors; reading so many is no more than reading all own appointments."""

Position = dict[str, int]
"""The last `seq` that is known, by the doctor's id."""


@dataclass(frozen=True)
class Snapshot:
    """Appointments ordered by start, as they stand at `position`, which holds every doctor of the person.

    `doctor` is who it is, with the hours as they are at the position; None for a patient.
    """

    appointments: list[Appointment]
    position: Position
    doctor: Schedule | None


@dataclass(frozen=True)
class Missed:
    """All that happened after somebody's position up to this one; the events of each doctor in order."""

    events: list[Past]
    position: Position


class OwnRecord:
    """Reads what somebody may see."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._appointments = records.appointments

    async def doctors(self, who: Identity) -> set[str]:
        """Return the doctors whose events may concern somebody: a doctor's own id, all that a patient ever met."""
        match who.role:
            case Role.DOCTOR:
                return {who.user_id}
            case Role.PATIENT:
                return (await self._appointments.doctors_of([who.user_id])).get(who.user_id, set())
            case _:
                return set()

    async def snapshot(self, who: Identity, start_from: datetime) -> Snapshot:
        """Return the own appointments that start at `start_from` or later."""
        wanted = AppointmentFilter(start_from=start_from).within(visible_to(who.role, who.user_id))
        position, own = await self._read(await self.doctors(who), wanted, {})
        of_person = {appointment.id: appointment for appointment in own}

        def lead(past: Past) -> None:
            # An appointment that moved while the pages were read may be on none of them.
            if isinstance(past, Happened) and wanted.matches(past.appointment):
                of_person[past.appointment.id] = past.appointment

        await self._lead_on(position, lead)
        shown = sorted(of_person.values(), key=lambda appointment: (appointment.start, appointment.id))
        # Read last, so it knows every change up to the position.
        schedule_record = await schedule_record_of(self._records, who.user_id) if who.role is Role.DOCTOR else None
        return Snapshot(shown, position, schedule_record.as_of(position[who.user_id]) if schedule_record else None)

    async def missed(self, who: Identity, since: Mapping[str, int], limit: int) -> Missed | None:
        """Return what happened after `since`; of a doctor who is not in it, everything: a patient has met one since.

        None when that is more than `limit` events, or nobody can have been there: a doctor whom the person has nothing
        to do with, or a `seq` that has not been reached.
        """
        doctors = await self.doctors(who)
        if not (since.keys() == doctors if who.role is Role.DOCTOR else since.keys() <= doctors):
            return None
        last = {doctor_id: await self._appointments.last_seq(doctor_id, seq) for doctor_id, seq in since.items()}
        if any(last[doctor_id] < seq for doctor_id, seq in since.items()):
            return None
        behind = sum(last.values()) - sum(since.values())
        if who.role is Role.DOCTOR:
            missed = await self._since(since, last) if behind <= limit else None
        elif behind <= _FEW:
            missed = await self._missed_by_patient(who.user_id, since, last, doctors - since.keys())
        else:
            missed = await self._of_patient(doctors, since, visible_to(who.role, who.user_id), last)
        return missed if missed and len(missed.events) <= limit else None

    async def between(self, patient_id: str, doctor_id: str) -> Missed:
        """Return all that ever happened between a patient and one doctor."""
        wanted = AppointmentFilter(patient_id=patient_id, doctor_id=doctor_id)
        return await self._of_patient({doctor_id}, {}, wanted, {})

    async def _since(self, since: Mapping[str, int], last: Position) -> Missed:
        """Return all events of these doctors after `since` up to `last`, which they have reached."""
        events: list[Past] = []
        for doctor_id, reached in since.items():
            after = reached
            while after < last[doctor_id]:
                events += await self._appointments.happened(doctor_id, after, last=last[doctor_id])
                after = events[-1].event.seq
        return Missed(events, last)

    async def _missed_by_patient(
        self, patient_id: str, since: Mapping[str, int], last: Position, newly_met: set[str]
    ) -> Missed:
        """Return what somebody missed who was away for a moment.

        What their doctors did since is little, and all that the patient ever had with them may be much.
        """
        of_doctors = await self._since(since, last)
        events = [past for past in of_doctors.events if _is_told(past, patient_id)]
        position = dict(of_doctors.position)
        for doctor_id in newly_met:
            met = await self.between(patient_id, doctor_id)
            events += met.events
            position |= met.position
        return Missed(sorted(events, key=_by_doctor), position)

    async def _of_patient(
        self, doctors: set[str], since: Mapping[str, int], wanted: AppointmentFilter, stood: Position
    ) -> Missed:
        position, own = await self._read(doctors, wanted, stood)
        events: list[Past] = [
            Happened(event, as_of(appointment, event))
            for appointment in own
            for event in appointment.history
            # What is above was read of one appointment and perhaps not of another; the lead brings all of it.
            if since.get(appointment.doctor_id, 0) < event.seq <= position[appointment.doctor_id]
        ]
        await self._lead_on(position, events.append)
        told = [past for past in events if _is_told(past, wanted.patient_id)]
        return Missed(sorted(told, key=_by_doctor), position)

    async def _read(
        self, doctors: set[str], wanted: AppointmentFilter, stood: Position
    ) -> tuple[Position, list[Appointment]]:
        """Return where each doctor stood, and the appointments as read after that; `stood` is what is known of it.

        A doctor whom the patient meets meanwhile is only known afterwards: then all is read again.
        """
        while True:
            asked = doctors - stood.keys()
            stood = stood | {doctor_id: await self._appointments.last_seq(doctor_id) for doctor_id in asked}
            own = await every_appointment(self._appointments, wanted)
            found = {appointment.doctor_id for appointment in own}
            if found <= doctors:
                return stood, own
            doctors = doctors | found

    async def _lead_on(self, position: Position, lead: Callable[[Past], None]) -> None:
        """Call `lead` with every event after `position`, which is moved to the last of them."""
        for doctor_id in position:
            while events := await self._appointments.happened(doctor_id, position[doctor_id]):
                for past in events:
                    lead(past)
                position[doctor_id] = events[-1].event.seq


def _is_told(past: Past, patient_id: str | None) -> bool:
    """Return whether a patient is told of what happened: it is about them, and not for the doctor alone."""
    return isinstance(past, Happened) and past.appointment.patient_id == patient_id and concerns_patient(past.event)


def _by_doctor(past: Past) -> tuple[str, int]:
    return past.doctor_id, past.event.seq
