"""The display in the waiting room: who is called, without names, under a private link that contains a key."""

from collections.abc import AsyncIterator
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from http import HTTPStatus
from typing import Annotated

from pydantic import Field, TypeAdapter

from api.http.encoded import encoded
from api.http.endpoints import Json, Routes
from api.http.identity import Access
from api.http.problems import Problem
from api.services import Services, own_account
from hub.accounts.identity import Identity
from hub.ids import new_secret
from hub.records.appointment_filter import AppointmentFilter
from hub.scheduling.schedule import ZoneName
from hub.scheduling.values import ACTIVE, Id, Instant, Role, Value, Visit
from hub.scheduling.views import AppointmentView

routes = Routes("/api/v1/displays")

_SHOWN_AT_MOST = 12
"""Calls on a display, the latest first."""
_OF_A_DAY = 200
"""Appointments of a doctor's day that are looked at; a day has 48 half hours."""
_IN_ROOM = b'"visit":"in_room"'
"""What the JSON of the appointment of such a patient contains. In a text, the quotes would be escaped."""


class DisplayLink(Value):
    """The private link, as a path on this server. Everyone who has it sees who is called. It is shown only once."""

    path: str


class ByDisplay(Value):
    """The receptionist who has made the link, and the key to it."""

    id: Id
    key: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class Call(Value):
    """A patient who was called in, told by the time of the appointment and the initials, never by the name."""

    initials: str
    start: Instant
    called_at: Instant
    doctor: str
    zone: ZoneName


_CALLS: TypeAdapter[list[Call]] = TypeAdapter(list[Call])


@routes.endpoint("POST", "", access=Access.RECEPTIONIST, status=HTTPStatus.CREATED)
async def make_display_link(services: Services, who: Identity) -> DisplayLink:
    """Create the private link of a display. It replaces the caller's previous link, which ends."""
    key = new_secret()
    await _set_key(services, who, _hash(key))
    services.access_log.note("display_made", who, people=(who.user_id,))
    return DisplayLink(path=f"/display#{who.user_id}/{key}")


@routes.endpoint("DELETE", "", access=Access.RECEPTIONIST, status=HTTPStatus.NO_CONTENT)
async def end_display_link(services: Services, who: Identity) -> None:
    """End the private link that the caller has made."""
    await _set_key(services, who, None)
    services.access_log.note("display_ended", who, people=(who.user_id,))


@routes.endpoint("GET", "/{id}/{key}", access=Access.VISITOR, sends=["ETag"])
async def show_display(services: Services, path: ByDisplay) -> Json[list[Call]]:
    """Show the patients who are in a room now, the last one who was called first."""
    account = await services.records.users.by_id(path.id)
    if account is None or account.disabled or not compare_digest(account.display_key_hash or "", _hash(path.key)):
        raise Problem("not_found", "There is no such display.")
    calls = [call async for call in _calls(services)]
    latest = sorted(calls, key=lambda call: call.called_at, reverse=True)[:_SHOWN_AT_MOST]
    return Json(encoded(_CALLS.dump_json(latest, by_alias=True)), {})


async def _calls(services: Services) -> AsyncIterator[Call]:
    """Yield the patients who are in a room today, by the clock of each doctor."""
    now = services.clock()
    for doctor_id, doctor in (await services.doctor_directory.names()).items():
        reading = await services.views.doctor(doctor_id)
        if reading is None:
            continue
        schedule = reading.view.schedule
        begin, end = schedule.day_bounds(schedule.day_of(now))
        today = AppointmentFilter(statuses=ACTIVE, start_from=begin, start_to=end)
        entries = [each for each in reading.view.page(today, _OF_A_DAY) or () if _IN_ROOM in each.encoded]
        await services.names.learn(Role.DOCTOR, entries)
        for entry in entries:
            appointment = entry.decoded()
            name = services.names.person(appointment.patient_id).name
            yield Call(
                initials=initials(name or ""),
                start=appointment.start,
                called_at=_called_at(appointment),
                doctor=doctor,
                zone=schedule.zone,
            )


def initials(name: str) -> str:
    """Return the first letter of the first and of the last part of a name: "Zora van Quill" is "Z. Q."."""
    parts = [part for part in name.split() if part[0].isalnum()]
    return " ".join(f"{part[0].upper()}." for part in dict.fromkeys([*parts[:1], *parts[-1:]]))


def _called_at(appointment: AppointmentView) -> datetime:
    if appointment.visit is not Visit.IN_ROOM or appointment.in_room_at is None:
        raise ValueError(f"{appointment.id} is not in a room")
    return appointment.in_room_at


async def _set_key(services: Services, who: Identity, key_hash: str | None) -> None:
    before = await own_account(services, who)
    await services.records.users.change(before, before.model_copy(update={"display_key_hash": key_hash}))


def _hash(key: str) -> str:
    return sha256(key.encode()).hexdigest()
