"""A doctor's appointments and slots in memory, as they are after one event of the doctor."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from api.http.encoded import Encoded, encoded
from api.views.entries import Entry
from api.views.journal import Journal, JournalEvent
from api.views.monthly_outcomes import MonthlyOutcomes
from hub.bus.messages import AppointmentNotice, Notice, WaitlistNotice
from hub.records.appointment_filter import After, AppointmentFilter
from hub.scheduling.events import AppointmentRescheduled, PatientErased
from hub.scheduling.schedule import Schedule
from hub.scheduling.slots import availability, slot_at
from hub.scheduling.values import HORIZON

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
"""The start of the window of a view that holds all appointments of its doctor."""
_DAY_SIZE = 2000
"""Bytes of a remembered day besides its JSON: above all the starts of its slots."""
_MOST_DAYS = 400
"""Remembered days of a doctor: all up to the horizon, and the last month."""
_REMEMBERED_SLOTS = 8192
"""Slots whose JSON is remembered, some 250 bytes each. Doctors who work at the same times share them."""
_Position = tuple[datetime, str]


class Gap(Exception):
    """A notice does not follow the view's last event, so at least one event in between is missing."""


@dataclass(frozen=True, slots=True)
class _Day:
    """The slots of a day, of which `free` can be booked. They are true until `until` if nothing changes.

    `starts` are the same as long as the schedule is.
    """

    starts: tuple[datetime, ...]
    answer: Encoded
    free: int
    until: datetime


