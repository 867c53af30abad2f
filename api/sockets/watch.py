"""`watch` and `unwatch`: the slots of a doctor's day, and every later change of them."""

from collections.abc import Sequence
from datetime import datetime

from api.http.problems import Problem
from api.sockets import inbound
from api.sockets.appointments import Answer
from api.sockets.inbound import read
from api.sockets.rooms import Day, Rooms
from api.sockets.session import Client
from api.sockets.subscriptions import Interest
from hub.clock import Clock
from hub.records.ports import Records
from hub.records.schedules import schedule_record_of
from hub.scheduling.events import AppointmentRescheduled
from hub.scheduling.recorded_event import Past, Rearranged
from hub.scheduling.schedule_record import ScheduleRecord
from hub.scheduling.slots import Slot, SlotChange, slots_of
from hub.scheduling.values import APPOINTMENT_DURATION


class Watching:
    """Answers with the day as it is, then nothing of it is missed and nothing comes twice."""

    def __init__(self, records: Records, rooms: Rooms, interest: Interest, clock: Clock, limit: int) -> None:
        """Let each client watch at most `limit` days."""
        self._records = records
        self._rooms = rooms
        self._interest = interest
        self._clock = clock
        self._limit = limit

    async def watch(self, client: Client, args: Sequence[object]) -> Answer:
        """Return the slots of the day. An ask that fails ends an earlier watch of the same day."""
        ask = read(inbound.Watch, args)
        doctor = (await self._timetable(ask.doctor_id)).doctor
        if self._rooms.watches(client.sid) >= self._limit:
            raise Problem("too_many_requests", f"A client watches at most {self._limit} days at once.")
        day = Day(doctor.id, ask.date, *doctor.day_bounds(ask.date))
        watch = self._rooms.watch(client.sid, day)  # first keep what happens, then read
        try:
            answered, taken = await self._taken(client, day)
            # Read last, so it knows every change of the doctor's hours up to there.
            schedule_record = await self._timetable(doctor.id)
        except BaseException:
            self._end(client, ask)
            raise
        # From here to the ack nothing suspends: no change can come between the answer and the first one after it.
        slots = slots_of(schedule_record.as_of(answered), ask.date, taken, self._clock())
        shown = _changed(slots, watch.open(answered))
        return {"slots": [slot.model_dump(mode="json", by_alias=True) for slot in shown]}

    async def unwatch(self, client: Client, args: Sequence[object]) -> Answer:
        """End a watch; it is no error if there is none."""
        self._end(client, read(inbound.Watch, args))
        return {}

    def _end(self, client: Client, ask: inbound.Watch) -> None:
        self._rooms.unwatch(client.sid, ask.doctor_id, ask.date)
        self._interest.release(client.sid, _reason(ask.doctor_id, ask.date.isoformat()))

    async def _timetable(self, doctor_id: str) -> ScheduleRecord:
        schedule_record = await schedule_record_of(self._records, doctor_id)
        if schedule_record is None:
            raise Problem("not_found", "There is no such doctor.")
        return schedule_record

    async def _taken(self, client: Client, day: Day) -> tuple[int, set[datetime]]:
        """Return the starts that are taken, and the doctor's `seq` as of which that is true.

        The read of the slots does not say how far the doctor's history had gone. It had gone at least to `seq`, where
        the feed stood before; so the events after that, read after the slots, lead from whatever it saw to one certain
        point: each says of its slot whether it is held, whatever was before.
        """
        seq = await self._interest.hold(client.sid, _reason(day.doctor_id, day.date.isoformat()), day.doctor_id)
        taken = await self._records.appointments.taken(day.doctor_id, day.begin, day.end)
        while events := await self._records.appointments.happened(day.doctor_id, seq):
            for past in events:
                _lead_on(taken, past)
            seq = events[-1].event.seq
        return seq, taken


def _lead_on(taken: set[datetime], past: Past) -> None:
    """Bring the starts that are held up to what they are after an event."""
    if isinstance(past, Rearranged):
        return
    if isinstance(past.event, AppointmentRescheduled):
        taken.discard(past.event.previous_start)
    if past.appointment.active:
        taken.add(past.appointment.start)
    else:
        taken.discard(past.appointment.start)


def _changed(slots: Sequence[Slot], changes: Sequence[SlotChange]) -> list[Slot]:
    """Return the slots after these changes; that no appointment can begin where there is no slot is no news."""
    shown = {slot.start: slot for slot in slots}
    for change in changes:
        if change.available or change.start in shown:
            shown[change.start] = Slot(
                start=change.start, end=change.start + APPOINTMENT_DURATION, available=change.available
            )
    return sorted(shown.values(), key=lambda slot: slot.start)


def _reason(doctor_id: str, day: str) -> str:
    return f"watch:{doctor_id}:{day}"
