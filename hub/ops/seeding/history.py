"""Generates the appointments of the seeded clinic up to now: bookings, changes and visits, and who waits for what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Literal

from hub.ops.seeding.cast import REASONS, Cast, doctor_actor, whole_minute
from hub.ops.seeding.clinic import Action, SimulatedClinic, Version
from hub.ops.seeding.waiting import FullDay, WaitingPatients
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
from hub.scheduling.values import Actor

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
_AWAITED = 0.3
"""The fraction of cancelled appointments for whose time somebody waits."""
_FULL_SINCE = 2
"""How many days from today the first doctor's full day is at least, so that it is well ahead at any hour of today."""

_Outcome = Literal["kept", "late", "missed", "cancelled", "moved"]
_OUTCOMES: dict[_Outcome, int] = {"kept": 66, "late": 3, "missed": 9, "cancelled": 13, "moved": 9}
"""The percentage of appointments with each outcome."""
_OUTCOMES_TODAY: dict[_Outcome, int] = {"kept": 84, "late": 3, "missed": 5, "cancelled": 5, "moved": 3}


@dataclass(frozen=True)
class History:
    """Each appointment and each entry of a waitlist after each of its events, in the order of the events.

    `latest` is what happens at the end of it, so that something is offered just then: a patient cancels, and the slot
    is offered to the first patient, who waits for it.
    """

    versions: list[Version]
    latest: list[Version]


