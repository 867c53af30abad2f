"""Who waits in the seeded clinic: for what others cancel, and for a day that is full."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from hub.ops.seeding.cast import REASONS, Cast, whole_minute
from hub.ops.seeding.clinic import Action, SimulatedClinic
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import BookAppointment, CancelAppointment
from hub.scheduling.schedule import zone
from hub.scheduling.values import APPOINTMENT_DURATION
from hub.scheduling.waitlist_commands import AcceptOffer, DeclineOffer, JoinWaitlist, OfferSlot
from hub.scheduling.wish import Between, Wish

_MINUTE = timedelta(minutes=1)
_ANSWERS = {"accept": 6, "decline": 2, None: 2}
"""What patients do with an offer; None: they do not answer."""
_WAIT_FOR_IT = 4
"""Patients who wait for the full day."""
_TRIED = 20
"""Patients who are tried for a slot of it: one may have an appointment with another doctor then."""


@dataclass(frozen=True)
class FullDay:
    """A day of a doctor that is booked out: its date by the doctor's clock, and all its starts."""

    doctor_id: str
    date: date
    starts: Sequence[datetime]


class WaitingPatients:
    """Lets patients wait, and answers what they are offered.

    `schedule_visit` is called with an offer that is going to be accepted.
    """

    def __init__(
        self,
        clinic: SimulatedClinic,
        random: Random,
        cast: Cast,
        patient_ids: Sequence[str],
        schedule_visit: Callable[[Appointment], object],
    ) -> None:
        self._clinic = clinic
        self._random = random
        self._cast = cast
        self._first, *self._others = patient_ids
        self._schedule_visit = schedule_visit

    def schedule_waiting(self, appointment: Appointment, cancelled_at: datetime) -> None:
        """Let a patient wait for the time of an appointment that is going to be cancelled."""
        patient_id = self._random.choice(self._others)
        at = whole_minute(appointment.last.at + self._random.random() * (cancelled_at - appointment.last.at))
        start = appointment.start.astimezone(zone(self._clinic.doctor(appointment.doctor_id).zone))
        minute = start.hour * 60 + start.minute
        between = Between(opens=minute, closes=minute + APPOINTMENT_DURATION // _MINUTE)
        wait = self._wait(appointment.doctor_id, patient_id, start.date(), between)
        self._clinic.later(max(at, appointment.last.at), wait)

    def _wait(self, doctor_id: str, patient_id: str, day: date, between: Between | None = None) -> Action:
        wish, by = Wish(first_day=day, last_day=day, between=between), self._cast.patient(patient_id)

        def act(now: datetime) -> None:
            self._clinic.give(JoinWaitlist(**self._cast.header(doctor_id, by, now), patient_id=patient_id, wish=wish))

        return act

    def schedule_answer(self, offer: Appointment) -> None:
        """Schedule what the patient does with an offer."""
        (answer,) = self._random.choices(list(_ANSWERS), weights=list(_ANSWERS.values()))
        at = whole_minute(offer.last.at) + self._random.randint(1, 25) * _MINUTE
        patient = self._cast.patient(offer.patient_id)
        if answer == "decline":
            self._clinic.later(at, self._cast.change(DeclineOffer, offer, patient))
        if answer == "accept":
            self._clinic.later(at, self._cast.change(AcceptOffer, offer, patient))
            self._schedule_visit(offer)

    def schedule_full_day(self, day: FullDay, midnight: datetime) -> None:
        """Let the desk book all slots of the day, and some patients wait for it; both on the day before `midnight`."""
        before = midnight - timedelta(days=1)
        for number, start in enumerate(day.starts):
            self._clinic.later(before + number * 7 * _MINUTE, self._fill(day.doctor_id, start))
        waiting = [self._first, *self._random.sample(self._others, _WAIT_FOR_IT - 1)]
        for number, patient_id in enumerate(waiting):
            at = before + timedelta(hours=9 + 2 * number)
            self._clinic.later(at, self._wait(day.doctor_id, patient_id, day.date))

    def offer(self, day: FullDay, now: datetime) -> None:
        """Let a patient cancel on the full day, so that the slot is offered to the first patient, who is free then.

        Outside the hours for texts the desk offers it.
        """
        start = next(start for start in day.starts if not self._clinic.is_busy(self._first, start))
        if cancelled := self._clinic.owner(day.doctor_id, start):
            self._cast.change(CancelAppointment, cancelled, self._cast.patient(cancelled.patient_id))(now)
        if self._clinic.owner(day.doctor_id, start) is None:
            entry = next(each for each in self._clinic.line(day.doctor_id) if each.patient_id == self._first)
            header = self._cast.header(day.doctor_id, self._cast.desk(), now)
            self._clinic.give(OfferSlot(**header, entry_id=entry.id, start=start))

    def _fill(self, doctor_id: str, start: datetime) -> Action:
        """Book a slot for somebody who is free then; the first patient is kept free."""
        patient_ids = self._random.sample(self._others, _TRIED)
        desk, reason = self._cast.desk(), self._random.choice(REASONS)

        def act(now: datetime) -> None:
            for patient_id in patient_ids:
                header = self._cast.header(doctor_id, desk, now)
                if self._clinic.give(BookAppointment(**header, patient_id=patient_id, start=start, reason=reason)):
                    return

        return act
