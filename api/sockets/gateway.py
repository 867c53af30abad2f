"""The Socket.IO side of a process: admits clients, passes their events on, sends them notices, ends their sessions."""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

from socketio.exceptions import ConnectionRefusedError as Refused

from api.http.access_log import CALLER, AccessLog, Caller
from api.http.problems import Problem
from api.people.names import Names
from api.sockets.dispatch import Dispatch, error_body
from api.sockets.emissions import emissions, nameless
from api.sockets.history import HistoryReader
from api.sockets.limits import Limits
from api.sockets.patient_subscriptions import PatientSubscriptions
from api.sockets.presence import Presence
from api.sockets.server import Server
from api.sockets.session import Session, SessionRegistry
from api.sockets.tokens import Tokens
from hub.bus.messages import Notice
from hub.scheduling.values import Role


class Gateway:
    """Connects the server, the sessions and what is done with both."""

    def __init__(  # noqa: PLR0913, PLR0917  # assembled once, in `api.sockets.assembly`
        self,
        server: Server,
        sessions: SessionRegistry,
        tokens: Tokens,
        dispatch: Dispatch,
        patient_subscriptions: PatientSubscriptions,
        presence: Presence,
        history: HistoryReader,
        names: Names,
        access_log: AccessLog,
        limits: Limits,
    ) -> None:
        self.server = server
        self.sessions = sessions
        self._tokens = tokens
        self._dispatch = dispatch
        self._patient_subscriptions = patient_subscriptions
        self._presence = presence
        self._history = history
        self._names = names
        self._access_log = access_log
        self._waiting: deque[Notice] = deque()
        """Notices to send after the account of a person in the first one has been read."""
        self._is_waiting = asyncio.Event()
        self._limits = limits
        server.sio.on("connect", self._on_connect)
        server.sio.on("disconnect", self._on_disconnect)
        server.sio.on("*", self._on_event)

    def deliver(self, notice: Notice) -> None:
        """Send a notice to all sessions that it concerns; see `hub.bus.ports.OnNotice`.

        If a name is not known yet, as that of a patient who has just signed up at another process, its account is read
        first. The notices after it wait, so that they stay in their order.
        """
        if self._waiting or nameless(self.sessions, self._names, notice):
            self._waiting.append(notice)
            self._is_waiting.set()
        else:
            self._send(notice)

    async def _deliver_waiting(self) -> None:
        while await self._is_waiting.wait():
            unknown = nameless(self.sessions, self._names, self._waiting[0])
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.names_within):
                    await self._names.read(unknown)
            self._send(self._waiting.popleft())
            if not self._waiting:
                self._is_waiting.clear()

    def _send(self, notice: Notice) -> None:
        for emission in emissions(self.sessions, self._names, notice):
            self.server.emit(emission.sessions, emission.event, emission.data)
        self._patient_subscriptions.on_notice(notice)

    async def run(self) -> None:
        """Run the background work for ever; cancel it to stop. An error in it ends the process."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.server.sweep(self.sessions.end))
            group.create_task(self._patient_subscriptions.run())
            group.create_task(self._presence.run())
            group.create_task(self._tokens.run())
            group.create_task(self._deliver_waiting())

    async def close(self, within: float) -> None:
        """Refuse new commands, let running ones finish, then close the connections.

        All of it takes at most `within` seconds. The listening socket has to be closed before.
        """
        closing = min(self.server.close_takes(), within / 2)
        await self._dispatch.drain(within - closing)
        await self.server.close(closing)

    async def _on_connect(self, sid: str, environ: dict[str, Any], auth: object = None) -> None:
        """Admit a client, or refuse it with a code.

        The library answers no other exception: the client would wait for ever, and its sid would stay in the client
        manager. A cancellation would admit the client.
        """
        try:
            async with asyncio.timeout(self._limits.admit_within):
                await self._admit(sid, environ["aiohttp.request"].remote, auth)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # where errors end: each is a refusal
            self.sessions.end(sid)
            self.server.abort_later(sid)
            body = error_body(error, "connect")
            raise Refused(body["detail"], body) from None

    async def _admit(self, sid: str, address: str | None, auth: object) -> None:
        """Follow the client's doctors first, then join the room and answer in one step: no later event is missed."""
        if self._dispatch.draining:
            raise Problem("draining", "This server is about to stop; connect again.")
        identity = self._tokens.read(auth)
        warn_at = self._tokens.warning_time(identity)
        session = Session(sid, identity, address, warn_at, self.server.connection(sid))
        self.sessions.add(session)
        for doctor_id in await self._history.doctors(identity):
            await self.sessions.subscribe(session, doctor_id)
            session.doctors.add(doctor_id)
        self.sessions.join(session)
        CALLER.set(Caller(address, None))
        self._access_log.follows("events_followed", identity)
        if identity.role is not Role.DOCTOR:
            self._patient_subscriptions.on_joined(session)

    async def _on_event(self, event: str, sid: str, *args: object) -> dict[str, object]:
        session = self.sessions.get(sid)
        if session is None:  # the client disconnected before the event's task began
            return {"ok": False, "error": {"code": "unauthenticated", "detail": "The connection has ended."}}
        return await self._dispatch.run(session, event, args)

    async def _on_disconnect(self, sid: str, _reason: str) -> None:
        if (session := self.sessions.get(sid)) is not None and session.joined:
            CALLER.set(Caller(session.address, None))
            self._access_log.follows("events_ended", session.identity)
        self.sessions.end(sid)
        self.server.abort_later(sid)
