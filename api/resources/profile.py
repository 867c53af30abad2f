"""The caller's own profile, and the pictures of people."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from aiohttp import hdrs, web
from pydantic import AfterValidator, Field, SecretStr

from api.http.endpoints import ById, File, Routes
from api.http.identity import Access
from api.http.problems import FieldError, Problem
from api.resources.account_texts import tell, text_code
from api.resources.log_ins import Caller, invalid_field, require_password
from api.resources.pictures import NoPicture, portrait
from api.resources.unique_fields import TAKEN
from api.services import Services, own_account
from hub.accounts.account import ALL_TEXT_KINDS, Account
from hub.accounts.fields import Email, Name, Phone
from hub.accounts.identity import Identity
from hub.accounts.person import person_of
from hub.ids import new_id
from hub.scheduling.schedule import ZoneName
from hub.scheduling.values import AccountRole, Id, Instant, Role, Value
from hub.texting.text import OptionalKind
from hub.texting.wording import Language

routes = Routes("/api/v1/users")

_CONTACTS, _CURRENT = ("email", "phone"), "/currentPassword"


def _in_order(kinds: tuple[OptionalKind, ...]) -> tuple[OptionalKind, ...]:
    return tuple(kind for kind in ALL_TEXT_KINDS if kind in kinds)


def _not_given() -> Any:
    """Return the default of a field that was left out. The document shows no default, and not null, for it."""


class CalendarLink(Value):
    """That there is a private link of the calendar, and when it was last read, by some minutes; None: not yet."""

    last_read: Instant | None


class User(Value):
    """An account as its owner sees it. Only a doctor has a `specialty`. `photo` is the path of the picture.

    `texts` are the kinds of texts that the person wants to receive, in `language`. `calendar_link` is None without one.
    """

    id: Id
    role: AccountRole
    name: str
    email: str
    phone: str | None
    phone_verified: bool
    created_at: Instant
    specialty: str | None
    zone: ZoneName | None
    language: Language
    texts: tuple[OptionalKind, ...]
    photo: str | None
    calendar_link: CalendarLink | None


class ProfileChange(Value):
    """The fields to change; the others stay. Only `zone` may be null, which removes it.

    With another `email` or `phone`, `current_password` is needed.
    """

    name: Name = Field(default_factory=_not_given)
    email: Email = Field(default_factory=_not_given)
    phone: Phone = Field(default_factory=_not_given)
    zone: ZoneName | None = Field(default_factory=_not_given)
    language: Language = Field(default_factory=_not_given)
    texts: Annotated[tuple[OptionalKind, ...], AfterValidator(_in_order)] = Field(default_factory=_not_given)
    current_password: SecretStr = Field(default_factory=_not_given)

    def given(self) -> dict[str, object]:
        """Return the fields of the account that are not left out."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"current_password"}}


@routes.endpoint("GET", "/me", access=Access.SIGNED_IN)
async def me(services: Services, who: Identity) -> User:
    """Show the caller's account."""
    return user_of(await own_account(services, who))


@routes.endpoint("PATCH", "/me", access=Access.SIGNED_IN, problems=["email_taken", "phone_taken", "too_many_requests"])
async def change_me(services: Services, request: web.Request, who: Identity, body: ProfileChange) -> User:
    """Change the caller's account. Another e-mail address or phone needs the password; the old phone is told by text.

    Another phone has to be proven anew.
    """
    account = await own_account(services, who)
    if who.role is Role.DOCTOR and "zone" in body.model_fields_set:
        raise _invalid("/zone", "A doctor's zone is that of the calendar, which cannot be changed here", "zone")
    given = body.given()
    other = {name for name in _CONTACTS if name in given and given[name] != getattr(account, name)}
    if other:
        if "current_password" not in body.model_fields_set:
            raise invalid_field(_CURRENT, "Another e-mail address or phone needs the present password", "missing")
        await require_password(services, Caller.of(request), account, body.current_password, _CURRENT)
        if services.settings.phones_must_be_proven:  # each change causes texts, and says which addresses have accounts
            await services.sign_in_rate_limits.count("code", request.remote, account.id)
    after = await _change(services, account, given | ({"phone_verified": False} if "phone" in other else {}))
    services.access_log.note("profile_changed", who, people=(account.id,), fields=tuple(sorted(given)))
    if other:
        await tell(services, account, "phone_changed" if "phone" in other else "email_changed")
    if "phone" in other and services.settings.phones_must_be_proven:
        await text_code(services, after, "phone")
    return user_of(after)


