"""Appointments: book, list, show and change. The doctor's actor decides what is possible."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Self

from aiohttp import hdrs, web
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, model_validator

from api.commands.appointments import (
    BOOK_PROBLEMS,
    START_PROBLEMS,
    BookRequest,
    CancelRequest,
    ChangeKind,
    Moment,
    RescheduleRequest,
)
from api.commands.command_client import Done
from api.http.encoded import Encoded, encoded
from api.http.endpoints import ById, File, Json, Routes, Written
from api.http.identity import Access
from api.http.positions import POSITION, Known, position_header
from api.http.problems import Code, FieldError, Problem
from api.http.ranges import require_order
from api.http.request_reading import split
from api.people.names import NamedAppointment
from api.resources.icalendar import ICALENDAR, calendar_file, etag
from api.resources.idempotency import REPLAYED, Repeatable, written
from api.services import Services
from api.views.answers import SENDS, age_headers, headers_of
from api.views.entries import Entry
from api.visibility import require_visible, visible_appointment, visible_to
from hub.accounts.identity import Identity
from hub.records.appointment_filter import NO_APPOINTMENTS, After, AppointmentFilter
from hub.records.paging import page_of_doctors
from hub.scheduling.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentRescheduled,
    Event,
    EventType,
    SlotOffered,
)
from hub.scheduling.values import Actor, Id, Instant, Role, Status, Value
from hub.scheduling.views import AppointmentView, view

routes = Routes("/api/v1/appointments")

_CHANGE_PROBLEMS: tuple[Code, ...] = ("wrong_status", "idempotency_key_reused", "try_again")
_CURSOR: TypeAdapter[tuple[Moment, Id]] = TypeAdapter(tuple[Moment, Id])


class ListQuery(Value):
    """Filters the list. `from` is included, `to` is not. `cursor` comes from the Link header of the previous page."""

    doctor_id: Id | None = None
    patient_id: Id | None = None
    status: Annotated[tuple[Status, ...], BeforeValidator(split)] = ()
    start_from: Moment | None = Field(default=None, alias="from")
    start_to: Moment | None = Field(default=None, alias="to")
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=200)] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        require_order(("from", self.start_from), ("to", self.start_to), may_be_empty=True)
        return self


class PastEvent(Value):
    """An event of an appointment: what happened, when, by whom, and through which channel (`by.via`).

    `start` is the start that a booking or a move set, `previous_start` the start before a move. `seq` numbers the
    events of one doctor in order, as on the sockets.
    """

    type: EventType
    at: Instant
    by: Actor
    seq: int
    start: Instant | None
    previous_start: Instant | None
    reason: Annotated[
        str | None, Field(description="Why the appointment was cancelled, if that was said; null otherwise.")
    ]


@routes.endpoint(
    "POST",
    "",
    access=Access.SIGNED_IN,
    status=HTTPStatus.CREATED,
    problems=[*BOOK_PROBLEMS, "try_again"],
    sends=["Location", REPLAYED, POSITION],
)
async def book(services: Services, who: Identity, headers: Repeatable, body: BookRequest) -> Written[NamedAppointment]:
    """Book a slot."""
    done = await services.appointment_commands.book(who, body, "rest", headers.key)
    return await _written(services, who, done, {"Location": f"/api/v1/appointments/{done.value.id}"})


@routes.endpoint("GET", "", access=Access.SIGNED_IN, problems=["forbidden"], sends=["Link", *SENDS])
async def list_appointments(
    services: Services, request: web.Request, who: Identity, query: ListQuery, headers: Known
) -> Json[list[NamedAppointment]]:
    """List the caller's appointments by start, for a receptionist those of the clinic.

    A Link header leads to the next page if there is one.
    """
    wanted, after = _filter(who, query), _after(query)
    found, more = await _page(services, wanted, query.limit + 1, after, headers)
    shown = found[: query.limit]
    if len(found) > query.limit:
        more |= {"Link": _link(request, shown[-1])}
    names = services.names
    await names.learn(who.role, shown)
    services.access_log.looked_at_any("appointments_listed", who, (entry.patient_id for entry in shown))
    content = b",".join(names.add(who.role, entry, entry.encoded) for entry in shown)
    return Json(encoded(b"[%b]" % content), more)


@routes.endpoint("GET", "/{id}", access=Access.SIGNED_IN, sends=SENDS)
async def show_appointment(services: Services, who: Identity, path: ById, headers: Known) -> Json[NamedAppointment]:
    """Show an appointment that the caller may see."""
    entry = services.views.entry(path.id)
    doctor_id = entry.doctor_id if entry else who.user_id if who.role is Role.DOCTOR else None
    reading = await services.views.doctor(doctor_id, headers.seq_of(doctor_id)) if doctor_id else None
    if reading is not None and (entry := reading.view.appointment(path.id)) is not None:
        position = headers_of(reading)  # now: the view may move on while a name is read
        return Json(await _named(services, who, require_visible(who, entry)), position)
    found = await visible_appointment(services.records.appointments, who, path.id)
    position = position_header({found.doctor_id: found.last.seq})
    return Json(await _named(services, who, Entry.of(view(found), found.last.seq)), position)


@routes.endpoint("GET", "/{id}/history", access=Access.SIGNED_IN)
async def show_history(services: Services, who: Identity, path: ById) -> list[PastEvent]:
    """Show the history of one of the caller's appointments: what happened, when, by whom, through which channel."""
    appointment = await visible_appointment(services.records.appointments, who, path.id)
    services.access_log.looked("appointment_shown", who, [appointment.patient_id])
    return [_past_event(event) for event in appointment.history]


