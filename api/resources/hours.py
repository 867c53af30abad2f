"""A doctor's own hours and time off. The doctor's actor decides what is possible."""

from http import HTTPStatus

from api.commands.hours import EnteredTimeOff, HoursRequest, OwnCalendar, TimeOffRequest
from api.http.endpoints import Answer, ById, Routes, Written
from api.http.identity import Access
from api.http.positions import POSITION
from api.http.problems import Code
from api.people.names import NamedAppointment
from api.resources.idempotency import REPLAYED, Repeatable, answer_of, written
from api.services import Services
from hub.accounts.identity import Identity
from hub.scheduling.schedule import TimeOff

routes = Routes("/api/v1/doctors/me")

_CHANGE_PROBLEMS: tuple[Code, ...] = ("idempotency_key_reused", "try_again")


class NamedCalendar(OwnCalendar):
    """A doctor's hours, and the future appointments `outside` them, which stay as they are until they are moved."""

    outside: tuple[NamedAppointment, ...]


class NamedTimeOff(EnteredTimeOff):
    """New time off, and the future appointments that are now `outside` the doctor's hours."""

    outside: tuple[NamedAppointment, ...]


@routes.endpoint("GET", "/hours", access=Access.DOCTOR)
async def show_hours(services: Services, who: Identity) -> Written[NamedCalendar]:
    """Show the caller's weekly hours and time off, and the future appointments outside them."""
    hours = await services.hours_commands.show(who)
    services.access_log.looked_at_any("outside_hours_shown", who, (each.patient_id for each in hours.outside))
    return Written(await services.names.encoded_with_outside(hours), {})


@routes.endpoint("PUT", "/hours", access=Access.DOCTOR, problems=_CHANGE_PROBLEMS, sends=[REPLAYED, POSITION])
async def change_hours(
    services: Services, who: Identity, headers: Repeatable, body: HoursRequest
) -> Written[NamedCalendar]:
    """Replace the caller's weekly hours. Appointments outside the new hours stay as they are, and are listed."""
    done = await services.hours_commands.change(who, body, "rest", headers.key)
    services.access_log.looked_at_any("outside_hours_shown", who, (each.patient_id for each in done.value.outside))
    return written(done, await services.names.encoded_with_outside(done.value))


@routes.endpoint("GET", "/time-off", access=Access.DOCTOR)
async def list_time_off(services: Services, who: Identity) -> list[TimeOff]:
    """List the caller's time off by start, past time off included."""
    return await services.hours_commands.time_off(who)


@routes.endpoint(
    "POST",
    "/time-off",
    access=Access.DOCTOR,
    status=HTTPStatus.CREATED,
    problems=["off_grid", "in_the_past", *_CHANGE_PROBLEMS],
    sends=[REPLAYED, POSITION],
)
async def add_time_off(
    services: Services, who: Identity, headers: Repeatable, body: TimeOffRequest
) -> Written[NamedTimeOff]:
    """Add time off. Appointments within it stay as they are, and are listed."""
    done = await services.hours_commands.add_time_off(who, body, "rest", headers.key)
    services.access_log.looked_at_any("outside_hours_shown", who, (each.patient_id for each in done.value.outside))
    return written(done, await services.names.encoded_with_outside(done.value))


@routes.endpoint(
    "DELETE",
    "/time-off/{id}",
    access=Access.DOCTOR,
    status=HTTPStatus.NO_CONTENT,
    problems=_CHANGE_PROBLEMS,
    sends=[REPLAYED, POSITION],
)
async def remove_time_off(services: Services, who: Identity, path: ById, headers: Repeatable) -> Answer[None]:
    """Remove time off. Its slots can be booked again."""
    return answer_of(await services.hours_commands.remove_time_off(who, path.id, "rest", headers.key))
