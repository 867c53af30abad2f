"""Watches: the slots of a doctor's day, and every later change of them."""

from collections.abc import Sequence
from datetime import datetime

from api.http.problems import Problem
from api.sockets.inbound import Watch
from api.sockets.limits import Limits
from api.sockets.session import DoctorDay, Session, SessionRegistry
from hub.clock import Clock
from hub.records.ports import Records
from hub.records.schedules import schedule_record_of
from hub.scheduling.aggregate import Aggregate
from hub.scheduling.apply import as_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import AppointmentRescheduled
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule_record import ScheduleRecord
from hub.scheduling.slots import Slot, SlotChange, slots_of
from hub.scheduling.values import APPOINTMENT_DURATION


class SlotWatches:
    """Starts and ends watches. After the ack a client is sent every later change exactly once."""

    def __init__(self, records: Records, sessions: SessionRegistry, clock: Clock, limits: Limits) -> None:
        self._records = records
        self._sessions = sessions
        self._clock = clock
        self._limit = limits.watches

    async def watch(self, session: Session, request: Watch) -> list[Slot]:
        """Return the slots of the day. A request that fails ends an earlier watch of the same day."""
        schedule = (await self._schedule_record(request.doctor_id)).current
        if len(session.watches) >= self._limit:
            raise Problem("too_many_requests", f"A client watches at most {self._limit} days at once.")
        day = DoctorDay(schedule.id, request.date, *schedule.day_bounds(request.date))
        watch = self._sessions.watch(session, day)  # buffer changes first, then read
        try:
            answered, taken = await self._taken(session, day)
            # Read last, so that it includes every change of the doctor's hours up to `answered`.
            schedule_record = await self._schedule_record(schedule.id)
        except BaseException:
            self.unwatch(session, request)
            raise
        # Nothing suspends from here to the ack, so no change comes between the ack and the first event after it.
        slots = slots_of(as_of(schedule_record, answered).current, request.date, taken, self._clock())
        return _with_changes(slots, watch.open(answered))

    def unwatch(self, session: Session, request: Watch) -> None:
        """End a watch; it is no error if there is none."""
        self._sessions.unwatch(session, request.doctor_id, request.date)

    async def _schedule_record(self, doctor_id: str) -> ScheduleRecord:
        schedule_record = await schedule_record_of(self._records, doctor_id)
        if schedule_record is None:
            raise Problem("not_found", "There is no such doctor.")
        return schedule_record

    async def _taken(self, session: Session, day: DoctorDay) -> tuple[int, set[datetime]]:
        """Return the starts that are taken, and the doctor's `seq` as of which that is true.

        The read of the taken slots does not say at which `seq` it was made. It was made at or after the `seq` that the
        subscription returns. So the events after that `seq`, read after the slots, bring the slots to one certain
        `seq`: each event says whether its slot is taken, whatever was the case before.
        """
        seq = await self._sessions.subscribe(session, day.doctor_id, day.date)
        taken = await self._records.appointments.taken_starts(day.doctor_id, day.begin, day.end)
        while events := await self._records.appointments.events_after(day.doctor_id, seq):
            for recorded in events:
                _apply(taken, recorded)
            seq = events[-1].event.seq
        return seq, taken


def _apply(taken: set[datetime], recorded: RecordedEvent[Aggregate]) -> None:
    """Bring the taken starts to the state after an event."""
    appointment = recorded.aggregate
    if not isinstance(appointment, Appointment):
        return
    if isinstance(recorded.event, AppointmentRescheduled):
        taken.discard(recorded.event.previous_start)
    if appointment.active:
        taken.add(appointment.start)
    else:
        taken.discard(appointment.start)


def _with_changes(slots: Sequence[Slot], changes: Sequence[SlotChange]) -> list[Slot]:
    """Return the slots after these changes. A change to "taken" where there is no slot adds none."""
    shown = {slot.start: slot for slot in slots}
    for change in changes:
        if change.available or change.start in shown:
            shown[change.start] = Slot(
                start=change.start, end=change.start + APPOINTMENT_DURATION, available=change.available
            )
    return sorted(shown.values(), key=lambda slot: slot.start)
