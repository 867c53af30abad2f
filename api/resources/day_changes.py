"""A doctor who is late or away: moves or cancels all appointments of a day in one request."""

from typing import Annotated

from pydantic import Field

from api.commands.day_changes import CancelDay, DayChangeLine, MoveDay
from api.http.endpoints import ById, Lines, Routes
from api.http.identity import Access
from api.http.lines import NDJSON
from api.http.problems import Code
from api.services import Services
from hub.accounts.identity import Identity
from hub.scheduling.values import Value

routes = Routes("/api/v1/doctors")

_PROBLEMS: tuple[Code, ...] = ("not_found", "idempotency_key_reused", "try_again")


class Keyed(Value):
    """The key that makes the request repeatable. It is required: a request without one could not be repeated."""

    key: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[\x20-\x7e]+$")] = Field(alias="Idempotency-Key")


@routes.endpoint("POST", "/{id}/move-day", access=Access.STAFF, problems=_PROBLEMS, gives=NDJSON)
async def move_day(
    services: Services, who: Identity, path: ById, headers: Keyed, body: MoveDay
) -> Lines[DayChangeLine]:
    """Move all active appointments of a doctor's day: later by minutes, or to the same times of another day.

    The answer is sent line by line, as the appointments are moved: `begun`, a `changed` or `not_changed` for each, and
    `finished` with the list of those that could not be moved. If the lines end without `finished`, repeat the request
    with the same key: it goes on where it ended. Each patient is texted once.
    """
    return Lines(await services.day_changes.move(who, path.id, body, headers.key))


@routes.endpoint("POST", "/{id}/cancel-day", access=Access.STAFF, problems=_PROBLEMS, gives=NDJSON)
async def cancel_day(
    services: Services, who: Identity, path: ById, headers: Keyed, body: CancelDay
) -> Lines[DayChangeLine]:
    """Cancel all active appointments of a doctor's day, with a reason.

    The answer is sent line by line, as for `move_day`. The day stays open for new appointments: add time off.
    """
    return Lines(await services.day_changes.cancel(who, path.id, body, headers.key))
