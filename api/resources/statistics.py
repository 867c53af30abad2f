"""Statistics of a doctor's own appointments."""

from typing import Self

from pydantic import Field, model_validator

from api.commands.appointments import Moment
from api.http.endpoints import ById, Json, Routes
from api.http.identity import Access
from api.http.positions import Known
from api.http.problems import Problem
from api.http.ranges import require_order
from api.services import Services
from api.views.answers import SENDS, headers_of
from hub.accounts.identity import Identity
from hub.scheduling.statistics import Statistics
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


@routes.endpoint("GET", "/doctor/{id}", access=Access.DOCTOR, sends=SENDS)
async def doctor_statistics(
    services: Services, who: Identity, path: ById, query: RangeQuery, headers: Known
) -> Json[Statistics]:
    """Count the caller's appointments by outcome, weekday, hour and lead time, and the offers from the waitlist."""
    if path.id != who.user_id:
        raise Problem("forbidden", "A doctor can see only their own statistics.")
    wanted = (query.start_from, query.start_to)
    found = await services.doctor_statistics.of(who.user_id, headers.seq_of(who.user_id), wanted)
    if found is None:
        raise Problem("invalid_token", "The account of this token does not exist.")
    answer, reading = found
    return Json(answer, headers_of(reading))
