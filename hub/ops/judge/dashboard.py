"""The updates that one client received, in the order of arrival."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hub.client.callbacks import Callbacks
from hub.client.commands import User
from hub.client.wire import AppointmentEvent, DoctorEvent, SlotEvent, SyncAnswer, WatchedDay
from hub.clock import Clock
from hub.scheduling.views import AppointmentView


@dataclass(frozen=True)
class Received:
    """An event and the time at which the client received it."""

    event: DoctorEvent
    at: datetime


@dataclass
class Period:
    """One connection: its start, its end (None: still open), and the events received on it.

    Events up to `position` (doctor's id → `seq`) were part of a snapshot and do not come one by one.
    """

    since: datetime
    until: datetime | None = None
    position: dict[str, int] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)


class Dashboard:
    """A client that records every update; give `callbacks` to its line.

    An event that arrives before `on_connected` belongs to the new connection: the hub adds a client to its rooms before
    it accepts the connection.
    """

    def __init__(self, owner: User, clock: Clock) -> None:
        self.owner = owner
        self.periods: list[Period] = []
        self._clock = clock
        self._latest: dict[str, AppointmentView] = {}
        self._slots: dict[tuple[str, datetime], bool] = {}

    @property
    def callbacks(self) -> Callbacks:
        """The callbacks for the client's line."""
        return Callbacks(
            on_snapshot=self.on_snapshot,
            on_appointment=self.on_event,
            on_calendar=self.on_event,
            on_waiting=self.on_event,
            on_watched=self.on_watched,
            on_slot=self.on_slot,
            on_connected=self.on_connected,
            on_disconnected=self.on_disconnected,
        )

    @property
    def received(self) -> list[Received]:
        """All events, over all connections."""
        return [received for period in self.periods for received in period.received]

    @property
    def is_connected(self) -> bool:
        """Whether the client is connected."""
        return bool(self.periods) and self.periods[-1].until is None

    @property
    def slots(self) -> Mapping[tuple[str, datetime], bool]:
        """The slots of the watched days as the client shows them: (doctor id, start) → available."""
        return self._slots

    @property
    def appointments(self) -> Collection[AppointmentView]:
        """The appointments that the client knows, each in its latest state."""
        return self._latest.values()

    def has(self, appointment_id: str, version: int) -> bool:
        """Whether the client received this version of the appointment, or a later one."""
        latest = self._latest.get(appointment_id)
        return latest is not None and latest.version >= version

    def on_connected(self) -> None:
        """Record the start of a connection."""
        if not self.is_connected:
            self.periods.append(Period(self._clock()))

    def on_disconnected(self) -> None:
        """Record the end of the connection."""
        if self.is_connected:
            self.periods[-1].until = self._clock()

    def on_event(self, event: DoctorEvent) -> None:
        """Record an event."""
        self.on_connected()
        self.periods[-1].received.append(Received(event, self._clock()))
        if isinstance(event, AppointmentEvent) and not self.has(event.appointment.id, event.appointment.version):
            self._latest[event.appointment.id] = event.appointment

    def on_snapshot(self, snapshot: SyncAnswer) -> None:
        """Record a snapshot."""
        self.on_connected()
        self.periods[-1].position = dict(snapshot.position)
        self._latest |= {appointment.id: appointment for appointment in snapshot.appointments}

    def last_seq(self, doctor_id: str) -> int:
        """Return the highest `seq` of the doctor that the client received; 0 if none."""
        seqs = (received.event.seq for received in self.received if received.event.doctor_id == doctor_id)
        return max([*seqs, *(period.position.get(doctor_id, 0) for period in self.periods)], default=0)

    def on_watched(self, day: WatchedDay) -> None:
        """Record the slots of a newly watched day."""
        self.on_connected()
        self._slots |= {(day.doctor_id, slot.start): slot.available for slot in day.slots}

    def on_slot(self, event: SlotEvent) -> None:
        """Record that a slot became free or taken."""
        self._slots[event.doctor_id, event.start] = event.available
