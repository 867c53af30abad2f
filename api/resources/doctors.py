"""The doctors as patients see them, and their slots."""

from datetime import date, timedelta
from typing import Annotated

from pydantic import Field

from api.commands.days import Day
from api.http.endpoints import Answer, ById, Json, Routes
from api.http.identity import Access
from api.http.positions import Known
from api.http.problems import Problem
from api.resources.profile import photo_path
from api.services import Services
from api.views.answers import AGES, SENDS, headers_of
from api.views.days import slots_on
from hub.accounts.account import Account
from hub.records.schedules import schedule_records_of
from hub.scheduling.schedule import Schedule, Shift, ZoneName
from hub.scheduling.slots import Slot
from hub.scheduling.values import Id, Value

routes = Routes("/api/v1/doctors")

_NOT_FOUND = "There is no such doctor."


class SlotsQuery(Value):
    """The day, in the doctor's time zone."""

    date: Day


class FreeDaysQuery(Value):
    """The first day, in the doctor's time zone (today, if it is left out), and the number of days."""

    first: Day | None = Field(
        default=None, alias="from", description="The first day, in the doctor's time zone.", examples=["2026-11-30"]
    )
    days: Annotated[int, Field(ge=1, le=62)] = Field(default=14, description="The number of days.")


class FreeDay(Value):
    """How many slots of a doctor's day can be booked."""

    date: date
    free: int


class DoctorView(Value):
    """What everybody sees of a doctor, also without a log-in.

    Shifts are by the clock of `zone`, without regard to time off.
    A `disabled` doctor accepts no new appointments. `photo` is the path of the picture.
    """

    id: Id
    name: str
    specialty: str | None
    zone: ZoneName
    shifts: tuple[Shift, ...]
    disabled: bool
    photo: str | None


@routes.endpoint("GET", "", access=Access.VISITOR)
async def list_doctors(services: Services) -> list[DoctorView]:
    """List the doctors by name."""
    accounts = await services.records.users.doctors()
    schedule_records = await schedule_records_of(services.records, accounts)
    return [_view(account, schedule_records[account.id].current) for account in accounts]


@routes.endpoint("GET", "/{id}", access=Access.VISITOR)
async def show_doctor(services: Services, path: ById) -> DoctorView:
    """Show one doctor."""
    account = await services.records.users.by_id(path.id)
    if account is None or account.role != "doctor":
        raise Problem("not_found", _NOT_FOUND)
    schedule_records = await schedule_records_of(services.records, [account])
    return _view(account, schedule_records[account.id].current)


@routes.endpoint("GET", "/{id}/slots", access=Access.VISITOR, sends=SENDS)
async def list_slots(services: Services, path: ById, query: SlotsQuery, headers: Known) -> Json[list[Slot]]:
    """List the slots of a doctor's day. It shows whether a slot is free, never who has booked it."""
    reading = await services.views.doctor(path.id, headers.seq_of(path.id))
    if reading is None:
        raise Problem("not_found", _NOT_FOUND)
    slots = await slots_on(reading.view, query.date, services.clock(), services.records.appointments)
    return Json(slots, headers_of(reading))


@routes.endpoint("GET", "/{id}/free-days", access=Access.VISITOR, sends=["Position", *AGES])
async def list_free_days(services: Services, path: ById, query: FreeDaysQuery, headers: Known) -> Answer[list[FreeDay]]:
    """List how many slots are free on each of several days of a doctor, one after the other."""
    reading = await services.views.doctor(path.id, headers.seq_of(path.id))
    if reading is None:
        raise Problem("not_found", _NOT_FOUND)
    view, now = reading.view, services.clock()
    first = query.first or view.schedule.day_of(now)
    days = (first + timedelta(days=number) for number in range(query.days))
    return Answer([FreeDay(date=day, free=view.free_slots(day, now)) for day in days], headers_of(reading))


def _view(account: Account, doctor: Schedule) -> DoctorView:
    return DoctorView(
        id=account.id,
        name=account.name,
        specialty=account.specialty,
        zone=doctor.zone,
        shifts=doctor.shifts,
        disabled=doctor.disabled,
        photo=photo_path(account),
    )