@routes.endpoint("GET", "/{id}/calendar.ics", access=Access.SIGNED_IN, gives=ICALENDAR, sends=["ETag"])
async def show_in_calendar(services: Services, who: Identity, path: ById) -> File:
    """Return one of the caller's appointments as a calendar file."""
    appointment = await visible_appointment(services.records.appointments, who, path.id)
    people = await services.records.users.by_ids({appointment.doctor_id, appointment.patient_id})
    services.access_log.looked("appointment_shown", who, [appointment.patient_id])
    content = calendar_file([appointment], people, who.user_id)
    disposition = 'attachment; filename="appointment.ics"'
    return File(content, {hdrs.CONTENT_DISPOSITION: disposition, hdrs.ETAG: etag(content)})


@routes.endpoint(
    "PATCH", "/{id}/confirm", access=Access.SIGNED_IN, problems=_CHANGE_PROBLEMS, sends=[REPLAYED, POSITION]
)
async def confirm(services: Services, who: Identity, path: ById, headers: Repeatable) -> Written[NamedAppointment]:
    """Confirm that the patient will come."""
    return await _changed(services, who, path, headers, "confirm")


@routes.endpoint(
    "PATCH",
    "/{id}/cancel",
    access=Access.SIGNED_IN,
    problems=[*_CHANGE_PROBLEMS, "in_the_past"],
    sends=[REPLAYED, POSITION],
)
async def cancel(
    services: Services, who: Identity, path: ById, headers: Repeatable, body: CancelRequest
) -> Written[NamedAppointment]:
    """Cancel the appointment. Its slot is free again."""
    return await _changed(services, who, path, headers, "cancel", reason=body.reason)


@routes.endpoint(
    "PATCH",
    "/{id}/complete",
    access=Access.STAFF,
    problems=[*_CHANGE_PROBLEMS, "too_early"],
    sends=[REPLAYED, POSITION],
)
async def complete(services: Services, who: Identity, path: ById, headers: Repeatable) -> Written[NamedAppointment]:
    """Record that the patient came."""
    return await _changed(services, who, path, headers, "complete")


@routes.endpoint(
    "PATCH",
    "/{id}/check-in",
    access=Access.STAFF,
    problems=[*_CHANGE_PROBLEMS, "too_early", "in_the_past", "slot_taken", "patient_busy"],
    sends=[REPLAYED, POSITION],
)
async def check_in(services: Services, who: Identity, path: ById, headers: Repeatable) -> Written[NamedAppointment]:
    """Record that the patient has arrived. A no-show is confirmed again if its time is still free."""
    return await _changed(services, who, path, headers, "check_in")


@routes.endpoint("PATCH", "/{id}/call-in", access=Access.STAFF, problems=_CHANGE_PROBLEMS, sends=[REPLAYED, POSITION])
async def call_in(services: Services, who: Identity, path: ById, headers: Repeatable) -> Written[NamedAppointment]:
    """Record that the patient, who has arrived, was called into the room."""
    return await _changed(services, who, path, headers, "call_in")


@routes.endpoint(
    "PATCH", "/{id}/undo-visit", access=Access.STAFF, problems=_CHANGE_PROBLEMS, sends=[REPLAYED, POSITION]
)
async def undo_visit(services: Services, who: Identity, path: ById, headers: Repeatable) -> Written[NamedAppointment]:
    """Undo the last step of the visit: the call into the room, else the arrival."""
    return await _changed(services, who, path, headers, "undo_visit")


@routes.endpoint(
    "PATCH",
    "/{id}/reschedule",
    access=Access.SIGNED_IN,
    problems=[*_CHANGE_PROBLEMS, *START_PROBLEMS],
    sends=[REPLAYED, POSITION],
)
async def reschedule(
    services: Services, who: Identity, path: ById, headers: Repeatable, body: RescheduleRequest
) -> Written[NamedAppointment]:
    """Move the appointment to another slot of the same doctor. If that is refused, it stays as it is."""
    return await _changed(services, who, path, headers, "reschedule", start=body.start)


