"""The way in and out: who is let in, what they are told from then on, and who is forgotten."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from socketio.exceptions import ConnectionRefusedError as Refusal

from api.http.problems import Problem
from api.sockets.appointments import Command
from api.sockets.dispatch import Dispatch, said
from api.sockets.limits import Limits
from api.sockets.patient_subscriptions import Meetings
from api.sockets.resync import OwnRecord
from api.sockets.rooms import Rooms
from api.sockets.server import Server
from api.sockets.session import Client, admitted
from api.sockets.subscriptions import Interest
from api.sockets.tokens import Tokens
from hub.accounts.identity import Identity
from hub.bus.messages import Notice
from hub.clock import Clock
from hub.scheduling.values import Role


class Gateway:
    """The Socket.IO side of a process."""

    def __init__(  # noqa: PLR0913, PLR0917  # put together once, in `api.sockets.assembly`
        self,
        server: Server,
        rooms: Rooms,
        interest: Interest,
        meetings: Meetings,
        own: OwnRecord,
        commands: Mapping[str, Command],
        recognise: Callable[[str], Identity],
        ended: Callable[[str], bool],
        clock: Clock,
        limits: Limits,
    ) -> None:
        """Let clients send `commands` (by event name) besides `authenticate`.

        Know their tokens by `recognise`, and by `ended` which log-ins are over.
        """
        self.server = server
        self._rooms = rooms
        self._interest = interest
        self._meetings = meetings
        self._own = own
        self._clock = clock
        self._limits = limits
        self._clients: dict[str, Client] = {}
        self._tokens = Tokens(self._clients, server, recognise, ended, clock)
        self._dispatch = Dispatch(
            {**commands, "authenticate": self._tokens.authenticate}, self._tokens.hold, server.waiting, limits
        )
        server.sio.on("connect", self._connect)
        server.sio.on("disconnect", self._disconnect)
        server.sio.on("*", self._event)

    def tell(self, notice: Notice) -> None:
        """Tell everybody concerned; see `hub.bus.ports.OnNotice`."""
        for told in self._rooms.told(notice):
            self.server.tell(told.sids, told.event, told.data)
        self._meetings.heard(notice)

    async def run(self) -> None:
        """Look after the clients for ever; cancel it to stop. Any other end of it is an error that ends the process."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.server.sweep(self._forget))
            group.create_task(self._meetings.run())
            group.create_task(self._tokens.run())

    async def close(self, within: float) -> None:
        """Take no new commands, let those in flight be answered, then send the clients elsewhere.

        `within` is how many seconds all of it may take. The listening socket has to be closed before.
        """
        leaving = min(self.server.leaving_takes(), within / 2)
        await self._dispatch.drain(within - leaving)
        await self.server.close(leaving)

    async def _connect(self, sid: str, environ: dict[str, Any], auth: object = None) -> None:
        """Let a client in, or refuse it with a code.

        Any other exception would leave the client without an answer for ever, and its sid in the library's book; and a
        cancellation would let it in.
        """
        try:
            async with asyncio.timeout(self._limits.admit_within):
                await self._admit(sid, environ["aiohttp.request"].remote, auth)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # where errors end: each is a refusal
            self._forget(sid)
            self.server.cut_soon(sid)
            why = said(error, "connect")
            raise Refusal(why["detail"], why) from None

    async def _admit(self, sid: str, address: str | None, auth: object) -> None:
        """Follow first, then join and answer in one step: nothing that happens after the answer is missed."""
        if self._dispatch.draining:
            raise Problem("draining", "This server is about to stop; connect again.")
        identity = self._tokens.read(auth)
        self._clients[sid] = admitted(sid, identity, address, self._clock())
        self._interest.arrive(sid)
        if identity.role is Role.PATIENT:
            self._meetings.arrive(sid, identity.user_id)
        for doctor_id in await self._own.doctors(identity):
            await self._interest.hold_own(sid, doctor_id)
            self._rooms.introduce(sid, doctor_id)
        self._rooms.enter(sid, identity.role, identity.user_id)
        if identity.role is Role.PATIENT:
            self._meetings.enter(sid)

    async def _event(self, event: str, sid: str, *args: object) -> dict[str, object]:
        client = self._clients.get(sid)
        if client is None:  # it left before its event had a turn
            return {"ok": False, "error": {"code": "unauthenticated", "detail": "The connection has ended."}}
        return await self._dispatch.ack(client, event, args)

    async def _disconnect(self, sid: str, _reason: str) -> None:
        self._forget(sid)
        self.server.cut_soon(sid)

    def _forget(self, sid: str) -> None:
        if client := self._clients.pop(sid, None):
            client.gone = True
            self._rooms.leave(sid)
            self._interest.depart(sid)
            self._meetings.depart(sid)
