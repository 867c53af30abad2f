"""Who is told what of a notice.

Pure: rooms know clients by their Socket.IO sid and say what each is to be told; they send nothing themselves.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeVar

from hub.bus.messages import Notice, ScheduleNotice
from hub.scheduling.events import Event, ScheduleEvent
from hub.scheduling.recorded_event import Past, Rearranged
from hub.scheduling.schedule import Schedule
from hub.scheduling.slots import SlotChange, slots_rearranged
from hub.scheduling.values import Role, rfc3339
from hub.scheduling.views import AppointmentView, schedule_view, view

K = TypeVar("K")
L = TypeVar("L")
V = TypeVar("V")


@dataclass(frozen=True)
class Told:
    """What some clients are told: the event's name and its one argument, JSON."""

    sids: tuple[str, ...]
    event: Literal["appointment", "calendar", "slot"]
    data: dict[str, object]


@dataclass(frozen=True)
class Day:
    """A calendar day of a doctor; `begin` (included) and `end` are its bounds in UTC."""

    doctor_id: str
    date: date
    begin: datetime
    end: datetime


class Watch:
    """One client's view of one day. Until it is opened it keeps what happens, afterwards it is told what happens."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self._kept: list[tuple[int, SlotChange]] = []
        self._after: int | None = None

    def open(self, answered: int) -> list[SlotChange]:
        """Begin to be told what comes after the answer, which is true as of `answered` (a `seq` of the doctor).

        Returns what was kept since then: it belongs into the answer, which has to leave before anything else does.
        """
        news = [(seq, change) for seq, change in self._kept if seq > answered]
        self._after = max([answered, *(seq for seq, _ in news)])
        self._kept.clear()
        return [change for _, change in news]

    def sees(self, seq: int, change: SlotChange) -> bool:
        """Whether the client is told of this change now: not one that is in its answer already."""
        if not self.day.begin <= change.start < self.day.end:
            return False
        if self._after is None:
            self._kept.append((seq, change))
            return False
        return seq > self._after


class Rooms:
    """The rooms of persons, and who watches which day."""

    def __init__(self) -> None:
        self._members: dict[str, dict[str, None]] = {}
        self._room_of: dict[str, str] = {}
        self._doctors_of: dict[str, set[str]] = {}
        self._watches: dict[str, dict[tuple[str, date], Watch]] = {}
        self._watched: dict[str, dict[tuple[str, date], Watch]] = {}

    def enter(self, sid: str, role: Role, user_id: str) -> None:
        """Put a client into the room of a person, where the person's appointments are told."""
        room = _room(role, user_id)
        self._members.setdefault(room, {})[sid] = None
        self._room_of[sid] = room

    def introduce(self, sid: str, doctor_id: str) -> None:
        """Let a patient's client be told of this doctor's notices from now on, and not before: see `meetings`."""
        self._doctors_of.setdefault(sid, set()).add(doctor_id)

    def knows(self, sid: str, doctor_id: str) -> bool:
        """Whether a patient's client has been introduced to the doctor."""
        return doctor_id in self._doctors_of.get(sid, ())

    def leave(self, sid: str) -> None:
        """Forget a client."""
        self._doctors_of.pop(sid, None)
        if room := self._room_of.pop(sid, None):
            _remove(self._members, room, sid)
        for doctor_id, day in self._watches.pop(sid, ()):
            _remove(self._watched, doctor_id, (sid, day))

    def watch(self, sid: str, day: Day) -> Watch:
        """Let a client watch a day, from the beginning if it does already."""
        watch = Watch(day)
        self._watches.setdefault(sid, {})[day.doctor_id, day.date] = watch
        self._watched.setdefault(day.doctor_id, {})[sid, day.date] = watch
        return watch

    def unwatch(self, sid: str, doctor_id: str, day: date) -> None:
        """End a watch, if there is one."""
        _remove(self._watches, sid, (doctor_id, day))
        _remove(self._watched, doctor_id, (sid, day))

    def watches(self, sid: str) -> int:
        """Return how many days a client watches."""
        return len(self._watches.get(sid, ()))

    def told(self, notice: Notice) -> list[Told]:
        """Return what a notice means to whom.

        The appointment is told to its doctor and patient, the doctor's hours to the doctor, slots to who watches them.
        """
        sids = dict.fromkeys(self._members.get(_room(Role.DOCTOR, notice.doctor_id), ()))
        if isinstance(notice, ScheduleNotice):
            own = [Told(tuple(sids), "calendar", calendar_event(notice.event, notice.doctor))] if sids else []
            return own + self._slots_told(notice, self._rearranged(notice))
        if concerns_patient(notice.event):
            patients = self._members.get(_room(Role.PATIENT, notice.appointment.patient_id), ())
            sids |= dict.fromkeys(sid for sid in patients if self.knows(sid, notice.doctor_id))
        own = [Told(tuple(sids), "appointment", appointment_event(notice.event, notice.appointment))] if sids else []
        return own + self._slots_told(notice, notice.slots)

    def _slots_told(self, notice: Notice, changes: Iterable[SlotChange]) -> list[Told]:
        watched = self._watched.get(notice.doctor_id, {})
        return [
            Told(watchers, "slot", _slot(notice.doctor_id, change))
            for change in changes
            if (watchers := tuple(sid for (sid, _), watch in watched.items() if watch.sees(notice.event.seq, change)))
        ]

    def _rearranged(self, notice: ScheduleNotice) -> Iterable[SlotChange]:
        """Go through the changes of the watched days; those of all days would be a year of slots."""
        for day in sorted({day for _, day in self._watched.get(notice.doctor_id, {})}):
            yield from slots_rearranged(notice.before, notice.doctor, day, notice.taken, notice.event.at)


def concerns_patient(event: Event) -> bool:
    """Whether a patient is told: a reminder that was missed is for the staff, it tells the doctor to call."""
    return event.type != "reminder_missed"


def past_event(past: Past) -> dict[str, object]:
    """Return what clients are told of an event that the record knows."""
    if isinstance(past, Rearranged):
        return calendar_event(past.event, past.schedule_record.doctor)
    return appointment_event(past.event, view(past.appointment))


def calendar_event(event: ScheduleEvent, doctor: Schedule) -> dict[str, object]:
    """Return what the doctor is told of an event of the timetable; `doctor` is right after it."""
    return {
        "type": event.type,
        "calendar": schedule_view(doctor).model_dump(mode="json", by_alias=True),
        "seq": event.seq,
        "prev": event.prev,
    }


def appointment_event(event: Event, appointment: AppointmentView) -> dict[str, object]:
    """Return what clients are told of an event, live and by `sync`; `appointment` is as it stood right after it."""
    return {
        "type": event.type,
        "appointment": appointment.model_dump(mode="json", by_alias=True),
        "seq": event.seq,
        "prev": event.prev,
    }


def _room(role: Role, user_id: str) -> str:
    return f"{role.value}:{user_id}"


def _remove(book: dict[K, dict[L, V]], outer: K, inner: L) -> None:
    within = book.get(outer)
    if within is not None:
        within.pop(inner, None)
        if not within:
            del book[outer]


def _slot(doctor_id: str, change: SlotChange) -> dict[str, object]:
    """Say that a slot is taken or free, never by whom."""
    return {"doctorId": doctor_id, "start": rfc3339(change.start), "available": change.available}
