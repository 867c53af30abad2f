"""A person's appointments as a calendar to subscribe to, under a private link that contains a key."""

import asyncio
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest
from http import HTTPStatus
from typing import Annotated

from aiohttp import hdrs
from pydantic import Field

from api.http.endpoints import File, Routes
from api.http.identity import Access
from api.http.problems import Problem
from api.resources.icalendar import ICALENDAR, calendar_file, etag
from api.services import Services, own_account
from api.visibility import visible_to
from hub.accounts.identity import Identity
from hub.ids import new_secret
from hub.records.appointment_filter import AppointmentFilter
from hub.scheduling.values import Id, Role, Value

routes = Routes("/api/v1")

_PAST = timedelta(days=90)
"""A feed shows past appointments of this time."""
_SHOWN_AT_MOST = 2000


class FeedLink(Value):
    """The private link, as a path on this server. Everyone who has it can read the calendar. It is shown only once."""

    path: str


class ByFeed(Value):
    """The person of the feed, and the key to it."""

    id: Id
    key: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


@routes.endpoint("POST", "/users/me/calendar-link", access=Access.NO_RECEPTIONIST, status=HTTPStatus.CREATED)
async def make_calendar_link(services: Services, who: Identity) -> FeedLink:
    """Create the private link of the caller's calendar. It replaces the previous link, which ends."""
    key = new_secret()
    await _set_key(services, who, _hash(key))
    return FeedLink(path=f"/api/v1/calendars/{who.user_id}/{key}.ics")


@routes.endpoint("DELETE", "/users/me/calendar-link", access=Access.NO_RECEPTIONIST, status=HTTPStatus.NO_CONTENT)
async def end_calendar_link(services: Services, who: Identity) -> None:
    """End the private link of the caller's calendar."""
    await _set_key(services, who, None)


@routes.endpoint("GET", "/calendars/{id}/{key}.ics", access=Access.ANYONE, gives=ICALENDAR, sends=["ETag"])
async def show_calendar(services: Services, path: ByFeed) -> File:
    """Return the appointments of the last 90 days and all future ones. Cancelled ones are marked as cancelled."""
    account = await services.records.users.by_id(path.id)
    if account is None or not compare_digest(account.calendar_key_hash or "", _hash(path.key)):
        raise Problem("not_found", "There is no such calendar.")
    recent = AppointmentFilter(start_from=services.clock() - _PAST)
    wanted = recent.within(visible_to(Role(account.role), account.id))
    found = await services.records.appointments.page(wanted, _SHOWN_AT_MOST)
    other_ids = {one.patient_id if account.role == "doctor" else one.doctor_id for one in found}
    people = await services.records.users.by_ids(other_ids)
    # In a thread: 2000 appointments take a second, in which other requests have to be answered.
    calendar = await asyncio.to_thread(calendar_file, found, people, account.id)
    return File(calendar, {hdrs.ETAG: etag(calendar)})


async def _set_key(services: Services, who: Identity, key_hash: str | None) -> None:
    before = await own_account(services, who)
    await services.records.users.change(before, before.model_copy(update={"calendar_key_hash": key_hash}))


def _hash(key: str) -> str:
    return sha256(key.encode()).hexdigest()
