"""The caller's own profile, and the pictures of people."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from aiohttp import hdrs
from pydantic import AfterValidator, Field

from api.http.endpoints import ById, File, Routes
from api.http.identity import Access
from api.http.problems import Code, FieldError, Problem
from api.resources.pictures import NoPicture, portrait
from api.services import Services, own_account
from hub.accounts.account import ALL_TEXT_KINDS, Account
from hub.accounts.fields import Email, Name, Phone
from hub.accounts.identity import Identity
from hub.accounts.person import person_of
from hub.accounts.ports import Unique
from hub.ids import new_id
from hub.scheduling.schedule import ZoneName
from hub.scheduling.values import AccountRole, Id, Instant, Role, Value
from hub.texting.text import TextKind
from hub.texting.wording import Language

routes = Routes("/api/v1/users")

TAKEN: Mapping[Unique, tuple[Code, str]] = {
    "email": ("email_taken", "There is an account with this e-mail address."),
    "phone": ("phone_taken", "There is an account with this phone number."),
}


def _in_order(kinds: tuple[TextKind, ...]) -> tuple[TextKind, ...]:
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
    created_at: Instant
    specialty: str | None
    zone: ZoneName | None
    language: Language
    texts: tuple[TextKind, ...]
    photo: str | None
    calendar_link: CalendarLink | None


class ProfileChange(Value):
    """The fields to change; the others stay. Only `zone` may be null, which removes it."""

    name: Name = Field(default_factory=_not_given)
    email: Email = Field(default_factory=_not_given)
    phone: Phone = Field(default_factory=_not_given)
    zone: ZoneName | None = Field(default_factory=_not_given)
    language: Language = Field(default_factory=_not_given)
    texts: Annotated[tuple[TextKind, ...], AfterValidator(_in_order)] = Field(default_factory=_not_given)

    def given(self) -> dict[str, object]:
        """Return the fields that are not left out."""
        return {name: getattr(self, name) for name in self.model_fields_set}


@routes.endpoint("GET", "/me", access=Access.SIGNED_IN)
async def me(services: Services, who: Identity) -> User:
    """Show the caller's account."""
    return user_of(await own_account(services, who))


@routes.endpoint("PATCH", "/me", access=Access.SIGNED_IN, problems=["email_taken", "phone_taken"])
async def change_me(services: Services, who: Identity, body: ProfileChange) -> User:
    """Change the caller's account."""
    account = await own_account(services, who)
    if who.role is Role.DOCTOR and "zone" in body.model_fields_set:
        raise _invalid("/zone", "A doctor's zone is that of the calendar, which cannot be changed here", "zone")
    changed = await _change(services, account, body.given())
    services.access_log.note("profile_changed", who, people=(account.id,), fields=tuple(sorted(body.model_fields_set)))
    return user_of(changed)


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
