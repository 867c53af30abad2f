"""Creates appointments as the actors do: from events, with successive numbers for each doctor."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hub.ids import new_id
from hub.scheduling.apply import apply
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentConfirmed,
    AppointmentMissed,
    AppointmentRescheduled,
    HoursChanged,
    OfferAccepted,
    OfferLapsed,
    PatientCalledIn,
    PatientCheckedIn,
    PatientJoined,
    SlotOffered,
    TimeOffAdded,
)
from hub.scheduling.schedule import Shift, TimeOff
from hub.scheduling.schedule_record import ScheduleRecord
from hub.scheduling.values import Actor, Role
from hub.scheduling.waitlist_entry import WaitlistEntry
from hub.scheduling.waitlist_events import WaitlistJoined, WaitlistLeft
from hub.scheduling.wish import Between, Wish

NINE = datetime(2031, 3, 3, 9, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
QUARTER = timedelta(minutes=15)
BEFORE = NINE - timedelta(days=10)
DESK = Actor(id="desk", role=Role.SYSTEM, via="cli")


class Histories:
    """Creates events. It stores the last `seq` of each doctor, so that the numbers have no gaps."""

    def __init__(self) -> None:
        self.seqs: Counter[str] = Counter()

    def book(
        self,
        doctor: str = "dora",
        patient: str = "pat",
        start: datetime = NINE,
        *,
        command: str | None = None,
        reason: str | None = None,
    ) -> Appointment:
        return apply(
            None,
            AppointmentBooked(
                **self._header(doctor, command),
                doctor_id=doctor,
                patient_id=patient,
                start=start,
                reason=reason,
            ),
        )

    def confirm(self, appointment: Appointment, *, command: str | None = None) -> Appointment:
        return apply(appointment, AppointmentConfirmed(**self._header(appointment.doctor_id, command)))

    def confirm_and_move(self, appointment: Appointment, start: datetime, *, command: str | None = None) -> Appointment:
        """Return the appointment after two events of one command."""
        command = command or new_id()
        confirmed = self.confirm(appointment, command=command)
        header = self._header(appointment.doctor_id, command)
        return apply(confirmed, AppointmentRescheduled(**header, previous_start=appointment.start, start=start))

    def book_and_confirm(self, patient: str = "pat", start: datetime = NINE) -> Appointment:
        """Return a new appointment whose booking causes two events."""
        command = new_id()
        return self.confirm(self.book(patient=patient, start=start, command=command), command=command)

    def cancel(self, appointment: Appointment) -> Appointment:
        return apply(appointment, AppointmentCancelled(**self._header(appointment.doctor_id, None)))

    def miss(self, appointment: Appointment) -> Appointment:
        return apply(appointment, AppointmentMissed(**self._header(appointment.doctor_id, None)))

    def check_in(self, appointment: Appointment) -> Appointment:
        return apply(appointment, PatientCheckedIn(**self._header(appointment.doctor_id, None)))

    def call_in(self, appointment: Appointment, *, after: timedelta = QUARTER) -> Appointment:
        header = self._header(appointment.doctor_id, None)
        return apply(appointment, PatientCalledIn(**header | {"at": BEFORE + after}))

    def complete(self, appointment: Appointment) -> Appointment:
        return apply(appointment, AppointmentCompleted(**self._header(appointment.doctor_id, None)))

    def move(self, appointment: Appointment, start: datetime) -> Appointment:
        header = self._header(appointment.doctor_id, None)
        return apply(appointment, AppointmentRescheduled(**header, previous_start=appointment.start, start=start))

    def join(self, appointment: Appointment, into: str) -> Appointment:
        header = self._header(appointment.doctor_id, None)
        return apply(appointment, PatientJoined(**header, previous_patient_id=appointment.patient_id, patient_id=into))

    def offer(
        self, doctor: str = "dora", patient: str = "pat", start: datetime = NINE, entry: str = "entry"
    ) -> Appointment:
        until = start - HALF_HOUR
        header = self._header(doctor, None)
        offered = SlotOffered(**header, doctor_id=doctor, patient_id=patient, entry_id=entry, start=start, until=until)
        return apply(None, offered)

    def accept(self, offer: Appointment) -> Appointment:
        return apply(offer, OfferAccepted(**self._header(offer.doctor_id, None)))

    def lapse(self, offer: Appointment) -> Appointment:
        return apply(offer, OfferLapsed(**self._header(offer.doctor_id, None)))

    def wait(self, doctor: str = "dora", patient: str = "pat") -> WaitlistEntry:
        wish = Wish(first_day=NINE.date(), last_day=NINE.date(), weekdays=(0,), between=Between(opens=540, closes=600))
        joined = WaitlistJoined(**self._header(doctor, None), doctor_id=doctor, patient_id=patient, wish=wish)
        return apply(None, joined)

    def leave(self, entry: WaitlistEntry) -> WaitlistEntry:
        return apply(entry, WaitlistLeft(**self._header(entry.doctor_id, None)))

    def change_hours(self, schedule_record: ScheduleRecord, *, command: str | None = None) -> ScheduleRecord:
        shifts = (Shift(weekday=1, opens=540, closes=1020),)
        return apply(schedule_record, HoursChanged(**self._header(schedule_record.doctor_id, command), shifts=shifts))

    def add_time_off(
        self, schedule_record: ScheduleRecord, start: datetime, *, command: str | None = None
    ) -> ScheduleRecord:
        off = TimeOff(id=new_id(), start=start, end=start + HALF_HOUR)
        return apply(schedule_record, TimeOffAdded(**self._header(schedule_record.doctor_id, command), time_off=off))

    def _header(self, doctor: str, command: str | None) -> dict[str, object]:
        self.seqs[doctor] += 1
        seq = self.seqs[doctor]
        return {
            "seq": seq,
            "prev": seq - 1,
            "at": BEFORE,
            "by": DESK,
            "command_id": command or new_id(),
            "fingerprint": "0" * 16,
        }
