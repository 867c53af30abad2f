"""The waitlist: wait for a time at a doctor, see the lines, take somebody out, offer a slot out of turn."""

from http import HTTPStatus

import orjson

from api.commands.waitlist import (
    JOIN_PROBLEMS,
    LEAVE_PROBLEMS,
    OFFER_PROBLEMS,
    ListedEntry,
    OfferRequest,
    WaitRequest,
)
from api.http.endpoints import ById, Routes, Written
from api.http.identity import Access
from api.http.positions import POSITION
from api.people.names import NamedAppointment
from api.resources.idempotency import REPLAYED, Repeatable, written
from api.services import Services
from hub.accounts.identity import Identity
from hub.scheduling.values import Id, Value

routes = Routes("/api/v1/waitlist")


class WaitlistQuery(Value):
    """The doctor whose line to list; without it, all that the caller may see."""

    doctor_id: Id | None = None


@routes.endpoint(
    "POST",
    "",
    access=Access.SIGNED_IN,
    status=HTTPStatus.CREATED,
    problems=[*JOIN_PROBLEMS, "try_again"],
    sends=["Location", REPLAYED, POSITION],
)
async def join_waitlist(
    services: Services, who: Identity, headers: Repeatable, body: WaitRequest
) -> Written[ListedEntry]:
    """Wait for a time at a doctor. What becomes free is offered to those who wait, first come, first served."""
    done = await services.waitlist_commands.join(who, body, "rest", headers.key)
    return written(done, orjson.dumps(done.value.shown), {"Location": f"/api/v1/waitlist/{done.value.id}"})


@routes.endpoint("GET", "", access=Access.SIGNED_IN, problems=["forbidden"])
async def list_waitlist(services: Services, who: Identity, query: WaitlistQuery) -> Written[list[ListedEntry]]:
    """List who waits: for a patient the own entries, for a doctor the own line, for a receptionist all lines."""
    listed = await services.waitlist_commands.listed(who, query.doctor_id)
    return Written(orjson.dumps([each.shown for each in listed]), {})


@routes.endpoint(
    "DELETE",
    "/{id}",
    access=Access.SIGNED_IN,
    problems=[*LEAVE_PROBLEMS, "try_again"],
    sends=[REPLAYED, POSITION],
)
async def leave_waitlist(services: Services, who: Identity, path: ById, headers: Repeatable) -> Written[ListedEntry]:
    """Do not wait any more; staff take a patient out of the line. The answer is the entry as it is then."""
    done = await services.waitlist_commands.leave(who, path.id, "rest", headers.key)
    return written(done, orjson.dumps(done.value.shown))


@routes.endpoint(
    "POST",
    "/{id}/offer",
    access=Access.STAFF,
    status=HTTPStatus.CREATED,
    problems=[*OFFER_PROBLEMS, "try_again"],
    sends=[REPLAYED, POSITION],
)
async def offer_slot(
    services: Services, who: Identity, path: ById, headers: Repeatable, body: OfferRequest
) -> Written[NamedAppointment]:
    """Offer a free slot to this patient, whoever is before the patient in the line. The history says who did it."""
    done = await services.waitlist_commands.offer(who, path.id, body, "rest", headers.key)
    services.access_log.looked("appointment_changed", who, [done.value.patient_id])
    return written(done, await services.names.encoded(who.role, done.value))
