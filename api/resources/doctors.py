"""The doctors as their patients see them, and their free slots."""

import re
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from api.http.endpoints import ById, Routes
from api.http.identity import Access
from api.http.problems import Problem
from api.resources.profile import photo_path
from api.services import Services
from hub.accounts.account import Account
from hub.records.schedules import schedule_of, schedule_records_of
from hub.scheduling.schedule import Schedule, Shift, ZoneName
from hub.scheduling.slots import Slot, slots_of
from hub.scheduling.values import Id, Value

routes = Routes("/api/v1/doctors")

_NO_DOCTOR = "There is no such doctor."

_DAY = re.compile(r"[12]\d{3}-\d\d-\d\d", re.ASCII)


def _read(written: object) -> date:
    """Return the day that the text says. pydantic alone would take a Unix time, and in strict JSON no text at all."""
    if isinstance(written, str) and _DAY.fullmatch(written):  # years whose midnights exist in every zone
        try:
            return date.fromisoformat(written)
        except ValueError:
            pass  # a 30th of February
    raise PydanticCustomError("date_format", "Input should be a day like 2026-11-23")


Day = Annotated[date, BeforeValidator(_read, json_schema_input_type=date)]


class SlotsQuery(Value):
    """Which day, by the doctor's calendar."""

    date: Day


class DoctorView(Value):
    """What everybody signed in may know of a doctor. Shifts are by the clock of `zone`, before time off.

    Who is `disabled` takes no new appointments. `photo` is the path of the picture.
    """

    id: Id
    name: str
    specialty: str | None
    zone: ZoneName
    shifts: tuple[Shift, ...]
    disabled: bool
    photo: str | None


@routes.endpoint("GET", "", access=Access.SIGNED_IN)
async def list_doctors(services: Services) -> list[DoctorView]:
    """List the doctors by name."""
    accounts = await services.records.users.doctors()
    schedule_records = await schedule_records_of(services.records, accounts)
    return [_view(account, schedule_records[account.id].doctor) for account in accounts]


@routes.endpoint("GET", "/{id}", access=Access.SIGNED_IN)
async def show_doctor(services: Services, path: ById) -> DoctorView:
    """Show one doctor."""
    account = await services.records.users.by_id(path.id)
    if account is None or account.role != "doctor":
        raise Problem("not_found", _NO_DOCTOR)
    schedule_records = await schedule_records_of(services.records, [account])
    return _view(account, schedule_records[account.id].doctor)


@routes.endpoint("GET", "/{id}/slots", access=Access.SIGNED_IN)
async def list_slots(services: Services, path: ById, query: SlotsQuery) -> list[Slot]:
    """List the slots of a doctor's day: that one is taken, never by whom."""
    doctor = await schedule_of(services.records, path.id)
    if doctor is None:
        raise Problem("not_found", _NO_DOCTOR)
    taken = await services.records.appointments.taken(doctor.id, *doctor.day_bounds(query.date))
    return slots_of(doctor, query.date, taken, services.clock())


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
