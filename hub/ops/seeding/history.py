"""Generates the appointments of the seeded clinic up to today: bookings, changes and visits."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Literal, TypedDict

from hub.ops.seeding.clinic import Action, SimulatedClinic
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import (
    BookAppointment,
    CancelAppointment,
    CompleteAppointment,
    ConfirmAppointment,
    RescheduleAppointment,
)
from hub.scheduling.schedule import Schedule
from hub.scheduling.values import Actor, Role

_DAYS = range(-35, 22)
"""The days, counted from today, for which patients try to book."""
_WANTED_PAST, _WANTED_FUTURE = (1, 2), (3, 6)
"""The minimum and maximum of bookings tried per doctor and day. Of those for future days, many are due after today and
are not made."""
_LONGEST_LEAD, _SHORTEST_LEAD = timedelta(days=26), timedelta(minutes=15)
_BY_THE_DOCTOR = 0.15
"""The fraction of bookings made by the doctor."""
_BY_THE_PATIENT = 0.75
"""The fraction of cancellations made by the patient."""
_CONFIRMS = 0.7
"""The fraction of patients that confirm."""

_Outcome = Literal["kept", "late", "missed", "cancelled", "moved"]
_OUTCOMES: dict[_Outcome, int] = {"kept": 66, "late": 3, "missed": 9, "cancelled": 13, "moved": 9}
"""The percentage of appointments with each outcome."""
_REASONS = (
    *("Check-up", "Follow-up", "Blood results", "Persistent cough", "Back pain", "Headaches", "Skin rash"),
    *("Prescription renewal", "Referral", "Sleep problems", "Allergy", "Knee pain", "Second opinion"),
    *("Vaccination", None, None, None),
)


def history(doctors: Sequence[Schedule], patient_ids: Sequence[str], today: date) -> list[Appointment]:
    """Return each appointment after each of its events, in the order of the events.

    The simulated clock stops at midnight (UTC) at the beginning of `today`, and no appointment starts today that could
    still change. So the data does not depend on the time of day, and all past appointments are finished.
    """
    return _Generator(doctors, patient_ids, today).versions()


class _Header(TypedDict):
    id: str
    doctor_id: str
    by: Actor
    at: datetime


class _Generator:
    """Schedules bookings, changes and visits at random. All random numbers are drawn here, in a fixed order."""

    def __init__(self, doctors: Sequence[Schedule], patient_ids: Sequence[str], today: date) -> None:
        self._clinic = SimulatedClinic(doctors, today.isoformat())
        self._doctors = doctors
        self._patient_ids = patient_ids
        self._today = today
        self._midnight = datetime.combine(today, time(0), UTC)
        self._random = Random(f"a clinic on {today.isoformat()}")  # noqa: S311  # reproducible example data

    def versions(self) -> list[Appointment]:
        for doctor in self._doctors:
            for away in _DAYS:
                self._schedule_bookings(doctor, away)
        self._clinic.run_until(self._midnight)
        return self._clinic.versions

    def _schedule_bookings(self, doctor: Schedule, away: int) -> None:
        """Choose slots of a day, and schedule a booking of each."""
        starts = [start for start in doctor.starts_of(self._today + timedelta(days=away)) if self._may_start(start)]
        wanted = self._random.randint(*(_WANTED_PAST if away <= 0 else _WANTED_FUTURE))
        for start in self._random.sample(starts, min(len(starts), wanted)):
            # Squared: most bookings are made a few days ahead, some weeks ahead.
            lead = _SHORTEST_LEAD + self._random.random() ** 2 * _LONGEST_LEAD
            self._clinic.later(_whole_minute(start - lead), self._booking(doctor.id, start))

    def _may_start(self, start: datetime) -> bool:
        """Whether an appointment at `start` ends, or is a no-show, before the clock stops, or begins after today."""
        return not self._midnight - timedelta(hours=1) <= start < self._midnight + timedelta(days=1)

    def _booking(self, doctor_id: str, start: datetime) -> Action:
        patient_id = self._random.choice(self._patient_ids)
        by = _doctor(doctor_id) if self._random.random() < _BY_THE_DOCTOR else _patient(patient_id)
        reason = self._random.choice(_REASONS)
        (outcome,) = self._random.choices(list(_OUTCOMES), weights=list(_OUTCOMES.values()))

        def act(now: datetime) -> None:
            header = self._header(doctor_id, by, now)
            booked = self._clinic.give(
                BookAppointment(**header, patient_id=patient_id, start=start, reason=reason),
            )
            if booked:
                self._schedule_outcome(outcome, booked)

        return act

    def _schedule_outcome(self, outcome: _Outcome, appointment: Appointment) -> None:
        """Schedule the outcome of an appointment that was just booked or moved."""
        patient, doctor = _patient(appointment.patient_id), _doctor(appointment.doctor_id)
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
                    # A late patient comes after the hub has marked the no-show; the doctor then completes it.
                    minutes = self._random.randint(0, 14) if outcome == "kept" else self._random.randint(16, 28)
                    seen = appointment.start + timedelta(minutes=minutes)
                    self._clinic.later(seen, self._change(CompleteAppointment, appointment, doctor))

    def _change(
        self,
        kind: type[CancelAppointment] | type[ConfirmAppointment] | type[CompleteAppointment],
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
                if slot.available and self._may_start(slot.start)
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


def _patient(patient_id: str) -> Actor:
    return Actor(id=patient_id, role=Role.PATIENT, via="seed")


def _doctor(doctor_id: str) -> Actor:
    return Actor(id=doctor_id, role=Role.DOCTOR, via="seed")


def _whole_minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)
