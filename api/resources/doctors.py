"""The doctors as patients see them, and their slots."""

from api.commands.days import Day
from api.http.endpoints import ById, Json, Routes
from api.http.identity import Access
from api.http.positions import Known
from api.http.problems import Problem
from api.resources.profile import photo_path
from api.services import Services
from api.views.answers import SENDS, headers_of
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


class DoctorView(Value):
    """What every signed-in person sees of a doctor. Shifts are by the clock of `zone`, without regard to time off.

    A `disabled` doctor accepts no new appointments. `photo` is the path of the picture.
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
    return [_view(account, schedule_records[account.id].current) for account in accounts]


@routes.endpoint("GET", "/{id}", access=Access.SIGNED_IN)
async def show_doctor(services: Services, path: ById) -> DoctorView:
    """Show one doctor."""
    account = await services.records.users.by_id(path.id)
    if account is None or account.role != "doctor":
        raise Problem("not_found", _NOT_FOUND)
    schedule_records = await schedule_records_of(services.records, [account])
    return _view(account, schedule_records[account.id].current)


@routes.endpoint("GET", "/{id}/slots", access=Access.SIGNED_IN, sends=SENDS)
async def list_slots(services: Services, path: ById, query: SlotsQuery, headers: Known) -> Json[list[Slot]]:
    """List the slots of a doctor's day. It shows whether a slot is free, never who has booked it."""
    reading = await services.views.doctor(path.id, headers.seq_of(path.id))
    if reading is None:
        raise Problem("not_found", _NOT_FOUND)
    slots = await slots_on(reading.view, query.date, services.clock(), services.records.appointments)
    return Json(slots, headers_of(reading))


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
