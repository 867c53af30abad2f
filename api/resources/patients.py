"""Patients as the clinic's staff sees them: registered without a log-in, searched for, and shown."""

from http import HTTPStatus

import structlog

from api.commands.command_client import command_id
from api.http.endpoints import Answer, ById, Routes
from api.http.identity import Access
from api.http.problems import Problem
from api.resources.idempotency import Repeatable
from api.services import Services
from hub.accounts.account import Account
from hub.accounts.fields import Email, Name, Phone
from hub.accounts.identity import Identity
from hub.scheduling.values import Id, Role, Value

log = structlog.get_logger()

routes = Routes("/api/v1/patients")

_NOT_FOUND = "There is no such patient."


class NewPatient(Value):
    """The patient to register. Phone and e-mail address may be those of somebody else: a family has one phone."""

    name: Name
    phone: Phone | None = None
    email: Email | None = None


class PatientView(Value):
    """What doctors and receptionists see of a patient. A patient who `has_log_in` uses the hub as well."""

    id: Id
    name: str
    phone: str | None
    email: str | None
    has_log_in: bool


@routes.endpoint(
    "POST",
    "",
    access=Access.RECEPTIONIST,
    status=HTTPStatus.CREATED,
    problems=["idempotency_key_reused"],
    sends=["Location"],
)
async def register_patient(
    services: Services, who: Identity, headers: Repeatable, body: NewPatient
) -> Answer[PatientView]:
    """Register a patient who cannot log in. The patient is reminded by text if there is a phone."""
    patient = Account(
        id=command_id(who, headers.key),
        role="patient",
        name=body.name,
        email=body.email,
        phone=body.phone,
        password_hash=None,
        created_at=services.clock(),
    )
    # With a key the id is always the same, so a repeated request finds what it has made.
    made = await services.records.users.by_id(patient.id) if headers.key is not None else None
    if made is None:
        await services.records.users.add([patient])
    elif (made.name, made.email, made.phone) != (body.name, body.email, body.phone):
        raise Problem("idempotency_key_reused", "This key has been used for another patient; use a new one.")
    _log_look("patient_registered", who, [patient.id])
    return Answer(_view(made or patient), {"Location": f"/api/v1/patients/{patient.id}"})


@routes.endpoint("GET", "/{id}", access=Access.STAFF)
async def show_patient(services: Services, who: Identity, path: ById) -> PatientView:
    """Show a patient; to a doctor only one who has or had an appointment with the doctor."""
    account = await services.records.users.by_id(path.id)
    if account is None or account.role != "patient" or not await _may_see(services, who, account):
        raise Problem("not_found", _NOT_FOUND)
    _log_look("patient_shown", who, [account.id])
    return _view(account)


async def _may_see(services: Services, who: Identity, patient: Account) -> bool:
    if who.role is Role.RECEPTIONIST:
        return True
    return await services.records.appointments.have_met(who.user_id, patient.id)


def _log_look(event: str, who: Identity, patient_ids: list[str]) -> None:
    """Log who looked at whose data. The line has ids only: what was searched for is a part of a name."""
    log.info(event, user_id=who.user_id, role=who.role.value, patient_ids=patient_ids)


def _view(account: Account) -> PatientView:
    return PatientView(
        id=account.id,
        name=account.name,
        phone=account.phone,
        email=account.email,
        has_log_in=account.has_log_in,
    )
