"""The connected clients: one `Session` per client, and one registry of all sessions with the indexes over them."""

import asyncio
from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Protocol, TypeVar

from api.sockets.websocket import Writer
from hub.accounts.identity import Identity
from hub.bus.ports import NoticeFeed
from hub.scheduling.slots import SlotChange
from hub.scheduling.values import Role

K = TypeVar("K")
V = TypeVar("V")

Subscription = tuple[str, date | None]
"""A doctor whose notices a session needs: for one watched day, or (None) because the events are the client's own."""


class Disconnected(Exception):
    """The client disconnected while something was done for it."""


class Connection(Protocol):
    """What a session uses of the engine.io socket that carries it."""

    closed: bool
    queue: "asyncio.Queue[object]"
    writer: Writer


@dataclass(frozen=True)
class DoctorDay:
    """A calendar day of a doctor; `begin` (included) and `end` (excluded) are its bounds in UTC."""

    doctor_id: str
    date: date
    begin: datetime
    end: datetime


@dataclass(frozen=True, eq=False)
class SlotWatch:
    """One session's watch of one day; the ack is true as of the doctor's event `answered`."""

    session: "Session"
    day: DoctorDay
    answered: int

    def receives(self, seq: int, change: SlotChange) -> bool:
        """Return whether the session is sent this change; False for a change that its ack holds already."""
        return seq > self.answered and self.day.begin <= change.start < self.day.end


@dataclass(eq=False, slots=True, weakref_slot=True)
class Session:
    """Everything that is known of one connected client."""

    sid: str
    """The client's id in python-socketio."""
    identity: Identity
    address: str | None
    """The client's IP address, as our proxies report it."""
    warn_at: datetime | None
    """When to announce the token's expiry; None once it has been announced."""
    connection: Connection
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Runs the client's commands one after the other, in the order in which they arrived."""
    pending: int = 0
    """Commands that wait or run."""
    joined: bool = False
    """Whether admission is complete, so that the client can be sent events."""
    ended: bool = False
    """Whether the connection has ended. Commands that arrived before may still wait for their turn."""
    subscriptions: set[Subscription] = field(default_factory=set)
    """The subscriptions for which this session follows doctors."""
    watches: dict[tuple[str, date], SlotWatch] = field(default_factory=dict)
    """The watched days, by doctor and date."""
    board: list[SlotWatch] = field(default_factory=list)
    """The day of each doctor on the client's board."""
    doctors: set[str] = field(default_factory=set)
    """The doctors whose appointment events the client of a patient or a receptionist is sent."""
    deferred_doctors: set[str] = field(default_factory=set)
    """Doctors who became known during admission: their catch-up begins when the session has joined."""
    catch_ups: dict[str, bool] = field(default_factory=dict)
    """For each doctor whose catch-up is running: whether an event was withheld since the record was read."""

    @property
    def backlog(self) -> int:
        """How many packets wait to be written to this client."""
        return self.connection.queue.qsize()


