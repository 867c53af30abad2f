"""A person's own data: everything that the hub has stored of the caller, to take along, and its end."""

from http import HTTPStatus
from typing import Annotated, Literal

from aiohttp import hdrs, web
from pydantic import Field, SecretStr

from api.http.endpoints import Answer, File, Routes
from api.http.identity import Access
from api.resources.icalendar import ICALENDAR, calendar_file
from api.resources.log_ins import Caller, require_password, wrong_password
from api.services import Services, own_account
from hub.accounts.identity import Identity
from hub.records.personal_data import PersonalData, appointments_of, personal_data
from hub.scheduling.values import Value

routes = Routes("/api/v1/users")


class ExportQuery(Value):
    """In which form: everything as JSON, or the appointments as a calendar."""

    format: Annotated[
        Literal["json", "ics"], Field(description="`json`: everything. `ics`: the appointments as a calendar file.")
    ] = "json"


class AccountEnd(Value):
    """The present password."""

    password: SecretStr


@routes.endpoint("GET", "/me/export", access=Access.SIGNED_IN, also_gives=ICALENDAR, sends=["Content-Disposition"])
async def export_me(services: Services, who: Identity, query: ExportQuery) -> Answer[PersonalData] | File:
    """Return all that the hub has stored of the caller: profile, appointments with their history, texts.

    With `format=ics` only the appointments, as a calendar file.
    """
    account = await own_account(services, who)
    services.access_log.note("data_exported", who, people=(account.id,))
    shown: dict[str, str] = {hdrs.CONTENT_DISPOSITION: f'attachment; filename="clinic-hub.{query.format}"'}
    if query.format == "json":
        return Answer(await personal_data(services.records, account), shown)
    appointments = await appointments_of(services.records, account)
    doctors = await services.records.users.by_ids({each.doctor_id for each in appointments})
    return File(calendar_file(appointments, doctors, account.id), {**shown, hdrs.CONTENT_TYPE: ICALENDAR})


@routes.endpoint("DELETE", "/me", access=Access.PATIENT, status=HTTPStatus.NO_CONTENT, problems=["too_many_requests"])
async def erase_me(services: Services, request: web.Request, who: Identity, body: AccountEnd) -> None:
    """Erase the caller, a patient. All log-ins end and the appointments to come are cancelled; there is no way back.

    At the answer the account is gone. Appointments and texts lose their words within seconds, also if a process dies.
    """
    account = await own_account(services, who)
    await require_password(services, Caller.of(request), account, body.password)
    if not await services.erasures.erase(who, account):
        raise wrong_password()  # a change of the password came between
    services.access_log.note("data_erased", who, people=(account.id,))
