"""What the people of the seeded clinic did before today: who booked when, and what became of it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Literal, TypedDict

from hub.ops.seeding.clinic import Act, SimulatedClinic
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
"""For which days, counted from today, appointments are wanted."""
_WANTED_PAST, _WANTED_FUTURE = (1, 2), (3, 6)
"""How many want an appointment of a doctor on a day: at least, at most. Who would book after today is not seen yet."""
_LONGEST_LEAD, _SHORTEST_LEAD = timedelta(days=26), timedelta(minutes=15)
_AT_THE_DESK = 0.15
"""The part that the doctor's side books."""
_BY_THE_PATIENT = 0.75
"""The part of the cancellations that come from the patient."""
_SAYS_SO = 0.7
"""The part that confirms; the others just come, or do not."""

_Fate = Literal["kept", "late", "missed", "cancelled", "moved"]
_FATES: dict[_Fate, int] = {"kept": 66, "late": 3, "missed": 9, "cancelled": 13, "moved": 9}
"""How many of a hundred appointments go which way."""
_REASONS = (
    *("Check-up", "Follow-up", "Blood results", "Persistent cough", "Back pain", "Headaches", "Skin rash"),
    *("Prescription renewal", "Referral", "Sleep problems", "Allergy", "Knee pain", "Second opinion"),
    *("Vaccination", None, None, None),
)


def history(doctors: Sequence[Schedule], patient_ids: Sequence[str], today: date) -> list[Appointment]:
    """Return every appointment as it stood after each of its events, in the order in which they happened.

    The simulated clock stops at midnight (UTC) where `today` begins, and nothing that could still change starts today:
    so the data is the same at whatever hour of the day it is made, and all that lies in the past is over.
    """
    return _People(doctors, patient_ids, today).past()


class _Header(TypedDict):
    id: str
    doctor_id: str
    by: Actor
    at: datetime


class _People:
    """Those who book, come, cancel, or stay away. Everything random is drawn here, in one order."""

    def __init__(self, doctors: Sequence[Schedule], patient_ids: Sequence[str], today: date) -> None:
        self._clinic = SimulatedClinic(doctors, today.isoformat())
        self._doctors = doctors
        self._patient_ids = patient_ids
        self._today = today
        self._midnight = datetime.combine(today, time(0), UTC)
        self._random = Random(f"a clinic on {today.isoformat()}")  # noqa: S311  # made-up data, to be made again

    def past(self) -> list[Appointment]:
        for doctor in self._doctors:
            for away in _DAYS:
                self._want(doctor, away)
        self._clinic.run_until(self._midnight)
        return self._clinic.stood

    def _want(self, doctor: Schedule, away: int) -> None:
        """Choose the slots of a day that somebody will try to book."""
        starts = [start for start in doctor.starts_of(self._today + timedelta(days=away)) if self._may_start(start)]
        wanted = self._random.randint(*(_WANTED_PAST if away <= 0 else _WANTED_FUTURE))
        for start in self._random.sample(starts, min(len(starts), wanted)):
            # Squared: most book a few days ahead, some weeks.
            lead = _SHORTEST_LEAD + self._random.random() ** 2 * _LONGEST_LEAD
            self._clinic.later(_whole_minute(start - lead), self._booking(doctor.id, start))

    def _may_start(self, start: datetime) -> bool:
        """Whether what starts then is over, its no-show too, before the clock stops, or begins only after today."""
        return not self._midnight - timedelta(hours=1) <= start < self._midnight + timedelta(days=1)

    def _booking(self, doctor_id: str, start: datetime) -> Act:
        patient_id = self._random.choice(self._patient_ids)
        by = _doctor(doctor_id) if self._random.random() < _AT_THE_DESK else _patient(patient_id)
        reason = self._random.choice(_REASONS)
        (fate,) = self._random.choices(list(_FATES), weights=list(_FATES.values()))

        def act(now: datetime) -> None:
            header = self._header(doctor_id, by, now)
            booked = self._clinic.give(
                BookAppointment(**header, patient_id=patient_id, start=start, reason=reason),
            )
            if booked:
                self._meet(fate, booked)

        return act

    def _meet(self, fate: _Fate, appointment: Appointment) -> None:
        """Put on the agenda what becomes of an appointment that has just got its start."""
        patient, doctor = _patient(appointment.patient_id), _doctor(appointment.doctor_id)
        match fate:
            case "cancelled":
                by = patient if self._random.random() < _BY_THE_PATIENT else doctor
                self._clinic.later(self._before(appointment), self._change(CancelAppointment, appointment, by))
            case "moved":
                self._clinic.later(self._before(appointment), self._move(appointment, patient))
            case "kept" | "late" | "missed":
                if self._random.random() < _SAYS_SO:
                    self._clinic.later(
                        self._before(appointment), self._change(ConfirmAppointment, appointment, patient)
                    )
                if fate != "missed":
                    # Who is late comes after the hub has marked a no-show; the doctor puts that right.
                    minutes = self._random.randint(0, 14) if fate == "kept" else self._random.randint(16, 28)
                    seen = appointment.start + timedelta(minutes=minutes)
                    self._clinic.later(seen, self._change(CompleteAppointment, appointment, doctor))

    def _change(
        self,
        kind: type[CancelAppointment] | type[ConfirmAppointment] | type[CompleteAppointment],
        appointment: Appointment,
        by: Actor,
    ) -> Act:
        def act(now: datetime) -> None:
            self._clinic.give(kind(**self._header(appointment.doctor_id, by, now), appointment_id=appointment.id))

        return act

    def _move(self, appointment: Appointment, by: Actor) -> Act:
        def act(now: datetime) -> None:
            day = self._clinic.doctor(appointment.doctor_id).day_of(appointment.start)
            free = [
                slot.start
                for away in range(1, 9)
                for slot in self._clinic.slots(appointment.doctor_id, day + timedelta(days=away), now)
                if slot.available and self._may_start(slot.start)
            ]
            if not free:
                return  # the doctor is away; nobody comes
            header = self._header(appointment.doctor_id, by, now)
            start = self._random.choice(free)
            moved = self._clinic.give(RescheduleAppointment(**header, appointment_id=appointment.id, start=start))
            if moved:
                self._meet("kept", moved)

        return act

    def _before(self, appointment: Appointment) -> datetime:
        """Return a moment between the last event of an appointment and its start."""
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
