"""`sync`: the events that a client missed, or a snapshot of its own appointments, and the position of either."""

import asyncio
from collections.abc import Collection, Mapping
from functools import partial
from time import monotonic

import orjson
from prometheus_client import Counter

from api.http.access_log import AccessLog
from api.http.rate_limits import TokenBuckets, per_minute, too_many_requests
from api.people.names import Names
from api.sockets.history import History, HistoryReader, concerns
from api.sockets.limits import Limits
from api.sockets.session import Disconnected, Session
from api.views.doctor_view import DoctorView
from api.views.entries import Entry, WaitingEntry
from api.views.view_store import ViewStore
from api.visibility import visible_to
from hub.accounts.identity import Identity
from hub.clock import Clock
from hub.records.appointment_filter import AppointmentFilter
from hub.scheduling.values import Role
from hub.scheduling.views import schedule_view

SYNCS = Counter("clinic_syncs_total", "Answers to `sync`, by mode: a resume holds the missed events.", ["mode"])
OLDER = Counter(
    "clinic_syncs_older_total", "Doctors whose missed events were read from the record: their journal began too late."
)

_EVERY = 2**31
"""A page of this size holds all appointments of a doctor."""


class Sync:
    """Answers from the views of the person's doctors, each compared with the record at or after the request.

    So neither lost notices nor a change of the process matter. The session has been sent its own events since before
    the comparison, so no event falls between the answer and the next event sent. An event may be in both: a client
    buffers events until the answer, and compares `seq` with `position`.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # assembled once, in `api.sockets.assembly`
        self,
        views: ViewStore,
        history: HistoryReader,
        names: Names,
        access_log: AccessLog,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._views = views
        self._names = names
        self._history = history
        self._access_log = access_log
        self._clock = clock
        self._limits = limits
        self._users = TokenBuckets(per_minute(limits.syncs_per_minute), monotonic)
        self._turns = asyncio.Semaphore(limits.syncs_at_once)

    async def answer(self, session: Session, since: Mapping[str, int] | None) -> dict[str, object]:
        """Return the events after `since`. Without it, or if no resume from it is possible, return a snapshot.

        `position` maps the id of each of the person's doctors to the last `seq` that the answer holds. A doctor's
        snapshot holds the doctor's schedule too. Raises TimeoutError, and `Disconnected` if the client has left.
        """
        if wait := self._users.wait(session.identity.user_id):
            raise too_many_requests(wait)
        self._users.take(session.identity.user_id)
        async with asyncio.timeout(self._limits.sync_within), self._turns:
            if session.ended:
                raise Disconnected
            return await self._read(session.identity, since)

    async def _read(self, person: Identity, since: Mapping[str, int] | None) -> dict[str, object]:
        views = await self._compared(await self._history.doctors(person))
        missed = await self._missed(person, since, views) if since is not None else None
        if missed is not None:
            SYNCS.labels("resume").inc()
            events = [event for history in missed.values() for event in history.events]
            await self._names.learn(person.role, (event.about for event in events if event.about))
            seen = (event.about.patient_id for event in events if event.about)
            self._access_log.looked_at_any("events_resumed", person, seen)
            named = partial(self._named, person.role)
            position = {doctor_id: history.seq for doctor_id, history in missed.items()}
            shown = [orjson.Fragment(event.encoded(named)) for event in events]
            return {"mode": "resume", "events": shown, "position": position}
        SYNCS.labels("snapshot").inc()
        await self._names.learn(person.role, self._visible(person, views))
        return self._snapshot(person, views)

    async def _compared(self, doctor_ids: Collection[str]) -> dict[str, DoctorView]:
        """Return the view of each doctor, at least as new as the record when this began."""
        ordered = sorted(doctor_ids)
        views: dict[str, DoctorView] = {}
        for first in range(0, len(ordered), self._limits.doctors_at_once):
            some = ordered[first : first + self._limits.doctors_at_once]
            readings = await asyncio.gather(*(self._views.compared(doctor_id) for doctor_id in some))
            views |= {id_: reading.view for id_, reading in zip(some, readings, strict=True) if reading is not None}
        return views

    async def _missed(
        self, person: Identity, since: Mapping[str, int], views: Mapping[str, DoctorView]
    ) -> dict[str, History] | None:
        """Return for each doctor the events after `since`; all events of a doctor who is new to the person.

        None for too many events, and for a position that no answer can have held: with a doctor who is not the
        person's, or with a `seq` that the doctor has not reached.
        """
        if not (since.keys() == views.keys() if person.role is Role.DOCTOR else since.keys() <= views.keys()):
            return None
        if any(seq > views[doctor_id].seq for doctor_id, seq in since.items()):
            return None
        behind = sum(views[doctor_id].seq - seq for doctor_id, seq in since.items())
        if person.role is not Role.PATIENT and behind > self._limits.resume_events:
            return None  # the other way reads every event that the clinic ever had
        missed = {id_: await self._missed_of(person, view, since.get(id_)) for id_, view in views.items()}
        return missed if sum(len(each.events) for each in missed.values()) <= self._limits.resume_events else None

    async def _missed_of(self, person: Identity, view: DoctorView, since: int | None) -> History:
        """Return the events of one doctor after `since` (None: all): from the view's journal, or else the record."""
        journal, seq = view.journal.after(since or 0), view.seq
        if journal is not None:
            return History([event for event in journal if concerns(event, person)], seq)
        OLDER.inc()
        if since is None or person.role is Role.PATIENT:
            return await self._history.of_person(person, view.schedule.id, since or 0)
        return await self._history.since(person, view.schedule.id, since, seq)

    def _named(self, role: Role, entry: Entry | WaitingEntry) -> bytes:
        return self._names.add(role, entry, entry.encoded)

    def _visible(self, person: Identity, views: Mapping[str, DoctorView]) -> list[Entry]:
        """Return the appointments that the person may see and that start a day ago or later."""
        start_from = self._clock() - self._limits.snapshot_from
        wanted = AppointmentFilter(start_from=start_from).within(visible_to(person.role, person.user_id))
        entries: list[Entry] = []
        for view in views.values():
            page = view.page(wanted, _EVERY)
            if page is None:
                raise RuntimeError("a snapshot begins before the window of the views")
            entries += page
        return entries

    def _snapshot(self, person: Identity, views: Mapping[str, DoctorView]) -> dict[str, object]:
        """Return the appointments that the person may see and that start a day ago or later, by start."""
        entries = sorted(self._visible(person, views), key=lambda entry: (entry.start, entry.id))
        self._access_log.looked_at_any("snapshot_sent", person, (entry.patient_id for entry in entries))
        answer: dict[str, object] = {
            "mode": "snapshot",
            "appointments": [orjson.Fragment(self._named(person.role, entry)) for entry in entries],
            "position": {doctor_id: view.seq for doctor_id, view in views.items()},
        }
        if person.role is Role.DOCTOR and (own := views.get(person.user_id)):
            answer["calendar"] = schedule_view(own.schedule).model_dump(mode="json", by_alias=True)
        return answer
