"""The rules, for REST and for sockets."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hub.clock import system_clock
from tests.tools.bench.rival.jobs import Jobs
from tests.tools.bench.rival.models import ACTIVE, Appointment, BookRequest, Doctor, Filter, Slot, SlotChange, Status
from tests.tools.bench.rival.problems import Problem
from tests.tools.bench.rival.repository import Document, Repository, shown
from tests.tools.bench.rival.tokens import Identity

_DURATION = timedelta(minutes=30)


@dataclass(frozen=True)
class _Action:
    """Who may do it, from which statuses, and what it leads to."""

    roles: tuple[str, ...]
    before: tuple[Status, ...]
    after: Status


ACTIONS = {
    "confirm": _Action(("doctor", "patient"), (Status.SCHEDULED,), Status.CONFIRMED),
    "cancel": _Action(("doctor", "patient"), ACTIVE, Status.CANCELLED),
    "complete": _Action(("doctor",), ACTIVE, Status.COMPLETED),
}

Publish = Callable[[str, Appointment], Awaitable[None]]
"""Tells the doctor and the patient that something of this type happened to an appointment."""
PublishSlot = Callable[[date, SlotChange], Awaitable[None]]
"""Tells those who watch the doctor's day about a slot."""
SendText = Callable[[str | None, str], Awaitable[None]]
"""Sends a text to a phone number."""


class DoctorSchedule:
    """When a doctor works. Doctors do not change here, so the service keeps them in memory."""

    def __init__(self, doctor: Doctor) -> None:
        self.doctor = doctor
        self._zone = ZoneInfo(doctor.zone)
        self._shifts = {weekday: [s for s in doctor.shifts if s.weekday == weekday] for weekday in range(7)}

    def bounds(self, day: date) -> tuple[datetime, datetime]:
        """Return the first instant of a calendar day and the first one of the next day."""
        return tuple(datetime.combine(each, time(0), self._zone) for each in (day, day + timedelta(days=1)))  # type: ignore[return-value]

    def day_of(self, instant: datetime) -> date:
        """Return the calendar day of an instant."""
        return instant.astimezone(self._zone).date()

    def works_at(self, start: datetime) -> bool:
        """Return whether an appointment may start then."""
        local = start.astimezone(self._zone)
        minute = local.hour * 60 + local.minute
        return any(shift.opens <= minute < shift.closes for shift in self._shifts[local.weekday()])

    def on_grid(self, start: datetime) -> bool:
        """Return whether it is a full or a half hour."""
        local = start.astimezone(self._zone)
        return local.minute % 30 == 0 and local.second == 0 and local.microsecond == 0