class SessionRegistry:
    """All sessions of this process. `end` is the one place that releases what a session held."""

    def __init__(self, following: NoticeFeed) -> None:
        self._following = following
        self._by_sid: dict[str, Session] = {}
        self._of_patient: dict[str, dict[Session, None]] = {}
        """Patients' sessions, including those in admission; the patients in the order of the next comparison."""
        self._desk: dict[Session, None] = {}
        """Receptionists' sessions, including those in admission."""
        self._rooms: dict[tuple[Role, str], dict[Session, None]] = {}
        """The joined sessions of each person."""
        self._watches: dict[str, dict[SlotWatch, None]] = {}
        """The watches of each doctor's days."""

    def __iter__(self) -> Iterator[Session]:
        return iter(self._by_sid.values())

    def __len__(self) -> int:
        return len(self._by_sid)

    def get(self, sid: str) -> Session | None:
        """Return the session of a client, None if it has ended."""
        return self._by_sid.get(sid)

    def add(self, session: Session) -> None:
        """Register a session whose admission begins. It is sent no events before it joins."""
        self._by_sid[session.sid] = session
        if session.identity.role is Role.PATIENT:
            self._of_patient.setdefault(session.identity.user_id, {})[session] = None
        if session.identity.role is Role.RECEPTIONIST:
            self._desk[session] = None

    def join(self, session: Session) -> None:
        """Put a session into the room of its person: from now on it is sent the person's events.

        Raises `Disconnected`: nothing would take an ended session out of an index again.
        """
        if session.ended:
            raise Disconnected
        session.joined = True
        self._rooms.setdefault(_room(session), {})[session] = None

    def end(self, sid: str) -> None:
        """Release everything that a session held; nothing if there is no such session."""
        session = self._by_sid.pop(sid, None)
        if session is None:
            return
        session.ended = True
        _discard(self._rooms, _room(session), session)
        _discard(self._of_patient, session.identity.user_id, session)
        self._desk.pop(session, None)
        self.leave_board(session)
        for watch in session.watches.values():
            _discard(self._watches, watch.day.doctor_id, watch)
        for doctor_id, _ in session.subscriptions:
            self._following.unfollow(doctor_id)
        session.watches.clear()
        session.subscriptions.clear()

    def room(self, role: Role, user_id: str) -> Collection[Session]:
        """Return the joined sessions of a person."""
        return self._rooms.get((role, user_id), {}).keys()

    def of_patient(self, patient_id: str) -> Collection[Session]:
        """Return the sessions of a patient, including those in admission."""
        return self._of_patient.get(patient_id, {}).keys()

    def desk(self) -> Collection[Session]:
        """Return the sessions of all receptionists, including those in admission."""
        return self._desk.keys()

    def patients(self) -> AbstractSet[str]:
        """Return the connected patients, including those in admission."""
        return self._of_patient.keys()

    def next_patients(self, limit: int) -> list[str]:
        """Return the connected patients whose last comparison with the record is longest ago."""
        return list(islice(self._of_patient, limit))

    def mark_compared(self, patient_id: str) -> None:
        """Put a patient, if still connected, last in the order of `next_patients`."""
        if (sessions := self._of_patient.pop(patient_id, None)) is not None:
            self._of_patient[patient_id] = sessions

    async def subscribe(self, session: Session, doctor_id: str, day: date | None = None) -> int:
        """Follow a doctor for a session; return the `seq` after which every notice is delivered.

        A subscription counts once, however often it is made. Raises `Disconnected` and `StoreUnavailable`.
        """
        seq = await self._following.follow(doctor_id)
        if session.ended:  # it ended while this waited, so `end` did not release this
            self._following.unfollow(doctor_id)
            raise Disconnected
        if (doctor_id, day) in session.subscriptions:
            self._following.unfollow(doctor_id)
        session.subscriptions.add((doctor_id, day))
        return seq

    def watch(self, session: Session, day: DoctorDay, answered: int) -> None:
        """Send a session the changes of a day that come after the doctor's event `answered`.

        It replaces an earlier watch of the same day. Raises `Disconnected`.
        """
        if session.ended:
            raise Disconnected
        self._remove_watch(session, day.doctor_id, day.date)
        watch = session.watches[day.doctor_id, day.date] = SlotWatch(session, day, answered)
        self._watches.setdefault(day.doctor_id, {})[watch] = None

    def unwatch(self, session: Session, doctor_id: str, day: date) -> None:
        """End a session's watch of a day and its subscription, if there are any."""
        self._remove_watch(session, doctor_id, day)
        if (doctor_id, day) in session.subscriptions:
            session.subscriptions.remove((doctor_id, day))
            self._following.unfollow(doctor_id)

    def show_board(self, session: Session, days: Iterable[tuple[DoctorDay, int]]) -> None:
        """Send a session the slot changes of these days that come after the doctor's event beside each.

        It replaces the session's last board. Raises `Disconnected`.
        """
        if session.ended:
            raise Disconnected
        self.leave_board(session)
        session.board = [SlotWatch(session, day, answered) for day, answered in days]
        for watch in session.board:
            self._watches.setdefault(watch.day.doctor_id, {})[watch] = None

    def leave_board(self, session: Session) -> None:
        """End a session's board, if there is one."""
        for watch in session.board:
            _discard(self._watches, watch.day.doctor_id, watch)
        session.board = []

    def watches(self, doctor_id: str) -> Collection[SlotWatch]:
        """Return all watches of days of a doctor, also those of boards."""
        return self._watches.get(doctor_id, {}).keys()

    def _remove_watch(self, session: Session, doctor_id: str, day: date) -> None:
        if watch := session.watches.pop((doctor_id, day), None):
            _discard(self._watches, doctor_id, watch)


def _room(session: Session) -> tuple[Role, str]:
    # The role is part of it: a doctor and a patient with the same id are two people.
    return session.identity.role, session.identity.user_id


def _discard(index: dict[K, dict[V, None]], key: K, value: V) -> None:
    """Remove a value from an index, and its key with the last value."""
    values = index.get(key)
    if values is not None:
        values.pop(value, None)
        if not values:
            del index[key]
