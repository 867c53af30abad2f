"""The board: a day of several doctors, made of their views and encoded once until something changes."""

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain

import orjson
from prometheus_client import Counter

from api.http.encoded import Encoded, encoded
from api.people.names import Names
from api.views.doctor_directory import DoctorDirectory
from api.views.doctor_view import DoctorView, encoded_slots
from api.views.entries import Entry
from api.views.view_store import Reading, ViewStore
from hub.clock import Clock
from hub.records.appointment_filter import AppointmentFilter
from hub.records.paging import every_appointment
from hub.records.ports import Records
from hub.scheduling.slots import availability
from hub.scheduling.values import Role
from hub.scheduling.views import view as view_of

ENCODED = Counter("clinic_board_days_encoded_total", "Days of doctors that were encoded for a board.")

_BUDGET = 32 * 1024 * 1024
"""Bytes of all kept boards together. A day of 60 doctors with 16 appointments each takes some 0.4 MB."""
_READS_AT_ONCE = 8
"""Views of a board that are read from the record concurrently. More would only wait in the database."""


@dataclass(frozen=True, slots=True)
class BoardDay:
    """One doctor's day on a board, as it is after the doctor's event `seq`. `content` is its JSON."""

    doctor_id: str
    name: str
    seq: int
    begin: datetime
    """The first instant of the day (UTC)."""
    end: datetime
    """The first instant of the next day (UTC)."""
    slots: Encoded
    content: bytes
    names: int
    """The version of the patients' names."""
    patients: tuple[str, ...]
    """The patients of its appointments."""


@dataclass(frozen=True, slots=True)
class Board:
    """A day of several doctors, ordered by their names. `encoded` is the whole answer."""

    date: date
    days: tuple[BoardDay, ...]
    encoded: Encoded
    age: float | None
    """Seconds since the views were last known to be complete, None if they are."""

    @property
    def position(self) -> dict[str, int]:
        """The last `seq` of each doctor that the board includes."""
        return _position(self.days)

    @property
    def patient_ids(self) -> Iterator[str]:
        """The patients whose appointments it shows."""
        return chain.from_iterable(day.patients for day in self.days)

    @property
    def doctors(self) -> bytes:
        """The JSON of the doctors alone."""
        return _doctors(self.days)


