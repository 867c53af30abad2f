"""The last events of a doctor, as clients are sent them: what a client that was away for a short time has missed."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal, Self

from api.views.entries import Entry, WaitingEntry
from hub.scheduling.aggregate import Aggregate
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import AnyEvent
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule import Schedule
from hub.scheduling.schedule_record import ScheduleRecord
from hub.scheduling.views import EntryView, entry_view, schedule_view, view

CAPACITY = 256
"""Events that a journal holds: some days of a busy doctor. What is older is read from the record."""
_SIZE = 200
"""Bytes of an event besides its JSON."""


@dataclass(frozen=True, slots=True)
class JournalEvent:
    """An event, and what it happened to as it was right after it.

    That is an appointment (`entry`), a schedule (`calendar`, JSON), or an entry of the waitlist (`waiting`).
    """

    seq: int
    prev: int
    type: str
    entry: Entry | None
    calendar: bytes = b""
    waiting: WaitingEntry | None = None

    @classmethod
    def of_appointment(cls, event: AnyEvent, entry: Entry) -> Self:
        """Return the event of an appointment, which is `entry` right after it."""
        return cls(event.seq, event.prev, event.type, entry)

    @classmethod
    def of_schedule(cls, event: AnyEvent, schedule: Schedule) -> Self:
        """Return the event of a doctor's schedule, which is `schedule` right after it."""
        calendar = schedule_view(schedule).model_dump_json(by_alias=True).encode()
        return cls(event.seq, event.prev, event.type, None, calendar)

    @classmethod
    def of_waitlist(cls, event: AnyEvent, entry: EntryView) -> Self:
        """Return the event of an entry of the waitlist, which is `entry` right after it."""
        return cls(event.seq, event.prev, event.type, None, waiting=WaitingEntry.of(entry))

    @classmethod
    def of_recorded(cls, recorded: RecordedEvent[Aggregate]) -> Self:
        """Return an event that was read from the record."""
        event, aggregate = recorded.event, recorded.aggregate
        if isinstance(aggregate, Appointment):
            return cls.of_appointment(event, Entry.of(view(aggregate), event.seq))
        if isinstance(aggregate, ScheduleRecord):
            return cls.of_schedule(event, aggregate.current)
        return cls.of_waitlist(event, entry_view(aggregate))

    @property
    def about(self) -> Entry | WaitingEntry | None:
        """The appointment or the entry of the waitlist; None for an event of the schedule."""
        return self.entry or self.waiting

    @property
    def size(self) -> int:
        """The estimated memory, in bytes. An entry that the view holds, too, is counted twice."""
        waiting = len(self.waiting.encoded) if self.waiting else 0
        return _SIZE + len(self.calendar) + waiting + (self.entry.size if self.entry else 0)

    @property
    def socket_event(self) -> Literal["appointment", "calendar", "waiting"]:
        """The name under which clients are sent the event."""
        if self.entry is not None:
            return "appointment"
        return "calendar" if self.waiting is None else "waiting"

    def encoded(self, named: Callable[[Entry | WaitingEntry], bytes]) -> bytes:
        """Return the data of the socket event, JSON. `named` returns the JSON of an appointment or entry with names."""
        field, content = b"calendar", self.calendar
        if self.entry is not None:
            field, content = b"appointment", named(self.entry)
        elif self.waiting is not None:
            field, content = b"entry", named(self.waiting)
        return b'{"type":"%b","%b":%b,"seq":%d,"prev":%d}' % (self.type.encode(), field, content, self.seq, self.prev)


class Journal:
    """The last events of a doctor, at most `capacity`, without a gap."""

    def __init__(self, seq: int, capacity: int = CAPACITY) -> None:
        """`seq` is the last event before the journal begins."""
        self.capacity = capacity
        self.begin = seq
        """The journal holds all events after this one."""
        self.size = 0
        """The estimated memory that the journal takes, in bytes."""
        self._events: deque[JournalEvent] = deque()

    def add(self, event: JournalEvent) -> int:
        """Add the next event; return by how many bytes the journal has grown."""
        before = self.size
        self._events.append(event)
        self.size += event.size
        if len(self._events) > self.capacity:
            first = self._events.popleft()
            self.begin = first.seq
            self.size -= first.size
        return self.size - before

    def forget(self, seq: int) -> int:
        """Drop all events: what is up to `seq` is read from the record; return by how many bytes the journal grows."""
        before, self.size, self.begin = self.size, 0, seq
        self._events.clear()
        return -before

    def after(self, seq: int) -> list[JournalEvent] | None:
        """Return the events after `seq`, in order; None if the journal begins later."""
        if seq < self.begin:
            return None
        return list(takewhile(lambda event: event.seq > seq, reversed(self._events)))[::-1]