@routes.endpoint("POST", "/me/photo", access=Access.SIGNED_IN, upload="photo")
async def upload_photo(services: Services, who: Identity, upload: bytes) -> User:
    """Upload a picture of the caller: JPEG, PNG or WebP. It is scaled down, and its metadata is removed."""
    account = await own_account(services, who)
    try:
        picture = await portrait(upload)
    except NoPicture as error:
        raise _invalid("/photo", str(error), "picture") from None
    photo_id = new_id()
    await services.photos.put(photo_id, picture)
    changed = await _change(services, account, {"photo": photo_id})
    if account.photo is not None:
        await services.photos.remove(account.photo)
    services.access_log.note("photo_changed", who, people=(account.id,))
    return user_of(changed)


@routes.endpoint("DELETE", "/me/photo", access=Access.SIGNED_IN, status=HTTPStatus.NO_CONTENT)
async def remove_photo(services: Services, who: Identity) -> None:
    """Remove the picture of the caller, if there is one."""
    account = await own_account(services, who)
    if account.photo is not None:
        await _change(services, account, {"photo": None})
        services.access_log.note("photo_changed", who, people=(account.id,))
        await services.photos.remove(account.photo)


@routes.endpoint("GET", "/{id}/photo", access=Access.SIGNED_IN, gives="image/jpeg")
async def show_photo(services: Services, who: Identity, path: ById) -> File:
    """Show the picture of the caller, of a doctor, or of a patient.

    A doctor sees those of patients who have or had an appointment with the doctor, a receptionist those of all.
    """
    account = await services.records.users.by_id(path.id)
    if account is None or account.photo is None or not await _may_see(services, who, account):
        raise Problem("not_found", "There is no such picture.")
    picture = await services.photos.get(account.photo)
    if picture is None:
        raise Problem("not_found", "There is no such picture.")
    if account.role == "patient":
        services.access_log.looked("photo_shown", who, [account.id])
    # Private: no shared cache may keep it, and the browser asks whether its copy is still valid.
    return File(picture, {hdrs.CACHE_CONTROL: "private, max-age=60", hdrs.ETAG: f'"{account.photo}"'})


def user_of(account: Account) -> User:
    """Return the account as its owner sees it."""
    return User(
        id=account.id,
        role=account.role,
        name=account.name,
        email=account.email,
        phone=account.phone,
        phone_verified=account.phone_verified and account.phone is not None,
        created_at=account.created_at,
        specialty=account.specialty,
        zone=account.schedule.zone if account.schedule else account.zone,
        language=account.language,
        texts=account.texts,
        photo=photo_path(account),
        calendar_link=CalendarLink(last_read=account.calendar_read_at) if account.calendar_key_hash else None,
    )


def photo_path(account: Account) -> str | None:
    """Return the path of the account's picture on this server."""
    return f"/api/v1/users/{account.id}/photo" if account.photo else None


async def _change(services: Services, account: Account, changes: Mapping[str, object]) -> Account:
    """Write the changes and return the account with them. Raises `Problem`."""
    after = account.model_copy(update=changes)
    match await services.records.users.change(account, after):
        case "email" | "phone" as taken:
            raise Problem(*TAKEN[taken])
        case "stale":
            raise Problem("invalid_token", "The account of this token does not exist.")
        case None:
            services.directory.put(person_of(after))
            return after


async def _may_see(services: Services, who: Identity, account: Account) -> bool:
    if account.id == who.user_id or account.role == "doctor":
        return True
    if who.role is Role.RECEPTIONIST:
        return account.role == "patient"
    return who.role is Role.DOCTOR and await services.records.appointments.have_met(who.user_id, account.id)


def _invalid(field: str, detail: str, code: str) -> Problem:
    return Problem("invalid_request", "The request is not valid.", errors=[FieldError(field, detail, code)])
