"""Statistics of a doctor's own appointments."""

import asyncio
from datetime import datetime
from typing import Self

from pydantic import Field, model_validator

from api.commands.appointments import Moment
from api.http.endpoints import ById, Routes
from api.http.identity import Access
from api.http.problems import Problem
from api.http.ranges import require_order
from api.services import Services
from hub.accounts.identity import Identity
from hub.scheduling.statistics import Statistics, statistics
from hub.scheduling.values import Value

routes = Routes("/api/v1/appointments/stats")


class RangeQuery(Value):
    """Appointments that start at `from` or later, and before `to`. Each of the two may be left out."""

    start_from: Moment | None = Field(default=None, alias="from")
    start_to: Moment | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        require_order(("from", self.start_from), ("to", self.start_to), may_be_empty=True)
        return self


@routes.endpoint("GET", "/doctor/{id}", access=Access.DOCTOR)
async def doctor_statistics(services: Services, who: Identity, path: ById, query: RangeQuery) -> Statistics:
    """Count the caller's appointments by outcome, by weekday and hour, and by how long before they were booked."""
    if path.id != who.user_id:
        raise Problem("forbidden", "A doctor can see only their own statistics.")
    account = await services.records.users.by_id(who.user_id)
    if account is None or account.schedule is None:
        raise Problem("invalid_token", "The account of this token does not exist.")
    months = await services.statistics_cache.outcomes(who.user_id, query.start_from, query.start_to)
    wanted = (outcome for month in months for outcome in month if _is_within(query, outcome.start))
    # In a thread: the history of many years takes some 0.1 s, in which other requests have to be answered.
    return await asyncio.to_thread(statistics, account.schedule, wanted)


def _is_within(query: RangeQuery, start: datetime) -> bool:
    return (query.start_from is None or query.start_from <= start) and (
        query.start_to is None or start < query.start_to
    )