class Service:
    """Books and changes appointments, and answers questions about them."""

    def __init__(
        self, repository: Repository, jobs: Jobs, publish: Publish, publish_slot: PublishSlot, send_text: SendText
    ) -> None:
        self._repository = repository
        self._jobs = jobs
        self._publish = publish
        self._publish_slot = publish_slot
        self._send_text = send_text
        self._schedules: dict[str, DoctorSchedule] = {}

    async def book(self, who: Identity, request: BookRequest) -> Appointment:
        """Book a slot for a patient."""
        if who.role != "patient":
            raise Problem("forbidden", "Only patients book.")
        schedule = await self.schedule(request.doctor_id)
        _check_start(schedule, request.start)
        end = request.start + _DURATION
        document = await self._repository.add(request.doctor_id, who.user_id, request.start, end, request.reason)
        await self._jobs.add(document["_id"], request.start)
        await self._slot_changed(schedule, request.start, available=False)
        return await self._told("booked", document)

    async def change(self, who: Identity, action: str, appointment_id: str) -> Appointment:
        """Confirm, cancel or complete an appointment."""
        allowed = ACTIONS[action]
        document = await self._own(who, appointment_id)
        if who.role not in allowed.roles:
            raise Problem("forbidden", f"A {who.role} cannot {action} an appointment.")
        if document["status"] not in allowed.before:
            raise Problem("wrong_status", f"The appointment is {document['status']}.")
        changed = await self._repository.change(document, {"status": allowed.after})
        if allowed.after not in ACTIVE:
            await self._jobs.remove(appointment_id)
            await self._slot_freed(await self.schedule(changed["doctorId"]), changed["start"])
        return await self._told(str(allowed.after), changed)

    async def reschedule(self, who: Identity, appointment_id: str, start: datetime) -> Appointment:
        """Move an appointment to another slot of its doctor."""
        document = await self._own(who, appointment_id)
        if document["status"] not in ACTIVE:
            raise Problem("wrong_status", f"The appointment is {document['status']}.")
        schedule = await self.schedule(document["doctorId"])
        _check_start(schedule, start)
        moved = {"start": start, "end": start + _DURATION, "status": Status.SCHEDULED}
        changed = await self._repository.change(document, moved)
        await self._jobs.add(appointment_id, start)
        await self._slot_freed(schedule, document["start"])
        await self._slot_changed(schedule, start, available=False)
        return await self._told("rescheduled", changed)

    async def show(self, who: Identity, appointment_id: str) -> Appointment:
        """Return an appointment of the caller."""
        return shown(await self._own(who, appointment_id))

    async def find(self, who: Identity, wanted: Filter) -> list[Appointment]:
        """Return the caller's appointments by start."""
        found = await self._repository.find({f"{who.role}Id": who.user_id}, wanted)
        return [shown(document) for document in found]

    async def doctors(self) -> list[Doctor]:
        """Return all doctors by name."""
        return [_doctor(document) for document in await self._repository.doctors()]

    async def slots(self, doctor_id: str, day: date) -> list[Slot]:
        """Return the slots of a doctor's calendar day."""
        schedule = await self.schedule(doctor_id)
        start, end = schedule.bounds(day)
        taken = await self._repository.taken(doctor_id, start, end)
        return _slots(schedule, day, taken, system_clock())

    async def remind(self, appointment_id: str) -> None:
        """Text the patient, unless the appointment was cancelled meanwhile."""
        document = await self._repository.appointment(appointment_id)
        if not document or document["status"] not in ACTIVE:
            return
        patient = await self._repository.user(document["patientId"])
        await self._send_text(patient["phone"] if patient else None, "Your appointment is in three hours.")
        await self._told("reminded", document)

    async def mark_missed(self, appointment_id: str) -> None:
        """Mark an appointment that was neither completed nor cancelled."""
        document = await self._repository.appointment(appointment_id)
        if document and document["status"] in ACTIVE:
            await self._told("no_show", await self._repository.change(document, {"status": Status.NO_SHOW}))

    async def schedule(self, doctor_id: str) -> DoctorSchedule:
        """Return when a doctor works."""
        if known := self._schedules.get(doctor_id):
            return known
        document = await self._repository.user(doctor_id)
        if not document or document["role"] != "doctor":
            raise Problem("not_found", "There is no such doctor.")
        return self._schedules.setdefault(doctor_id, DoctorSchedule(_doctor(document)))

    async def _own(self, who: Identity, appointment_id: str) -> Document:
        document = await self._repository.appointment(appointment_id)
        if not document or document[f"{who.role}Id"] != who.user_id:
            raise Problem("not_found", "There is no such appointment.")
        return document

    async def _told(self, kind: str, document: Document) -> Appointment:
        appointment = shown(document)
        await self._publish(kind, appointment)
        return appointment

    async def _slot_freed(self, schedule: DoctorSchedule, start: datetime) -> None:
        await self._slot_changed(schedule, start, available=start > system_clock())

    async def _slot_changed(self, schedule: DoctorSchedule, start: datetime, *, available: bool) -> None:
        change = SlotChange.model_construct(doctor_id=schedule.doctor.id, start=start, available=available)
        await self._publish_slot(schedule.day_of(start), change)


def _check_start(schedule: DoctorSchedule, start: datetime) -> None:
    if start <= system_clock():
        raise Problem("in_the_past", "The time has passed.")
    if not schedule.on_grid(start):
        raise Problem("off_grid", "Appointments start on full and half hours.")
    if not schedule.works_at(start):
        raise Problem("outside_hours", "The doctor does not work then.")


def _slots(schedule: DoctorSchedule, day: date, taken: set[datetime], now: datetime) -> list[Slot]:
    begin, end = (instant.astimezone(now.tzinfo) for instant in schedule.bounds(day))
    starts = (begin + number * _DURATION for number in range((end - begin) // _DURATION))
    return [
        Slot.model_construct(start=start, end=start + _DURATION, available=start > now and start not in taken)
        for start in starts
        if schedule.works_at(start)
    ]


def _doctor(document: dict[str, Any]) -> Doctor:
    return Doctor(id=document["_id"], name=document["name"], zone=document["zone"], shifts=document["shifts"])