def history(
    doctors: Sequence[Schedule],
    patient_ids: Sequence[str],
    registered_ids: Sequence[str],
    desk_ids: Sequence[str],
    now: datetime,
) -> History:
    """Return the history of the clinic up to `now`.

    `registered_ids` are patients without a log-in, for whom receptionists (`desk_ids`) act. The data depends on the day
    (UTC) of `now`. At a later hour of the day there are more events, and those before are the same, but for `latest`.
    """
    return _Generator(doctors, patient_ids, registered_ids, desk_ids, now).history()


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
        self._midnight = datetime.combine(self._today, time(0), UTC)
        self._random = Random(f"a clinic on {self._today.isoformat()}")  # noqa: S311  # reproducible example data
        self._clinic = SimulatedClinic(doctors, self._today.isoformat())
        self._doctors = doctors
        self._patient_ids = [*patient_ids, *registered_ids]
        self._cast = Cast(self._clinic, self._random, registered_ids, desk_ids)
        self._waiting = WaitingPatients(self._clinic, self._random, self._cast, self._patient_ids, self._schedule_visit)
        self._clinic.on_offer = self._waiting.schedule_answer

    def history(self) -> History:
        full_day = self._full_day(self._doctors[0])
        for doctor in self._doctors:
            for away in _DAYS:
                self._schedule_bookings(doctor, away, full_day)
        self._waiting.schedule_full_day(full_day, self._midnight)
        self._clinic.run_until(self._now)
        count = len(self._clinic.versions)
        self._waiting.offer(full_day, self._now)
        return History(self._clinic.versions[:count], self._clinic.versions[count:])

    def _full_day(self, doctor: Schedule) -> FullDay:
        """Return the day that the desk books out: the first one on which the doctor works, from `_FULL_SINCE` on."""
        days = (self._today + timedelta(days=away) for away in _DAYS if away >= _FULL_SINCE)
        return next(FullDay(doctor.id, day, starts) for day in days if (starts := tuple(doctor.starts_of(day))))

    def _schedule_bookings(self, doctor: Schedule, away: int, full_day: FullDay) -> None:
        """Choose slots of a day, and schedule a booking of each."""
        starts = [
            start
            for start in doctor.starts_of(self._today + timedelta(days=away))
            if doctor.id != full_day.doctor_id or start not in full_day.starts
        ]
        wanted = self._random.randint(*(_WANTED_PAST if away < 0 else _WANTED_FUTURE))
        today = [start for start in starts if self._is_today(start)]
        chosen = self._random.sample(today, round(len(today) * _TAKEN_TODAY))
        others = [start for start in starts if not self._is_today(start)]
        chosen += self._random.sample(others, min(len(others), wanted))
        for start in chosen:
            # Squared: most bookings are made a few days ahead, some weeks ahead.
            lead = _SHORTEST_LEAD + self._random.random() ** 2 * _LONGEST_LEAD
            self._clinic.later(whole_minute(start - lead), self._booking(doctor.id, start))

    def _is_today(self, start: datetime) -> bool:
        """Whether an appointment at `start` may be waiting or under way at some time of today."""
        return self._midnight - timedelta(hours=1) <= start < self._midnight + timedelta(days=1)

    def _booking(self, doctor_id: str, start: datetime) -> Action:
        patient_id = self._random.choice(self._patient_ids)
        by = self._booker(doctor_id, patient_id)
        reason = self._random.choice(REASONS)
        outcomes = _OUTCOMES_TODAY if self._is_today(start) else _OUTCOMES
        (outcome,) = self._random.choices(list(outcomes), weights=list(outcomes.values()))

        def act(now: datetime) -> None:
            header = self._cast.header(doctor_id, by, now)
            booked = self._clinic.give(
                BookAppointment(**header, patient_id=patient_id, start=start, reason=reason),
            )
            if isinstance(booked, Appointment):
                self._schedule_outcome(outcome, booked)

        return act

    def _booker(self, doctor_id: str, patient_id: str) -> Actor:
        dice = self._random.random()
        if dice < _BY_THE_DOCTOR:
            return doctor_actor(doctor_id)
        return self._cast.desk() if dice < _BY_THE_DOCTOR + _BY_THE_DESK else self._cast.patient(patient_id)

    def _schedule_outcome(self, outcome: _Outcome, appointment: Appointment) -> None:
        """Schedule the outcome of an appointment that was just booked or moved."""
        patient, doctor = self._cast.patient(appointment.patient_id), doctor_actor(appointment.doctor_id)
        match outcome:
            case "cancelled":
                by = patient if self._random.random() < _BY_THE_PATIENT else doctor
                cancelled_at = self._before(appointment)
                self._clinic.later(cancelled_at, self._cast.change(CancelAppointment, appointment, by))
                if self._random.random() < _AWAITED:
                    self._waiting.schedule_waiting(appointment, cancelled_at)
            case "moved":
                self._clinic.later(self._before(appointment), self._move(appointment, patient))
            case "kept" | "late" | "missed":
                if self._random.random() < _CONFIRMS:
                    self._clinic.later(
                        self._before(appointment), self._cast.change(ConfirmAppointment, appointment, patient)
                    )
                if outcome != "missed":
                    self._schedule_visit(appointment, late=outcome == "late")

    def _schedule_visit(self, appointment: Appointment, *, late: bool = False) -> None:
        """Schedule the arrival, the call into the room and the end of a visit; of an older one only the end.

        A late patient comes after the hub has marked the no-show.
        """
        doctor, start = doctor_actor(appointment.doctor_id), appointment.start
        if start < self._midnight - _VISITS_SINCE:
            minutes = self._random.randint(16, 28) if late else self._random.randint(0, 14)
            self._clinic.later(start + minutes * _MINUTE, self._cast.change(CompleteAppointment, appointment, doctor))
            return
        arrival = self._random.randint(16, 20) if late else self._random.randint(-30, 3)
        called = max(arrival + 1, self._random.randint(0, 6))
        ended = called + self._random.randint(15, 24)
        self._clinic.later(start + arrival * _MINUTE, self._cast.change(CheckInPatient, appointment, self._cast.desk()))
        self._clinic.later(start + called * _MINUTE, self._cast.change(CallInPatient, appointment, doctor))
        self._clinic.later(start + ended * _MINUTE, self._cast.change(CompleteAppointment, appointment, doctor))

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
            header = self._cast.header(appointment.doctor_id, by, now)
            start = self._random.choice(free)
            moved = self._clinic.give(RescheduleAppointment(**header, appointment_id=appointment.id, start=start))
            if isinstance(moved, Appointment):
                self._schedule_outcome("kept", moved)

        return act

    def _before(self, appointment: Appointment) -> datetime:
        """Return a random time between the last event of an appointment and its start."""
        since = appointment.last.at
        return max(since, whole_minute(since + self._random.random() * (appointment.start - since)))
