"""The table of socket commands. Dispatch, the AsyncAPI document and the access tests are made from it.

A handler is a plain async function. Its name is the event's name, the first sentence of its docstring the command's
summary, and its `request` annotation the model of the argument. It returns the fields of the ack besides `ok`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_type_hints

import orjson

from api.commands.appointments import BOOK_PROBLEMS, START_PROBLEMS, AppointmentCommands, ChangeKind
from api.commands.command_client import Done
from api.commands.hours import HoursCommands
from api.commands.waitlist import JOIN_PROBLEMS, LEAVE_PROBLEMS, OFFER_PROBLEMS, WaitlistCommands
from api.http.access_log import AccessLog
from api.http.identity import Access
from api.http.problems import Code
from api.people.names import Names
from api.sockets import outbound
from api.sockets.boards import SocketBoards
from api.sockets.inbound import (
    AddTimeOff,
    Authenticate,
    Board,
    Book,
    Cancel,
    Change,
    ChangeHours,
    JoinWaitlist,
    LeaveBoard,
    LeaveWaitlist,
    OfferSlot,
    RemoveTimeOff,
    Reschedule,
    Unwatch,
    Waitlist,
    Watch,
)
from api.sockets.inbound import Sync as SyncRequest
from api.sockets.session import Session
from api.sockets.slot_watches import SlotWatches
from api.sockets.sync import Sync
from api.sockets.tokens import Tokens
from hub.scheduling.values import Value, rfc3339
from hub.scheduling.views import AppointmentView


@dataclass(frozen=True)
class Handlers:
    """What the command handlers call."""

    appointments: AppointmentCommands
    waitlist: WaitlistCommands
    hours: HoursCommands
    slot_watches: SlotWatches
    boards: SocketBoards
    sync: Sync
    names: Names
    tokens: Tokens
    access_log: AccessLog


Fields = dict[str, object]
"""The fields of an ack besides `ok`."""
Handler = Callable[[Handlers, Session, Any], Awaitable[Fields]]

_EVERY_COMMAND: tuple[Code, ...] = (
    "invalid_request",
    "unauthenticated",
    "invalid_token",
    "busy",
    "draining",
    "try_again",
    "unavailable",
    "internal",
)
"""The error codes that any command may be answered with."""


@dataclass(frozen=True)
class SocketCommand:
    """One row of the table: `problems` are all error codes that the command may be answered with.

    `acks` are the acks of a command that was carried out. `writes` says that it counts against the write rate limit,
    together with the writes over REST.
    """

    request: type[Value]
    acks: tuple[type[Value], ...]
    problems: tuple[Code, ...]
    access: Access
    writes: bool
    handler: Handler

    @property
    def name(self) -> str:
        """The event's name."""
        return self.handler.__name__

    @property
    def summary(self) -> str:
        """What the command does, in a sentence."""
        return (self.handler.__doc__ or "").partition("\n")[0]


_table: list[SocketCommand] = []


def command(
    *acks: type[Value], problems: Sequence[Code] = (), access: Access = Access.SIGNED_IN, writes: bool = False
) -> Callable[[Handler], Handler]:
    """Put a handler into the table. `problems` are its own; those of its access and of every command are added."""
    codes: list[Code] = list(problems)
    if access.of_some_roles:
        codes.append("forbidden")
    if writes:
        codes.append("too_many_requests")

    def add(handler: Handler) -> Handler:
        _table.append(
            SocketCommand(
                request=get_type_hints(handler)["request"],
                acks=acks,
                problems=tuple(dict.fromkeys([*codes, *_EVERY_COMMAND])),
                access=access,
                writes=writes,
                handler=handler,
            )
        )
        return handler

    return add


_OF_A_CHANGE: tuple[Code, ...] = ("not_found", "forbidden", "wrong_status", "idempotency_key_reused")


@command(outbound.AppointmentAck, problems=BOOK_PROBLEMS, writes=True)
async def book(handlers: Handlers, session: Session, request: Book) -> Fields:
    """Book a slot."""
    return await _appointment(
        handlers, session, await handlers.appointments.book(session.identity, request, "socket", request.command_id)
    )


@command(outbound.AppointmentAck, problems=_OF_A_CHANGE, writes=True)
async def confirm(handlers: Handlers, session: Session, request: Change) -> Fields:
    """Confirm that the patient will come."""
    return await _changed(handlers, session, request, "confirm")


