"""Generates the appointments of the seeded clinic up to now: bookings, changes and visits."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Literal, TypedDict

from hub.ops.seeding.clinic import Action, SimulatedClinic
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import (
    BookAppointment,
    CallInPatient,
    CancelAppointment,
    CheckInPatient,
    CompleteAppointment,
    ConfirmAppointment,
    RescheduleAppointment,
)
from hub.scheduling.schedule import Schedule
from hub.scheduling.values import Actor, Role

_MINUTE = timedelta(minutes=1)
_DAYS = range(-35, 22)
"""The days, counted from today, for which patients try to book."""
_WANTED_PAST, _WANTED_FUTURE = (1, 2), (3, 6)
"""The minimum and maximum of bookings tried per doctor and day. Of those for future days, many are made after today."""
_TAKEN_TODAY = 0.75
"""The fraction of today's slots that are booked, so that while doctors work patients wait and are seen."""
_VISITS_SINCE = timedelta(days=7)
"""How long before today the front desk began to check patients in."""
_LONGEST_LEAD, _SHORTEST_LEAD = timedelta(days=26), timedelta(minutes=15)
_BY_THE_DOCTOR = 0.15
"""The fraction of bookings made by the doctor."""
_BY_THE_DESK = 0.15
"""The same of bookings made by a receptionist, who makes all of those for patients without a log-in."""
_BY_THE_PATIENT = 0.75
"""The fraction of cancellations made by the patient."""
_CONFIRMS = 0.7
"""The fraction of patients that confirm."""

_Outcome = Literal["kept", "late", "missed", "cancelled", "moved"]
_OUTCOMES: dict[_Outcome, int] = {"kept": 66, "late": 3, "missed": 9, "cancelled": 13, "moved": 9}
"""The percentage of appointments with each outcome."""
_OUTCOMES_TODAY: dict[_Outcome, int] = {"kept": 84, "late": 3, "missed": 5, "cancelled": 5, "moved": 3}
_REASONS = (
    *("Check-up", "Follow-up", "Blood results", "Persistent cough", "Back pain", "Headaches", "Skin rash"),
    *("Prescription renewal", "Referral", "Sleep problems", "Allergy", "Knee pain", "Second opinion"),
    *("Vaccination", None, None, None),
)


def history(
    doctors: Sequence[Schedule],
    patient_ids: Sequence[str],
    registered_ids: Sequence[str],
    desk_ids: Sequence[str],
    now: datetime,
) -> list[Appointment]:
    """Return each appointment after each of its events, in the order of the events, up to `now`.

    `registered_ids` are patients without a log-in, for whom receptionists (`desk_ids`) act. The data depends on the day
    (UTC) of `now`. At a later hour of the day there are more events, and those before are the same.
    """
    return _Generator(doctors, patient_ids, registered_ids, desk_ids, now).versions()


class _Header(TypedDict):
    id: str
    doctor_id: str
    by: Actor
    at: datetime