class Boards:
    """Makes boards. A board that has not changed since the last time is the same bytes."""

    def __init__(
        self, views: ViewStore, directory: DoctorDirectory, patient_names: Names, records: Records, clock: Clock
    ) -> None:
        self._views = views
        self._patient_names = patient_names
        self._directory = directory
        self._records = records
        self._clock = clock
        self._kept: OrderedDict[tuple[date, tuple[str, ...]], Board] = OrderedDict()
        """The least recently used first."""
        self._bytes = 0

    async def read(self, day: date, doctor_ids: Collection[str], known: Mapping[str, int]) -> Board | None:
        """Return the board of these doctors, or of all doctors if none is named; None if there is no such doctor.

        Each doctor's part is from the position `known` or later, and its slots and appointments (of every status) are
        of one moment. Nothing suspends between the look into the views and the return, so the board includes all that
        the views of this process have been told. Raises `StoreUnavailable`.
        """
        wanted = set(doctor_ids)
        names = await self._directory.names(wanted)
        if wanted - names.keys():
            return None
        readings = await self._readings(names, known)
        key = (day, tuple(reading.view.schedule.id for reading in readings))
        parts = self._parts(key)
        changed = [each for each in readings if not self._is_same(each.view, names, day, parts)]
        await self._patient_names.learn(Role.DOCTOR, self._appointments(changed, day))
        before = [each.view for each in changed if each.view.schedule.day_bounds(day)[0] < each.view.begin]
        old = {view.schedule.id: await self._old_day(view, day) for view in before}
        parts, kept = self._parts(key), self._kept.pop(key, None)
        days = tuple(
            old.get(id_) or self._day(reading.view, names, day, parts)
            for id_, reading in zip(key[1], readings, strict=True)
        )
        same = kept is not None and all(one is other for one, other in zip(days, kept.days, strict=True))
        answer = kept.encoded if kept is not None and same else _encoded(day, days)
        ages = [reading.age for reading in readings if reading.age is not None]
        board = Board(day, days, answer, max(ages, default=None))
        self._keep(key, kept, board)
        return board

    async def _readings(self, doctor_ids: Iterable[str], known: Mapping[str, int]) -> list[Reading]:
        """Return the views of the doctors; one whose account is gone meanwhile is left out."""
        turns = asyncio.Semaphore(_READS_AT_ONCE)

        async def load(doctor_id: str) -> None:
            async with turns:
                await self._views.doctor(doctor_id)

        await asyncio.gather(*(load(id_) for id_ in doctor_ids if not self._views.holds(id_)))
        found = [await self._views.doctor(id_, known.get(id_, 0)) for id_ in doctor_ids]
        return [reading for reading in found if reading is not None]

    def _parts(self, key: tuple[date, tuple[str, ...]]) -> dict[str, BoardDay]:
        """Return the kept days of a board, by the doctors' ids."""
        kept = self._kept.get(key)
        return {part.doctor_id: part for part in kept.days} if kept else {}

    def _is_same(self, view: DoctorView, names: Mapping[str, str], day: date, parts: Mapping[str, BoardDay]) -> bool:
        """Return whether the kept day of a doctor still is as the view says. It is never kept before the window."""
        id_ = view.schedule.id
        kept = parts.get(id_)
        return (
            kept is not None
            and kept.slots is view.slots(day, self._clock())
            and (kept.seq, kept.name, kept.names) == (view.seq, names[id_], self._patient_names.version)
        )

    def _day(self, view: DoctorView, names: Mapping[str, str], day: date, parts: Mapping[str, BoardDay]) -> BoardDay:
        """Return a doctor's day; the kept one if it still is as the view says."""
        if self._is_same(view, names, day, parts):
            return parts[view.schedule.id]
        slots = view.slots(day, self._clock())
        if slots is None:
            raise ValueError(f"{day} begins before the view")
        begin, end = view.schedule.day_bounds(day)
        entries = view.page(AppointmentFilter(start_from=begin, start_to=end), sys.maxsize) or ()
        return self._board_day(view, names[view.schedule.id], (begin, end), slots, entries)

    def _appointments(self, readings: Iterable[Reading], day: date) -> Iterator[Entry]:
        """Yield the appointments of the day that are in the views."""
        for reading in readings:
            begin, end = reading.view.schedule.day_bounds(day)
            yield from reading.view.page(AppointmentFilter(start_from=begin, start_to=end), sys.maxsize) or ()

    async def _old_day(self, view: DoctorView, day: date) -> BoardDay:
        """Read a day from before the view's window. It may hold later events than the position says."""
        schedule = view.schedule
        begin, end = schedule.day_bounds(day)
        wanted = AppointmentFilter(doctor_id=schedule.id, start_from=begin, start_to=end)
        found, names = (
            await every_appointment(self._records.appointments, wanted),
            await self._directory.names([schedule.id]),
        )
        taken = {each.start for each in found if each.holds_slot}
        entries = [Entry.of(view_of(each), each.last.seq) for each in found]
        slots = encoded_slots(availability(schedule, schedule.starts_of(day), taken, self._clock()))
        await self._patient_names.learn(Role.DOCTOR, entries)
        return self._board_day(view, names.get(schedule.id, ""), (begin, end), slots, entries)

    def _board_day(
        self,
        view: DoctorView,
        name: str,
        bounds: tuple[datetime, datetime],
        slots: Encoded,
        entries: Iterable[Entry],
    ) -> BoardDay:
        ENCODED.inc()
        entries = tuple(entries)
        schedule, names = view.schedule, self._patient_names
        about = orjson.dumps({"id": schedule.id, "name": name, "zone": schedule.zone}).removesuffix(b"}")
        appointments = b",".join(names.add(Role.DOCTOR, entry, entry.encoded) for entry in entries)
        content = b'%b,"slots":%b,"appointments":[%b]}' % (about, slots.content, appointments)
        return BoardDay(
            schedule.id,
            name,
            view.seq,
            *bounds,
            slots,
            content,
            names.version,
            tuple(one.patient_id for one in entries),
        )

    def _keep(self, key: tuple[date, tuple[str, ...]], before: Board | None, board: Board) -> None:
        self._bytes += _size(board) - (_size(before) if before else 0)
        self._kept[key] = board
        while self._bytes > _BUDGET and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= _size(dropped)


def _encoded(day: date, days: Iterable[BoardDay]) -> Encoded:
    days = tuple(days)
    position = orjson.dumps(_position(days))
    return encoded(b'{"date":"%b","position":%b,"doctors":%b}' % (day.isoformat().encode(), position, _doctors(days)))


def _position(days: Iterable[BoardDay]) -> dict[str, int]:
    return {day.doctor_id: day.seq for day in days}


def _doctors(days: Iterable[BoardDay]) -> bytes:
    return b"[" + b",".join(day.content for day in days) + b"]"


def _size(board: Board) -> int:
    """Return the bytes of a board: each doctor's part is in the whole answer, too."""
    return 2 * len(board.encoded.content)