class DoctorView:
    """The schedule, and the appointments that start at `begin` or later, after all events up to `seq`.

    Documents may be read after later events than `seq`. So each entry has the `seq` of its own last event, and `apply`
    changes only what is older. The view is true of one moment once it has applied all events that are in its entries.
    """

    def __init__(self, schedule: Schedule, schedule_seq: int, begin: datetime, seq: int) -> None:
        """`schedule` is as it is after the event `schedule_seq`, 0 if it has never changed."""
        self.schedule = schedule
        self.begin = begin
        self.seq = seq
        self.outcomes: MonthlyOutcomes | None = None
        """Outcomes of appointments, also before the window; None until somebody asks for the statistics."""
        self._size = 0
        self.journal = Journal(seq)
        self._schedule_seq = schedule_seq
        self._entries: dict[str, Entry] = {}
        self._order: list[_Position] = []
        self._slot_owners: dict[datetime, str] = {}
        self._of_patient: dict[str, set[str]] = {}
        self._days: dict[date, _Day] = {}

    @property
    def size(self) -> int:
        """The estimated memory that the view takes, in bytes."""
        return self._size + (self.outcomes.size if self.outcomes else 0)

    def put(self, entry: Entry) -> None:
        """Add an appointment, or replace it if it is older."""
        before = self._entries.get(entry.id)
        if before is not None:
            if before.seq >= entry.seq:
                return
            self._remove(before)
        if entry.start < self.begin:
            return
        self._entries[entry.id] = entry
        insort(self._order, (entry.start, entry.id))
        self._of_patient.setdefault(entry.patient_id, set()).add(entry.id)
        if entry.holds_slot:
            self._slot_owners[entry.start] = entry.id
        self._size += entry.size
        self._outdate_day(entry.start)

    def apply(self, notice: Notice) -> None:
        """Bring the view to the state after an event; an event up to `seq` changes nothing. Raises `Gap`."""
        event = notice.event
        if event.seq <= self.seq:
            return
        if event.prev != self.seq:
            raise Gap
        if isinstance(notice, AppointmentNotice):
            entry = Entry.of(notice.appointment, event.seq)
            self.put(entry)
            if isinstance(event, PatientErased):
                self._size += self.journal.forget(event.prev)  # earlier events have the words that were erased
            self._size += self.journal.add(JournalEvent.of_appointment(event, entry))
            self._outdate_day(notice.appointment.start)
            if self.outcomes is not None:
                self.outcomes.apply(notice)
            if isinstance(event, AppointmentRescheduled):
                self._outdate_day(event.previous_start)
        elif isinstance(notice, WaitlistNotice):
            self._size += self.journal.add(JournalEvent.of_waitlist(event, notice.entry))
        else:
            self._size += self.journal.add(JournalEvent.of_schedule(event, notice.after))
            if event.seq > self._schedule_seq:
                self.schedule, self._schedule_seq = notice.after, event.seq
                self._forget_days()
        self.seq = event.seq

    def begin_outcomes(self, begins: Sequence[datetime]) -> MonthlyOutcomes:
        """Hold outcomes from now on, by the months that begin at these instants. The caller reads them."""
        if self.outcomes is None:
            self.outcomes = MonthlyOutcomes(begins)
        return self.outcomes

    def appointment(self, appointment_id: str) -> Entry | None:
        """Return an appointment of the window."""
        return self._entries.get(appointment_id)

    def has_patient(self, patient_id: str) -> bool:
        """Return whether the window has an appointment of the patient."""
        return patient_id in self._of_patient

    def of_patient(self, patient_id: str) -> list[Entry]:
        """Return the appointments of a patient that are in the window, in no order."""
        return [self._entries[id_] for id_ in self._of_patient.get(patient_id, ())]

    def page(self, wanted: AppointmentFilter, limit: int, after: After | None = None) -> list[Entry] | None:
        """Return at most `limit` appointments after the position `after`, by (start, id); None if some are not here."""
        lowest = max((start for start in (wanted.start_from, after and after.start) if start), default=BEGINNING)
        if lowest < self.begin:
            return None
        matching = (entry for entry in self._from(wanted, lowest, after) if wanted.matches(entry))
        return [entry for entry, _ in zip(matching, range(limit), strict=False)]

    def slots(self, day: date, now: datetime) -> Encoded | None:
        """Return the slots of the doctor's calendar day as JSON; None for a day that begins before the window."""
        read = self._day(day, now)
        return None if read is None else read.answer

    def free_slots(self, day: date, now: datetime) -> int:
        """Return how many slots of the doctor's calendar day can be booked; 0 before the window, which has passed."""
        read = self._day(day, now)
        return 0 if read is None else read.free

    def _day(self, day: date, now: datetime) -> _Day | None:
        known = self._days.get(day)
        if known is not None and now < known.until:
            return known
        begin, end = self.schedule.day_bounds(day)
        if begin < self.begin:
            return None
        starts = tuple(self.schedule.starts_of(day)) if known is None else known.starts
        self._forget(day)
        slots = availability(self.schedule, starts, self._slot_owners, now)
        answer = encoded_slots(slots)
        if len(self._days) >= _MOST_DAYS:
            self._forget(next(iter(self._days)))
        read = _Day(starts, answer, sum(available for _, available in slots), _changes_at(begin, end, now))
        self._days[day] = read
        self._size += _DAY_SIZE + len(answer.content)
        return read

    def _from(self, wanted: AppointmentFilter, lowest: datetime, after: After | None) -> Iterator[Entry]:
        """Yield the appointments from a start on, in order; after the position `after`."""
        if wanted.patient_id is not None:
            positions = sorted((self._entries[id_].start, id_) for id_ in self._of_patient.get(wanted.patient_id, ()))
        else:
            positions = self._order
        first = bisect_left(positions, (lowest, ""))
        if after is not None:
            first = max(first, bisect_right(positions, (after.start, after.id)))
        last = len(positions) if wanted.start_to is None else bisect_left(positions, (wanted.start_to, ""))
        return (self._entries[positions[number][1]] for number in range(first, last))

    def _remove(self, entry: Entry) -> None:
        del self._entries[entry.id]
        del self._order[bisect_left(self._order, (entry.start, entry.id))]
        of_patient = self._of_patient[entry.patient_id]
        of_patient.discard(entry.id)
        if not of_patient:
            del self._of_patient[entry.patient_id]
        if self._slot_owners.get(entry.start) == entry.id:
            del self._slot_owners[entry.start]
        self._size -= entry.size
        self._outdate_day(entry.start)

    def _outdate_day(self, start: datetime) -> None:
        if self._days and (known := self._days.get(day := self.schedule.day_of(start))) is not None:
            self._days[day] = replace(known, until=BEGINNING)

    def _forget(self, day: date) -> None:
        if (known := self._days.pop(day, None)) is not None:
            self._size -= _DAY_SIZE + len(known.answer.content)

    def _forget_days(self) -> None:
        for day in list(self._days):
            self._forget(day)


def encoded_slots(slots: Iterable[tuple[datetime, bool]]) -> Encoded:
    """Return slots as JSON: the start (UTC) of each, and whether it can be booked."""
    return encoded(b"[%b]" % b",".join(_encoded_slot(start, available) for start, available in slots))


@lru_cache(maxsize=_REMEMBERED_SLOTS)
def _encoded_slot(start: datetime, available: bool) -> bytes:  # noqa: FBT001  # lru_cache takes longer for a named one
    return slot_at(start, available=available).model_dump_json(by_alias=True).encode()


def _changes_at(begin: datetime, end: datetime, now: datetime) -> datetime:
    """Return until when the slots of a day stay as they are now: until one begins, or comes within the horizon."""
    quarter = timedelta(minutes=15)  # the starts of all zones are on quarters of an hour in UTC
    if now + HORIZON < end:
        return now - (now - begin) % quarter + quarter
    if now < begin:
        return begin
    return end + timedelta(days=366) if now >= end else now - (now - begin) % quarter + quarter
