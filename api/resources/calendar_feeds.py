"""A person's appointments as a calendar to subscribe to, under a private link that contains a key."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest
from http import HTTPStatus
from typing import Annotated

from aiohttp import hdrs, web
from pydantic import Field, SecretStr

from api.http.access_log import Doer
from api.http.endpoints import File, Routes
from api.http.identity import Access
from api.http.problems import Problem
from api.resources.icalendar import ICALENDAR, calendar_file, etag
from api.resources.log_ins import Caller, require_password, wrong_password
from api.services import Services, own_account
from api.views.calendar_files import CalendarFile
from api.visibility import visible_to
from hub.accounts.account import Account
from hub.accounts.calendar_links import end_calendar_link
from hub.accounts.identity import Identity
from hub.ids import new_secret
from hub.records.appointment_filter import AppointmentFilter
from hub.scheduling.values import Id, Role, Value

routes = Routes("/api/v1")

_PAST = timedelta(days=90)
"""A feed shows past appointments of this time."""
_SHOWN_AT_MOST = 2000


_NOTED_EVERY = timedelta(minutes=10)
"""Programs read a calendar every few minutes, and each note is a write."""


class CurrentPassword(Value):
    """The caller's password, for what outlives the log-in."""

    password: SecretStr


class FeedLink(Value):
    """The private link, as a path on this server. Everyone who has it can read the calendar. It is shown only once."""

    path: str


class ByFeed(Value):
    """The person of the feed, and the key to it."""

    id: Id
    key: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


@routes.endpoint(
    "POST",
    "/users/me/calendar-link",
    access=Access.NO_RECEPTIONIST,
    status=HTTPStatus.CREATED,
    problems=["too_many_requests"],
)
async def make_calendar_link(
    services: Services, request: web.Request, who: Identity, body: CurrentPassword
) -> FeedLink:
    """Create the private link of the caller's calendar. It replaces the previous link, which ends.

    It ends with a change of the password and with a log-out everywhere, too.
    """
    account = await own_account(services, who)
    await require_password(services, Caller.of(request), account, body.password)
    key = new_secret()
    linked = account.model_copy(update={"calendar_key_hash": _hash(key), "calendar_read_at": None})
    await services.records.users.change(account, linked)
    # A change of the password first writes the new hash, then ends the link. So either it ends this one, or it is seen.
    if (await own_account(services, who)).password_hash != account.password_hash:
        await end_calendar_link(services.records.users, who.user_id)
        raise wrong_password()
    services.access_log.note("calendar_link_made", who, people=(who.user_id,))
    return FeedLink(path=f"/api/v1/calendars/{who.user_id}/{key}.ics")


@routes.endpoint("DELETE", "/users/me/calendar-link", access=Access.NO_RECEPTIONIST, status=HTTPStatus.NO_CONTENT)
async def remove_calendar_link(services: Services, who: Identity) -> None:
    """End the private link of the caller's calendar."""
    await end_calendar_link(services.records.users, who.user_id)
    services.access_log.note("calendar_link_ended", who, people=(who.user_id,))


@routes.endpoint(
    "GET",
    "/calendars/{id}/{key}.ics",
    access=Access.ANYONE,
    problems=["too_many_requests"],
    gives=ICALENDAR,
    sends=["ETag"],
)
async def show_calendar(services: Services, request: web.Request, path: ByFeed) -> File:
    """Return the appointments of the last 90 days and all future ones. Cancelled ones are marked as cancelled."""
    services.visitor_rate_limit.count(request.remote)
    account = await services.records.users.by_id(path.id)
    if account is None or not compare_digest(account.calendar_key_hash or "", _hash(path.key)):
        raise Problem("not_found", "There is no such calendar.")
    await _note_reading(services, account)
    calendar = await (_of_doctor(services, account) if account.role == "doctor" else _written(services, account))
    # By whom is not known: everyone who has the link of the account can read it.
    if account.role == "doctor":
        services.access_log.looked_at_any("calendar_read", Doer(account.id, Role.DOCTOR), calendar.names)
    return File(calendar.content, {hdrs.ETAG: etag(calendar.content)})


async def _of_doctor(services: Services, doctor: Account) -> CalendarFile:
    """Return the last file of the doctor if nothing in it has changed, otherwise a new one."""
    now, records = services.clock(), services.records
    last = services.calendar_files.last(doctor.id)
    # The number is read before the appointments: a file may be newer than it says, and is then written again.
    seq = await records.appointments.last_seq(doctor.id, last.seq if last else 0)
    unchanged = last is not None and last.seq == seq and now < last.until
    if last is not None and unchanged and _names(await records.users.by_ids(last.names.keys())) == last.names:
        return last
    file = await _written(services, doctor, seq)
    services.calendar_files.keep(doctor.id, file)
    return file


async def _written(services: Services, person: Account, seq: int = 0) -> CalendarFile:
    """Return the calendar of a person, which is after the event `seq` of a doctor or later."""
    recent = AppointmentFilter(start_from=services.clock() - _PAST)
    wanted = recent.within(visible_to(Role(person.role), person.id))
    found = await services.records.appointments.page(wanted, _SHOWN_AT_MOST)
    other_ids = {one.patient_id if person.role == "doctor" else one.doctor_id for one in found}
    people = await services.records.users.by_ids(other_ids)
    # In a thread: 2000 appointments take a second, in which other requests have to be answered.
    content = await asyncio.to_thread(calendar_file, found, people, person.id)
    until = (found[0].start if found else services.clock()) + _PAST
    return CalendarFile(seq, until, _names(people), content)


def _names(people: Mapping[str, Account]) -> dict[str, str]:
    return {id_: account.name for id_, account in people.items()}


async def _note_reading(services: Services, account: Account) -> None:
    """Store when the calendar was read, for its owner, who can tell whether somebody else reads it."""
    now, last = services.clock(), account.calendar_read_at
    if last is None or now - last >= _NOTED_EVERY:
        await services.records.users.change(account, account.model_copy(update={"calendar_read_at": now}))


def _hash(key: str) -> str:
    return sha256(key.encode()).hexdigest()
