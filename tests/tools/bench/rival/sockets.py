"""The Socket.IO events: commands of clients with their acks, and what the clients are told."""

from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from typing import TypeVar

import socketio
from pydantic import BaseModel, ValidationError

from tests.tools.bench.rival.models import (
    Appointment,
    BookRequest,
    ChangeRequest,
    RescheduleRequest,
    SlotChange,
    WatchRequest,
)
from tests.tools.bench.rival.problems import Problem, invalid
from tests.tools.bench.rival.service import ACTIONS, Service
from tests.tools.bench.rival.tokens import Identity, Tokens

M = TypeVar("M", bound=BaseModel)
_Fields = dict[str, object]
"""The fields of an ack besides `ok`."""
_Command = Callable[[str, Identity, object], Awaitable[_Fields]]


class Sockets:
    """The Socket.IO server. `serve` comes last, because the service is made with `publish` and `publish_slot`."""

    def __init__(self, tokens: Tokens) -> None:
        self.server = socketio.AsyncServer(async_mode="asgi", transports=["websocket"], cors_allowed_origins="*")
        self._tokens = tokens

    def serve(self, service: Service) -> None:
        """Answer clients."""
        commands = _Commands(self.server, service)
        self.server.on("connect", self._connect)
        for name in ("book", "reschedule", "watch", "unwatch"):
            self.server.on(name, partial(self._answer, getattr(commands, name)))
        for action in ACTIONS:
            self.server.on(action, partial(self._answer, partial(commands.change, action)))
        self.server.on("*", _answer_unknown)

    async def publish(self, kind: str, appointment: Appointment) -> None:
        """Tell the clients of the doctor and of the patient what happened to an appointment."""
        rooms = [_person(appointment.doctor_id), _person(appointment.patient_id)]
        told = {"type": kind, "appointment": appointment.model_dump(by_alias=True)}
        await self.server.emit("appointment", told, room=rooms)

    async def publish_slot(self, day: date, change: SlotChange) -> None:
        """Tell those who watch the day about a slot."""
        await self.server.emit("slot", change.model_dump(by_alias=True), room=_day(change.doctor_id, day.isoformat()))

    async def _connect(self, sid: str, _: object, auth: dict[str, str] | None) -> None:
        try:
            who = self._tokens.verify((auth or {}).get("token", ""))
        except Problem as problem:
            raise socketio.exceptions.ConnectionRefusedError(problem.detail, {"code": problem.code}) from None
        await self.server.save_session(sid, who)
        await self.server.enter_room(sid, _person(who.user_id))

    async def _answer(self, command: _Command, sid: str, given: object = None) -> _Fields:
        who: Identity = await self.server.get_session(sid)
        try:
            return {"ok": True, **await command(sid, who, given)}
        except Problem as problem:
            return problem.ack()


class _Commands:
    """What clients may ask for."""

    def __init__(self, server: socketio.AsyncServer, service: Service) -> None:
        self._server = server
        self._service = service

    async def book(self, _: str, who: Identity, given: object) -> _Fields:
        return _appointment(await self._service.book(who, _read(BookRequest, given)))

    async def change(self, action: str, _: str, who: Identity, given: object) -> _Fields:
        request = _read(ChangeRequest, given)
        return _appointment(await self._service.change(who, action, request.appointment_id))

    async def reschedule(self, _: str, who: Identity, given: object) -> _Fields:
        request = _read(RescheduleRequest, given)
        return _appointment(await self._service.reschedule(who, request.appointment_id, request.start))

    async def watch(self, sid: str, _: Identity, given: object) -> _Fields:
        request = _read(WatchRequest, given)
        # First into the room, then the read: a change meanwhile is told twice rather than never.
        await self._server.enter_room(sid, _day(request.doctor_id, request.date.isoformat()))
        slots = await self._service.slots(request.doctor_id, request.date)
        return {"slots": [slot.model_dump(by_alias=True) for slot in slots]}

    async def unwatch(self, sid: str, _: Identity, given: object) -> _Fields:
        request = _read(WatchRequest, given)
        await self._server.leave_room(sid, _day(request.doctor_id, request.date.isoformat()))
        return {}


async def _answer_unknown(event: str, *_: object) -> _Fields:
    return Problem("unknown_event", f"There is no event {event}.").ack()


def _read(model: type[M], given: object) -> M:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise invalid(error.errors()) from None


def _appointment(appointment: Appointment) -> _Fields:
    return {"appointment": appointment.model_dump(by_alias=True)}


def _person(user_id: str) -> str:
    """Return the room of a person's clients."""
    return f"person:{user_id}"


def _day(doctor_id: str, day: str) -> str:
    """Return the room of those who watch a day."""
    return f"day:{doctor_id}:{day}"
