"""`watch` and `unwatch`: the slots of a doctor's day, and every later change of them."""

from collections.abc import Sequence
from datetime import datetime

from api.problems import Problem
from api.rooms import Day, Rooms
from api.sockets import asks
from api.sockets.appointments import Answer
from api.sockets.asks import read
from api.sockets.client import Client
from api.sockets.interest import Interest
from hub.clock import Clock
from hub.records.ports import Happened, Records
from hub.scheduling.hours import Doctor
from hub.scheduling.slots import SlotChange, slot_changes, slots_of


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
        ask = read(asks.Watch, args)
        doctor = await self._doctor(ask.doctor_id)
        if self._rooms.watches(client.sid) >= self._limit:
            raise Problem("too_many_requests", f"A client watches at most {self._limit} days at once.")
        day = Day(doctor.id, ask.date, *doctor.day_bounds(ask.date))
        watch = self._rooms.watch(client.sid, day)  # first keep what happens, then read
        try:
            answered, taken = await self._taken(client, doctor, day)
        except BaseException:
            self._end(client, ask)
            raise
        # From here to the ack nothing suspends: no change can come between the answer and the first one after it.
        _apply(watch.open(answered), taken)
        slots = slots_of(doctor, ask.date, taken, self._clock())
        return {"slots": [slot.model_dump(mode="json", by_alias=True) for slot in slots]}

    async def unwatch(self, client: Client, args: Sequence[object]) -> Answer:
        """End a watch; it is no error if there is none."""
        self._end(client, read(asks.Watch, args))
        return {}

    def _end(self, client: Client, ask: asks.Watch) -> None:
        self._rooms.unwatch(client.sid, ask.doctor_id, ask.date)
        self._interest.release(client.sid, _reason(ask.doctor_id, ask.date.isoformat()))

    async def _doctor(self, doctor_id: str) -> Doctor:
        account = await self._records.users.by_id(doctor_id)
        if account is None or account.calendar is None:
            raise Problem("not_found", "There is no such doctor.")
        return account.calendar

    async def _taken(self, client: Client, doctor: Doctor, day: Day) -> tuple[int, set[datetime]]:
        """Return the starts that are taken, and the doctor's `seq` as of which that is true.

        The read of the slots does not say how far the doctor's history had gone. It had gone at least to `seq`, where
        the feed stood before; so the events after that, read after the slots, lead from whatever it saw to one certain
        point: each says of its slot whether it is free, whatever was before.
        """
        seq = await self._interest.hold(client.sid, _reason(day.doctor_id, day.date.isoformat()), day.doctor_id)
        taken = await self._records.appointments.taken(day.doctor_id, day.begin, day.end)
        while events := await self._records.appointments.happened(day.doctor_id, seq):
            _apply(_changes(doctor, events), taken)
            seq = events[-1].event.seq
        return seq, taken


def _changes(doctor: Doctor, events: Sequence[Happened]) -> list[SlotChange]:
    return [change for past in events for change in slot_changes(doctor, past.event, past.appointment)]


def _apply(changes: Sequence[SlotChange], taken: set[datetime]) -> None:
    for change in changes:
        if change.available:
            taken.discard(change.start)
        else:
            taken.add(change.start)


def _reason(doctor_id: str, day: str) -> str:
    return f"watch:{doctor_id}:{day}"
