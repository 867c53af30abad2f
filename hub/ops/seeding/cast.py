"""Who acts in the seeded clinic, and the commands they give."""

from collections.abc import Collection, Sequence
from datetime import datetime
from random import Random
from typing import TypedDict

from hub.ops.seeding.clinic import Action, SimulatedClinic
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import (
    CallInPatient,
    CancelAppointment,
    CheckInPatient,
    CompleteAppointment,
    ConfirmAppointment,
)
from hub.scheduling.values import Actor, Role
from hub.scheduling.waitlist_commands import AcceptOffer, DeclineOffer

_Change = (
    CancelAppointment
    | ConfirmAppointment
    | CompleteAppointment
    | CheckInPatient
    | CallInPatient
    | AcceptOffer
    | DeclineOffer
)

REASONS = (
    *("Check-up", "Follow-up", "Blood results", "Persistent cough", "Back pain", "Headaches", "Skin rash"),
    *("Prescription renewal", "Referral", "Sleep problems", "Allergy", "Knee pain", "Second opinion"),
    *("Vaccination", None, None, None),
)
"""What patients come for; None: nobody said."""


class _Header(TypedDict):
    id: str
    doctor_id: str
    by: Actor
    at: datetime


class Cast:
    """The people of the clinic. `registered_ids` are patients who cannot log in, and for whom the desk acts."""

    def __init__(
        self, clinic: SimulatedClinic, random: Random, registered_ids: Collection[str], desk_ids: Sequence[str]
    ) -> None:
        self._clinic = clinic
        self._random = random
        self._registered_ids = frozenset(registered_ids)
        self._desk_ids = desk_ids

    def patient(self, patient_id: str) -> Actor:
        """Return who acts for a patient: the patient, or the desk for one who cannot log in."""
        if patient_id in self._registered_ids:
            return self.desk()
        return Actor(id=patient_id, role=Role.PATIENT, via="seed")

    def desk(self) -> Actor:
        """Return one of the receptionists."""
        return Actor(id=self._random.choice(self._desk_ids), role=Role.RECEPTIONIST, via="seed")

    def header(self, doctor_id: str, by: Actor, now: datetime) -> _Header:
        """Return the fields that all commands have."""
        return {"id": self._clinic.command_id(), "doctor_id": doctor_id, "by": by, "at": now}

    def change(self, kind: type[_Change], appointment: Appointment, by: Actor) -> Action:
        """Return the action that gives a command for an appointment."""

        def act(now: datetime) -> None:
            self._clinic.give(kind(**self.header(appointment.doctor_id, by, now), appointment_id=appointment.id))

        return act


def doctor_actor(doctor_id: str) -> Actor:
    """Return a doctor who acts."""
    return Actor(id=doctor_id, role=Role.DOCTOR, via="seed")


def whole_minute(instant: datetime) -> datetime:
    """Return the instant without its seconds."""
    return instant.replace(second=0, microsecond=0)