class _Generator:
    """Schedules bookings, changes and visits at random. All random numbers are drawn here, in a fixed order."""

    def __init__(
        self,
        doctors: Sequence[Schedule],
        patient_ids: Sequence[str],
        registered_ids: Sequence[str],
        desk_ids: Sequence[str],
        now: datetime,
    ) -> None:
        self._now = now.astimezone(UTC)
        self._today = self._now.date()
        self._clinic = SimulatedClinic(doctors, self._today.isoformat())
        self._doctors = doctors
        self._patient_ids = [*patient_ids, *registered_ids]
        self._registered_ids = frozenset(registered_ids)
        self._desk_ids = desk_ids
        self._midnight = datetime.combine(self._today, time(0), UTC)
        self._random = Random(f"a clinic on {self._today.isoformat()}")  # noqa: S311  # reproducible example data

    def versions(self) -> list[Appointment]:
        for doctor in self._doctors:
            for away in _DAYS:
                self._schedule_bookings(doctor, away)
        self._clinic.run_until(self._now)
        return self._clinic.versions

    def _schedule_bookings(self, doctor: Schedule, away: int) -> None:
        """Choose slots of a day, and schedule a booking of each."""
        starts = list(doctor.starts_of(self._today + timedelta(days=away)))
        wanted = self._random.randint(*(_WANTED_PAST if away < 0 else _WANTED_FUTURE))
        today = [start for start in starts if self._is_today(start)]
        chosen = self._random.sample(today, round(len(today) * _TAKEN_TODAY))
        others = [start for start in starts if not self._is_today(start)]
        chosen += self._random.sample(others, min(len(others), wanted))
        for start in chosen:
            # Squared: most bookings are made a few days ahead, some weeks ahead.
            lead = _SHORTEST_LEAD + self._random.random() ** 2 * _LONGEST_LEAD
            self._clinic.later(_whole_minute(start - lead), self._booking(doctor.id, start))

    def _is_today(self, start: datetime) -> bool:
        """Whether an appointment at `start` may be waiting or under way at some time of today."""
        return self._midnight - timedelta(hours=1) <= start < self._midnight + timedelta(days=1)

    def _booking(self, doctor_id: str, start: datetime) -> Action:
        patient_id = self._random.choice(self._patient_ids)
        by = self._booker(doctor_id, patient_id)
        reason = self._random.choice(_REASONS)
        outcomes = _OUTCOMES_TODAY if self._is_today(start) else _OUTCOMES
        (outcome,) = self._random.choices(list(outcomes), weights=list(outcomes.values()))

        def act(now: datetime) -> None:
            header = self._header(doctor_id, by, now)
            booked = self._clinic.give(
                BookAppointment(**header, patient_id=patient_id, start=start, reason=reason),
            )
            if booked:
                self._schedule_outcome(outcome, booked)

        return act

    def _booker(self, doctor_id: str, patient_id: str) -> Actor:
        dice = self._random.random()
        if dice < _BY_THE_DOCTOR:
            return _doctor(doctor_id)
        return self._desk() if dice < _BY_THE_DOCTOR + _BY_THE_DESK else self._patient(patient_id)

    def _patient(self, patient_id: str) -> Actor:
        """Return who acts for a patient: the patient, or the desk for one who cannot log in."""
        if patient_id in self._registered_ids:
            return self._desk()
        return Actor(id=patient_id, role=Role.PATIENT, via="seed")

    def _desk(self) -> Actor:
        return Actor(id=self._random.choice(self._desk_ids), role=Role.RECEPTIONIST, via="seed")

    def _schedule_outcome(self, outcome: _Outcome, appointment: Appointment) -> None:
        """Schedule the outcome of an appointment that was just booked or moved."""
        patient, doctor = self._patient(appointment.patient_id), _doctor(appointment.doctor_id)
        match outcome:
            case "cancelled":
                by = patient if self._random.random() < _BY_THE_PATIENT else doctor
                self._clinic.later(self._before(appointment), self._change(CancelAppointment, appointment, by))
            case "moved":
                self._clinic.later(self._before(appointment), self._move(appointment, patient))
            case "kept" | "late" | "missed":
                if self._random.random() < _CONFIRMS:
                    self._clinic.later(
                        self._before(appointment), self._change(ConfirmAppointment, appointment, patient)
                    )
                if outcome != "missed":
                    self._schedule_visit(appointment, late=outcome == "late")

    def _schedule_visit(self, appointment: Appointment, *, late: bool) -> None:
        """Schedule the arrival, the call into the room and the end of a visit; of an older one only the end.

        A late patient comes after the hub has marked the no-show.
        """
        doctor, start = _doctor(appointment.doctor_id), appointment.start
        if start < self._midnight - _VISITS_SINCE:
            minutes = self._random.randint(16, 28) if late else self._random.randint(0, 14)
            self._clinic.later(start + minutes * _MINUTE, self._change(CompleteAppointment, appointment, doctor))
            return
        arrival = self._random.randint(16, 20) if late else self._random.randint(-30, 3)
        called = max(arrival + 1, self._random.randint(0, 6))
        ended = called + self._random.randint(15, 24)
        self._clinic.later(start + arrival * _MINUTE, self._change(CheckInPatient, appointment, self._desk()))
        self._clinic.later(start + called * _MINUTE, self._change(CallInPatient, appointment, doctor))
        self._clinic.later(start + ended * _MINUTE, self._change(CompleteAppointment, appointment, doctor))

    def _change(
        self,
        kind: type[CancelAppointment]
        | type[ConfirmAppointment]
        | type[CompleteAppointment]
        | type[CheckInPatient]
        | type[CallInPatient],
        appointment: Appointment,
        by: Actor,
    ) -> Action:
        def act(now: datetime) -> None:
            self._clinic.give(kind(**self._header(appointment.doctor_id, by, now), appointment_id=appointment.id))

        return act

    def _move(self, appointment: Appointment, by: Actor) -> Action:
        def act(now: datetime) -> None:
            day = self._clinic.doctor(appointment.doctor_id).day_of(appointment.start)
            free = [
                slot.start
                for away in range(1, 9)
                for slot in self._clinic.slots(appointment.doctor_id, day + timedelta(days=away), now)
                if slot.available
            ]
            if not free:
                return  # the doctor is away, so the appointment is kept and becomes a no-show
            header = self._header(appointment.doctor_id, by, now)
            start = self._random.choice(free)
            moved = self._clinic.give(RescheduleAppointment(**header, appointment_id=appointment.id, start=start))
            if moved:
                self._schedule_outcome("kept", moved)

        return act

    def _before(self, appointment: Appointment) -> datetime:
        """Return a random time between the last event of an appointment and its start."""
        since = appointment.last.at
        return max(since, _whole_minute(since + self._random.random() * (appointment.start - since)))

    def _header(self, doctor_id: str, by: Actor, now: datetime) -> _Header:
        return {"id": self._clinic.command_id(), "doctor_id": doctor_id, "by": by, "at": now}


def _doctor(doctor_id: str) -> Actor:
    return Actor(id=doctor_id, role=Role.DOCTOR, via="seed")


def _whole_minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)
