"""A doctor's own hours and time off. What is possible is decided by the doctor's actor, see `api.commands.hours`."""

from http import HTTPStatus

from api.commands.hours import EnteredTimeOff, HoursRequest, OwnCalendar, TimeOffRequest
from api.http.endpoints import ById, Routes
from api.http.identity import Access
from api.http.problems import Code
from api.resources.appointments import Repeatable
from api.services import Services
from hub.accounts.identity import Identity
from hub.scheduling.schedule import TimeOff

routes = Routes("/api/v1/doctors/me")

_OF_A_CHANGE: tuple[Code, ...] = ("idempotency_key_reused", "try_again")


@routes.endpoint("GET", "/hours", access=Access.DOCTOR)
async def show_hours(services: Services, who: Identity) -> OwnCalendar:
    """Show one's own weekly hours and time off, and the appointments to come that lie outside them."""
    return await services.hours_commands.show(who)


@routes.endpoint("PUT", "/hours", access=Access.DOCTOR, problems=_OF_A_CHANGE)
async def change_hours(services: Services, who: Identity, headers: Repeatable, body: HoursRequest) -> OwnCalendar:
    """Replace one's own weekly hours. Appointments that lie outside the new ones stay, and are listed."""
    return await services.hours_commands.change(who, body, "rest", headers.key)


@routes.endpoint("GET", "/time-off", access=Access.DOCTOR)
async def list_time_off(services: Services, who: Identity) -> list[TimeOff]:
    """List one's own time off by start, also what is over."""
    return await services.hours_commands.time_off(who)


@routes.endpoint(
    "POST",
    "/time-off",
    access=Access.DOCTOR,
    status=HTTPStatus.CREATED,
    problems=["off_grid", "in_the_past", *_OF_A_CHANGE],
)
async def add_time_off(services: Services, who: Identity, headers: Repeatable, body: TimeOffRequest) -> EnteredTimeOff:
    """Enter time off. Appointments that lie in it stay, and are listed."""
    return await services.hours_commands.add_time_off(who, body, "rest", headers.key)


@routes.endpoint("DELETE", "/time-off/{id}", access=Access.DOCTOR, status=HTTPStatus.NO_CONTENT, problems=_OF_A_CHANGE)
async def remove_time_off(services: Services, who: Identity, path: ById, headers: Repeatable) -> None:
    """Take time off back: its slots can be booked again."""
    await services.hours_commands.remove_time_off(who, path.id, "rest", headers.key)
