"""Watches: the slots of a doctor's day, and every later change of them."""

from dataclasses import dataclass

from api.http.encoded import Encoded
from api.http.problems import Problem
from api.sockets.inbound import Unwatch, Watch
from api.sockets.limits import Limits
from api.sockets.session import DoctorDay, Session, SessionRegistry
from api.views.days import slots_on
from api.views.view_store import ViewStore
from hub.clock import Clock
from hub.records.ports import AppointmentRecords


@dataclass(frozen=True)
class WatchedDay:
    """The slots of a day, JSON, as they are after the event `seq` of the doctor."""

    slots: Encoded
    seq: int


class SlotWatches:
    """Starts and ends watches. After the ack a client is sent every later change exactly once."""

    def __init__(
        self,
        views: ViewStore,
        sessions: SessionRegistry,
        appointments: AppointmentRecords,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._views = views
        self._sessions = sessions
        self._appointments = appointments
        self._clock = clock
        self._limit = limits.watches

    async def watch(self, session: Session, request: Watch) -> WatchedDay:
        """Return the slots of the day. A request that fails ends an earlier watch of the same day."""
        if len(session.watches) >= self._limit:
            raise Problem("too_many_requests", f"A client watches at most {self._limit} days at once.")
        try:
            return await self._watch(session, request)
        except BaseException:
            self.unwatch(session, request)
            raise

    def unwatch(self, session: Session, request: Unwatch) -> None:
        """End a watch; it is no error if there is none."""
        self._sessions.unwatch(session, request.doctor_id, request.date)

    async def _watch(self, session: Session, request: Watch) -> WatchedDay:
        doctor_id, at_least = request.doctor_id, request.known(request.doctor_id)
        while True:
            reading = await self._views.doctor(doctor_id, at_least)
            if reading is None:
                raise Problem("not_found", "There is no such doctor.")
            view = reading.view
            answered, bounds = view.seq, view.schedule.day_bounds(request.date)
            slots = await slots_on(view, request.date, self._clock(), self._appointments)
            # All later notices are delivered. A view that was dropped meanwhile may be from before them.
            at_least = await self._sessions.subscribe(session, doctor_id, request.date)
            if answered >= at_least:
                break
        # Nothing suspends from here to the ack, so no change comes between the ack and the first event after it.
        self._sessions.watch(session, DoctorDay(doctor_id, request.date, *bounds), answered)
        return WatchedDay(slots, answered)
