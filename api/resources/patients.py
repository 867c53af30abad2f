"""Patients as the clinic's staff sees them: registered without a log-in, searched for, and shown."""

from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from api.commands.command_client import Done, command_id
from api.commands.joins import Conflict
from api.http.endpoints import Answer, ById, Routes
from api.http.identity import Access
from api.http.positions import POSITION, position_header
from api.http.problems import Problem
from api.people.words import query_words
from api.resources.idempotency import REPLAYED, Repeatable, answer_of
from api.services import Services
from hub.accounts.account import Account
from hub.accounts.fields import Email, Name, Phone
from hub.accounts.identity import Identity
from hub.accounts.person import Person, person_of
from hub.scheduling.fingerprints import fingerprint_of
from hub.scheduling.values import Actor, Id, Role, Value

routes = Routes("/api/v1/patients")

_NOT_FOUND = "There is no such patient."
_ERASED = "The data of this patient was erased."


def _not_given() -> Any:
    """Return the default of a field that was left out. The document shows no default, and not null, for it."""


class NewPatient(Value):
    """The patient to register. Phone and e-mail address may be those of somebody else: a family has one phone."""

    name: Name
    phone: Phone | None = None
    email: Email | None = None


class PatientChange(Value):
    """The fields to change; the others stay. `phone` and `email` may be null, which removes them."""

    name: Name = Field(default_factory=_not_given)
    phone: Phone | None = Field(default_factory=_not_given)
    email: Email | None = Field(default_factory=_not_given)

    def given(self) -> dict[str, object]:
        """Return the fields that are not left out."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class SearchQuery(Value):
    """What to search for: beginnings of parts of the name, of the e-mail address, or of the digits of the phone.

    All words of `q` must be found. Accents and case do not matter, and no sign is an operator.
    """

    q: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100)]
    limit: Annotated[int, Field(ge=1, le=50)] = 20


class PatientView(Value):
    """What doctors and receptionists see of a patient. A patient who `has_log_in` uses the hub as well.

    `joined_into` is the id of the account with which the patient was joined.
    """

    id: Id
    name: str
    phone: str | None
    email: str | None
    has_log_in: bool
    joined_into: Id | None


class JoinRequest(Value):
    """The account, which can log in, that gets the appointments of a patient who cannot."""

    into: Id


class JoinView(Value):
    """The account that has the appointments now, how many this request has moved, and which stay where they are."""

    patient: PatientView
    moved: int
    conflicts: tuple[Conflict, ...]


@routes.endpoint(
    "POST",
    "",
    access=Access.RECEPTIONIST,
    status=HTTPStatus.CREATED,
    problems=["idempotency_key_reused", "patient_erased"],
    sends=["Location", REPLAYED],
)
async def register_patient(
    services: Services, who: Identity, headers: Repeatable, body: NewPatient
) -> Answer[PatientView]:
    """Register a patient who cannot log in. The patient is reminded by text if there is a phone."""
    by = Actor(id=who.user_id, role=who.role, via="rest")
    asked = fingerprint_of(by, "register_patient", "", (body.name, body.email, body.phone))
    patient = Account(
        id=command_id(who, headers.key),
        role="patient",
        name=body.name,
        email=body.email,
        phone=body.phone,
        password_hash=None,
        created_at=services.clock(),
        registered_by=asked,
    )
    # With a key the id is always the same, so a repeated request finds what it has made.
    made = await services.records.users.by_id(patient.id) if headers.key is not None else None
    if made is None:
        await services.records.users.add([patient])
        services.directory.put(person_of(patient))
    elif made.erased:
        raise Problem("patient_erased", _ERASED)
    elif not _is_registered_by(made, asked, patient):
        raise Problem("idempotency_key_reused", "This key has been used for another patient; use a new one.")
    services.access_log.looked("patient_registered", who, [patient.id])
    done = Done(_view(person_of(patient)), replayed=made is not None)
    return answer_of(done, {"Location": f"/api/v1/patients/{patient.id}"})


@routes.endpoint("GET", "", access=Access.STAFF)
async def search_patients(services: Services, who: Identity, query: SearchQuery) -> list[PatientView]:
    """Search for patients; for a doctor among those who have or had an appointment with the doctor.

    The answer has at most `limit` patients: type more to find fewer.
    """
    among = None if who.role is Role.RECEPTIONIST else await services.doctor_patients.of(who.user_id)
    found = await services.directory.search_patients(query_words(query.q), query.limit, among)
    services.access_log.looked("patients_searched", who, [person.id for person in found])
    return [_view(person) for person in found]


@routes.endpoint("GET", "/{id}", access=Access.STAFF)
async def show_patient(services: Services, who: Identity, path: ById) -> PatientView:
    """Show a patient; to a doctor only one who has or had an appointment with the doctor."""
    account = await _patient(services, path.id)
    if account.erased or not await _may_see(services, who, account):
        raise Problem("not_found", _NOT_FOUND)
    services.access_log.looked("patient_shown", who, [account.id])
    return _view(person_of(account))


@routes.endpoint(
    "POST",
    "/{id}/join",
    access=Access.RECEPTIONIST,
    problems=["forbidden", "not_found", "already_joined", "patient_erased", "try_again"],
    sends=[POSITION],
)
async def join_patient(
    services: Services, who: Identity, path: ById, headers: Repeatable, body: JoinRequest
) -> Answer[JoinView]:
    """Join a patient without a log-in to the account of the same person: the appointments follow.

    An appointment at a time at which the account has another one stays where it is, and is named as a conflict. Repeat
    the request when that is settled, and after a failure: it goes on where it ended.
    """
    into, joined = await services.joins.join(who, path.id, body.into, headers.key)
    services.access_log.looked("patient_joined", who, [path.id, into.id])
    view = JoinView(patient=_view(person_of(into)), moved=joined.moved, conflicts=tuple(joined.conflicts))
    return Answer(view, position_header(joined.position))


@routes.endpoint("PATCH", "/{id}", access=Access.RECEPTIONIST, problems=["already_joined", "patient_erased"])
async def change_patient(services: Services, who: Identity, path: ById, body: PatientChange) -> PatientView:
    """Change the name, phone or e-mail address of a patient who cannot log in. Who logs in changes the own profile."""
    account = await _patient(services, path.id)
    if account.erased:
        raise Problem("patient_erased", _ERASED)
    if account.has_log_in:
        raise Problem("forbidden", "This patient has a log-in, and changes the own profile.")
    if account.joined_into is not None:
        raise Problem("already_joined", "This patient was joined with another account.")
    after = account.model_copy(update=body.given())
    if await services.records.users.change(account, after) is not None:
        raise Problem("not_found", _NOT_FOUND)
    services.directory.put(person_of(after))
    services.access_log.note("patient_changed", who, people=(account.id,), fields=tuple(sorted(body.model_fields_set)))
    return _view(person_of(after))


def _is_registered_by(made: Account, asked: str, patient: Account) -> bool:
    """Whether the account was made by the request with this fingerprint, which asks for this patient."""
    if made.registered_by is None:  # of an earlier version
        return (made.name, made.email, made.phone) == (patient.name, patient.email, patient.phone)
    return made.registered_by == asked


async def _patient(services: Services, patient_id: str) -> Account:
    account = await services.records.users.by_id(patient_id)
    if account is None or account.role != "patient":
        raise Problem("not_found", _NOT_FOUND)
    return account


async def _may_see(services: Services, who: Identity, patient: Account) -> bool:
    if who.role is Role.RECEPTIONIST:
        return True
    return await services.records.appointments.have_met(who.user_id, patient.id)


def _view(person: Person) -> PatientView:
    return PatientView(
        id=person.id,
        name=person.name,
        phone=person.phone,
        email=person.email,
        has_log_in=person.has_log_in,
        joined_into=person.joined_into,
    )
