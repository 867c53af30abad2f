"""What one connected client was told, in the order in which it was told."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hub.client.asking import Who
from hub.client.line import Callbacks
from hub.client.wire import AppointmentEvent, SlotEvent, Synced, Told, WatchedDay
from hub.clock import Clock
from hub.scheduling.views import AppointmentView


@dataclass(frozen=True)
class Seen:
    """An event and when the client had it."""

    event: Told
    at: datetime


@dataclass
class Span:
    """One connection: since when, until when (None: it still stands), and the events told on it.

    What came up to `position` (the doctor's id → `seq`) was told by a snapshot, and not one by one.
    """

    since: datetime
    until: datetime | None = None
    position: dict[str, int] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)


class Dashboard:
    """A client that writes down everything; `callbacks` are for its line.

    What it is told before it knows that it is connected counts as told on that connection: the hub lets a client into
    its room before it says so.
    """

    def __init__(self, owner: Who, clock: Clock) -> None:
        self.owner = owner
        self.spans: list[Span] = []
        self._clock = clock
        self._latest: dict[str, AppointmentView] = {}
        self._slots: dict[tuple[str, datetime], bool] = {}

    @property
    def callbacks(self) -> Callbacks:
        """What the client's line calls."""
        return Callbacks(
            on_snapshot=self.saw_snapshot,
            on_appointment=self.saw,
            on_calendar=self.saw,
            on_watched=self.watched,
            on_slot=self.saw_slot,
            on_connected=self.connected,
            on_disconnected=self.disconnected,
        )

    @property
    def seen(self) -> list[Seen]:
        """All events, over all connections."""
        return [seen for span in self.spans for seen in span.seen]

    @property
    def open(self) -> bool:
        """Whether the client is connected."""
        return bool(self.spans) and self.spans[-1].until is None

    @property
    def slots(self) -> Mapping[tuple[str, datetime], bool]:
        """What the client shows of the days it watches: (doctor id, start) → available."""
        return self._slots

    @property
    def appointments(self) -> Collection[AppointmentView]:
        """The appointments that the client was told of, each as it stood last."""
        return self._latest.values()

    def has(self, appointment_id: str, version: int) -> bool:
        """Whether the client was told of this version of the appointment, or of a later one."""
        latest = self._latest.get(appointment_id)
        return latest is not None and latest.version >= version

    def connected(self) -> None:
        """Write down that a connection stands."""
        if not self.open:
            self.spans.append(Span(self._clock()))

    def disconnected(self) -> None:
        """Write down that the connection is gone."""
        if self.open:
            self.spans[-1].until = self._clock()

    def saw(self, event: Told) -> None:
        """Write down an event."""
        self.connected()
        self.spans[-1].seen.append(Seen(event, self._clock()))
        if isinstance(event, AppointmentEvent) and not self.has(event.appointment.id, event.appointment.version):
            self._latest[event.appointment.id] = event.appointment

    def saw_snapshot(self, snapshot: Synced) -> None:
        """Write down how everything stands."""
        self.connected()
        self.spans[-1].position = dict(snapshot.position)
        self._latest |= {appointment.id: appointment for appointment in snapshot.appointments}

    def reached(self, doctor_id: str) -> int:
        """Return the last `seq` of the doctor that the client was told of."""
        told = (seen.event.seq for seen in self.seen if seen.event.doctor_id == doctor_id)
        return max([*told, *(span.position.get(doctor_id, 0) for span in self.spans)], default=0)

    def watched(self, day: WatchedDay) -> None:
        """Write down the slots of a day that is watched from now on."""
        self.connected()
        self._slots |= {(day.doctor_id, slot.start): slot.available for slot in day.slots}

    def saw_slot(self, event: SlotEvent) -> None:
        """Write down that a slot is free or taken now."""
        self._slots[event.doctor_id, event.start] = event.available
