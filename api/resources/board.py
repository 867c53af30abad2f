"""The board of the front desk: a day of all doctors, with slots and appointments."""

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field

from api.commands.days import Day
from api.http.endpoints import Json, Routes
from api.http.identity import Access
from api.http.positions import Known
from api.http.problems import Problem
from api.http.request_reading import split
from api.people.names import NamedAppointment
from api.services import Services
from api.views.answers import AGES, age_headers
from hub.accounts.identity import Identity
from hub.scheduling.schedule import ZoneName
from hub.scheduling.slots import Slot
from hub.scheduling.values import Id, Role, Value

routes = Routes("/api/v1/board")


class BoardQuery(Value):
    """The day of the board: for each doctor, that day in the doctor's time zone. Without `doctorId` all doctors."""

    date: Day
    doctor_id: Annotated[
        tuple[Id, ...],
        BeforeValidator(split),
        Field(
            description="The doctors to show, all if none is named. May be repeated, or separated by commas.",
            examples=[["019aac1e-6a00-7e10-8a3d-0c5b9f4d2e11"]],
        ),
    ] = ()


class BoardDoctor(Value):
    """A doctor's day: the slots, and the appointments of every status that start on the day, both by start."""

    id: Id
    name: str
    zone: ZoneName
    slots: tuple[Slot, ...]
    appointments: tuple[NamedAppointment, ...]


class BoardView(Value):
    """A day of several doctors, ordered by their names. `position` has the last event of each that is included."""

    date: date
    position: Annotated[dict[Id, int], Field(description="The last `seq` of each doctor that the board includes.")]
    doctors: tuple[BoardDoctor, ...]


@routes.endpoint("GET", "", access=Access.STAFF, problems=["not_found"], sends=["ETag", *AGES])
async def show_board(services: Services, who: Identity, query: BoardQuery, headers: Known) -> Json[BoardView]:
    """Show a day of all doctors, or of those that are named. A doctor sees the own day only.

    The slots and appointments of one doctor are of one moment. The same bytes are sent until something changes.
    """
    board = await services.boards.read(query.date, board_doctors(who, query.doctor_id), headers.positions)
    if board is None:
        raise Problem("not_found", "There is no such doctor.")
    services.access_log.looked_at_any("board_shown", who, board.patient_ids)
    return Json(board.encoded, age_headers(board.age))


def board_doctors(who: Identity, named: tuple[str, ...]) -> tuple[str, ...]:
    """Return the doctors of the board that this person may see; none means all. Raises `Problem`."""
    if who.role is Role.RECEPTIONIST:
        return named
    if who.role is not Role.DOCTOR or set(named) - {who.user_id}:
        raise Problem("forbidden", "A doctor sees only the own day.")
    return (who.user_id,)