@command(outbound.AppointmentAck, problems=[*_OF_A_CHANGE, "in_the_past"], writes=True)
async def cancel(handlers: Handlers, session: Session, request: Cancel) -> Fields:
    """Cancel the appointment; its slot becomes free."""
    return await _changed(handlers, session, request, "cancel", reason=request.reason)


@command(outbound.AppointmentAck, problems=[*_OF_A_CHANGE, "too_early"], writes=True)
async def complete(handlers: Handlers, session: Session, request: Change) -> Fields:
    """Record that the patient came; for the doctor of the appointment, and for receptionists."""
    # Not limited to doctors by the table: for a stranger's appointment everybody gets `not_found`, patients too.
    return await _changed(handlers, session, request, "complete")


@command(
    outbound.AppointmentAck,
    problems=[*_OF_A_CHANGE, "too_early", "in_the_past", "slot_taken", "patient_busy"],
    writes=True,
)
async def check_in(handlers: Handlers, session: Session, request: Change) -> Fields:
    """Record that the patient has arrived; a no-show is confirmed again if its time is still free."""
    return await _changed(handlers, session, request, "check_in")


@command(outbound.AppointmentAck, problems=_OF_A_CHANGE, writes=True)
async def call_in(handlers: Handlers, session: Session, request: Change) -> Fields:
    """Record that the patient, who has arrived, was called into the room."""
    return await _changed(handlers, session, request, "call_in")


@command(outbound.AppointmentAck, problems=_OF_A_CHANGE, writes=True)
async def undo_visit(handlers: Handlers, session: Session, request: Change) -> Fields:
    """Undo the last step of the visit: the call into the room, else the arrival."""
    return await _changed(handlers, session, request, "undo_visit")


@command(outbound.AppointmentAck, problems=[*_OF_A_CHANGE, *START_PROBLEMS], writes=True)
async def reschedule(handlers: Handlers, session: Session, request: Reschedule) -> Fields:
    """Move the appointment to another slot of the same doctor; if it is refused, the appointment stays as it is."""
    return await _changed(handlers, session, request, "reschedule", start=request.start)


@command(outbound.AppointmentAck, problems=[*_OF_A_CHANGE, "doctor_unavailable", "outside_hours"], writes=True)
async def accept(handlers: Handlers, session: Session, request: Change) -> Fields:
    """Take an offered slot; staff do it for the patient, by phone."""
    return await _changed(handlers, session, request, "accept")


@command(outbound.AppointmentAck, problems=_OF_A_CHANGE, writes=True)
async def decline(handlers: Handlers, session: Session, request: Change) -> Fields:
    """Pass: do not take an offered slot; the next one who waits is offered it."""
    return await _changed(handlers, session, request, "decline")


@command(outbound.EntryAck, problems=JOIN_PROBLEMS, writes=True)
async def join_waitlist(handlers: Handlers, session: Session, request: JoinWaitlist) -> Fields:
    """Wait for a time at a doctor."""
    done = await handlers.waitlist.join(session.identity, request, "socket", request.command_id)
    return {"entry": done.value.shown, **_about(done)}


@command(outbound.EntryAck, problems=LEAVE_PROBLEMS, writes=True)
async def leave_waitlist(handlers: Handlers, session: Session, request: LeaveWaitlist) -> Fields:
    """Do not wait any more; staff take a patient out of the line."""
    done = await handlers.waitlist.leave(session.identity, request.entry_id, "socket", request.command_id)
    return {"entry": done.value.shown, **_about(done)}


@command(outbound.WaitlistAck, problems=["forbidden"])
async def waitlist(handlers: Handlers, session: Session, request: Waitlist) -> Fields:
    """List who waits: a patient the own entries, a doctor the own line, a receptionist all lines or one."""
    return {"entries": [each.shown for each in await handlers.waitlist.listed(session.identity, request.doctor_id)]}


@command(outbound.AppointmentAck, problems=OFFER_PROBLEMS, access=Access.STAFF, writes=True)
async def offer_slot(handlers: Handlers, session: Session, request: OfferSlot) -> Fields:
    """Offer a free slot to somebody who waits, out of turn."""
    done = await handlers.waitlist.offer(session.identity, request.entry_id, request, "socket", request.command_id)
    return await _appointment(handlers, session, done)


@command(outbound.CalendarAck, problems=["idempotency_key_reused"], access=Access.DOCTOR, writes=True)
async def change_hours(handlers: Handlers, session: Session, request: ChangeHours) -> Fields:
    """Replace the doctor's own weekly hours."""
    done = await handlers.hours.change(session.identity, request, "socket", request.command_id)
    outside = (each.patient_id for each in done.value.outside)
    handlers.access_log.looked_at_any("outside_hours_shown", session.identity, outside)
    return {**orjson.loads(await handlers.names.encoded_with_outside(done.value)), **_about(done)}