@routes.endpoint(
    "PATCH",
    "/{id}/accept",
    access=Access.SIGNED_IN,
    problems=[*_CHANGE_PROBLEMS, "doctor_unavailable", "outside_hours"],
    sends=[REPLAYED, POSITION],
)
async def accept(services: Services, who: Identity, path: ById, headers: Repeatable) -> Written[NamedAppointment]:
    """Take an offered slot; staff do it for the patient, by phone. It is an appointment from then on."""
    return await _changed(services, who, path, headers, "accept")


@routes.endpoint(
    "PATCH", "/{id}/decline", access=Access.SIGNED_IN, problems=_CHANGE_PROBLEMS, sends=[REPLAYED, POSITION]
)
async def decline(services: Services, who: Identity, path: ById, headers: Repeatable) -> Written[NamedAppointment]:
    """Pass: do not take an offered slot. The next one who waits is offered it; the patient keeps the place."""
    return await _changed(services, who, path, headers, "decline")


async def _changed(  # noqa: PLR0913  # each is a part of the command
    services: Services,
    who: Identity,
    path: ById,
    headers: Repeatable,
    kind: ChangeKind,
    *,
    start: datetime | None = None,
    reason: str | None = None,
) -> Written[NamedAppointment]:
    """Change the appointment of the path, and return the answer to the command."""
    done = await services.appointment_commands.change(
        who, kind, path.id, "rest", headers.key, start=start, reason=reason
    )
    return await _written(services, who, done)


async def _written(
    services: Services, who: Identity, done: Done[AppointmentView], headers: Mapping[str, str] | None = None
) -> Written[NamedAppointment]:
    """Return the answer to a command, with the name that the caller is sent."""
    services.access_log.looked("appointment_changed", who, [done.value.patient_id])
    return written(done, await services.names.encoded(who.role, done.value), headers)


async def _named(services: Services, who: Identity, entry: Entry) -> Encoded:
    await services.names.learn(who.role, [entry])
    services.access_log.looked("appointment_shown", who, [entry.patient_id])
    return encoded(services.names.add(who.role, entry, entry.encoded))


async def _page(
    services: Services, wanted: AppointmentFilter, limit: int, after: After | None, known: Known
) -> tuple[list[Entry], dict[str, str]]:
    """Return a page of a list and the headers that say how complete it is: from a view, or else from the record."""
    reading = (
        await services.views.doctor(wanted.doctor_id, known.seq_of(wanted.doctor_id)) if wanted.doctor_id else None
    )
    if reading is not None and (entries := reading.view.page(wanted, limit, after)) is not None:
        return entries, headers_of(reading)
    if wanted.doctor_id is None and wanted.patient_id is not None:
        page = await services.patient_views.page(wanted, limit, after, known.positions)
        if page is not None:
            return page.entries, position_header(page.position) | age_headers(page.age)
    records = services.records
    if wanted.doctor_id is None and wanted.patient_id is None:
        found = await page_of_doctors(records.appointments, await records.users.doctor_ids(), wanted, limit, after)
    else:
        found = await records.appointments.page(wanted, limit, after)
    return [Entry.of(view(each), each.last.seq) for each in found], headers_of(reading) if reading else {}


def _past_event(event: Event) -> PastEvent:
    return PastEvent(
        type=event.type,
        at=event.at,
        by=event.by,
        seq=event.seq,
        start=event.start if isinstance(event, AppointmentBooked | AppointmentRescheduled | SlotOffered) else None,
        previous_start=event.previous_start if isinstance(event, AppointmentRescheduled) else None,
        reason=event.reason if isinstance(event, AppointmentCancelled) else None,
    )


def _filter(who: Identity, query: ListQuery) -> AppointmentFilter:
    """Return the filter of the query within what the caller may see. Raises `Problem` when nothing is left of it."""
    wanted = AppointmentFilter(
        doctor_id=query.doctor_id,
        patient_id=query.patient_id,
        statuses=frozenset(query.status) or None,
        start_from=query.start_from,
        start_to=query.start_to,
    )
    visible = wanted.within(visible_to(who.role, who.user_id))
    if visible == NO_APPOINTMENTS:
        raise Problem("forbidden", "Only your own appointments can be listed.")
    return visible


def _link(request: web.Request, last: Entry) -> str:
    """Return the RFC 8288 link to the page after `last`. It is relative, so a proxy's scheme and host do not matter."""
    position = _CURSOR.dump_json((last.start, last.id))
    target = request.rel_url.update_query(cursor=urlsafe_b64encode(position).decode().rstrip("="))
    return f'<{target}>; rel="next"'


def _after(query: ListQuery) -> After | None:
    if query.cursor is None:
        return None
    try:
        start, last_id = _CURSOR.validate_json(urlsafe_b64decode(query.cursor + "=" * (-len(query.cursor) % 4)))
    except (ValueError, ValidationError):
        raise Problem(
            "invalid_request",
            "The query is not valid.",
            errors=[FieldError("/cursor", "Take the cursor from the Link header of the previous page", "cursor")],
        ) from None
    return After(start, last_id)