@command(
    outbound.TimeOffAck,
    problems=["off_grid", "in_the_past", "idempotency_key_reused"],
    access=Access.DOCTOR,
    writes=True,
)
async def add_time_off(handlers: Handlers, session: Session, request: AddTimeOff) -> Fields:
    """Add time off of the doctor."""
    done = await handlers.hours.add_time_off(session.identity, request, "socket", request.command_id)
    outside = (each.patient_id for each in done.value.outside)
    handlers.access_log.looked_at_any("outside_hours_shown", session.identity, outside)
    return {**orjson.loads(await handlers.names.encoded_with_outside(done.value)), **_about(done)}


@command(outbound.RemovedAck, problems=["not_found", "idempotency_key_reused"], access=Access.DOCTOR, writes=True)
async def remove_time_off(handlers: Handlers, session: Session, request: RemoveTimeOff) -> Fields:
    """Remove time off of the doctor."""
    return _about(
        await handlers.hours.remove_time_off(session.identity, request.time_off_id, "socket", request.command_id)
    )


@command(outbound.SlotsAck, problems=["not_found", "too_many_requests"])
async def watch(handlers: Handlers, session: Session, request: Watch) -> Fields:
    """Get the slots of a doctor's day, and every later change of them."""
    watched = await handlers.slot_watches.watch(session, request)
    return {"slots": orjson.Fragment(watched.slots.content), "position": {request.doctor_id: watched.seq}}


@command(outbound.EmptyAck)
async def unwatch(handlers: Handlers, session: Session, request: Unwatch) -> Fields:
    """End a watch; it is no error if there is none."""
    handlers.slot_watches.unwatch(session, request)
    return {}


@command(outbound.BoardAck, problems=["not_found"], access=Access.STAFF)
async def board(handlers: Handlers, session: Session, request: Board) -> Fields:
    """Get a day of all doctors with slots and appointments, and every later change; for a doctor the own day."""
    shown = await handlers.boards.show(session, request)
    handlers.access_log.looked_at_any("board_shown", session.identity, shown.patient_ids)
    doctors = orjson.Fragment(shown.doctors)
    return {"date": shown.date.isoformat(), "position": shown.position, "doctors": doctors}


@command(outbound.EmptyAck, access=Access.STAFF)
async def leave_board(handlers: Handlers, session: Session, request: LeaveBoard) -> Fields:
    """End the board of a day; it is no error if there is none."""
    handlers.boards.leave(session, request)
    return {}


@command(outbound.ResumeAck, outbound.SnapshotAck, problems=["too_many_requests"])
async def sync(handlers: Handlers, session: Session, request: SyncRequest) -> Fields:
    """Get the events that the client missed, or a snapshot of its own appointments."""
    return await handlers.sync.answer(session, request.since)


@command(
    outbound.TokenAck, problems=["forbidden", "token_expired", "password_change_required", "second_factor_required"]
)
async def authenticate(handlers: Handlers, session: Session, request: Authenticate) -> Fields:
    """Replace the access token before it expires."""
    return {"expiresAt": rfc3339(handlers.tokens.renew(session, request.token))}


COMMANDS: tuple[SocketCommand, ...] = tuple(_table)
"""Every command."""


async def _changed(  # noqa: PLR0913  # each is a part of the command
    handlers: Handlers,
    session: Session,
    request: Change | Cancel | Reschedule,
    kind: ChangeKind,
    *,
    start: datetime | None = None,
    reason: str | None = None,
) -> Fields:
    """Change an appointment as the person of the session, and return what the ack says of it."""
    done = await handlers.appointments.change(
        session.identity, kind, request.appointment_id, "socket", request.command_id, start=start, reason=reason
    )
    return await _appointment(handlers, session, done)


async def _appointment(handlers: Handlers, session: Session, done: Done[AppointmentView]) -> Fields:
    encoded = await handlers.names.encoded(session.identity.role, done.value)
    handlers.access_log.looked("appointment_changed", session.identity, [done.value.patient_id])
    return {"appointment": orjson.Fragment(encoded), **_about(done)}


def _about(done: Done[Any]) -> Fields:
    """Return the position of a command, and for one that had been carried out before the field that says so."""
    position: Fields = {"position": done.position} if done.position else {}
    return position | ({"replayed": True} if done.replayed else {})
