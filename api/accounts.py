"""Signing up, logging in, staying signed in, and one's own profile."""

import re
from http import HTTPStatus
from typing import Annotated, Literal

import phonenumbers
from aiohttp import web
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

from api.endpoints import Routes
from api.identity import Access
from api.problems import Problem
from api.services import Services
from hub.accounts.account import Account
from hub.accounts.identity import Identity
from hub.accounts.passwords import hash_password, verify_password
from hub.accounts.sessions import TokenPair
from hub.ids import new_id
from hub.scheduling.hours import ZoneName
from hub.scheduling.values import Id, Instant, Value

routes = Routes("/api/v1")

_PHONE = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_PASSWORD_BYTES = range(8, 73)  # bcrypt reads 72 bytes; what comes after them would not count


def _email(written: str) -> str:
    """Return the address as it is kept: normal form, lower case. No DNS is asked; .test addresses are fine."""
    try:
        checked = validate_email(written, strict=True, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise PydanticCustomError("email", "Input should be an e-mail address") from None
    return checked.normalized.lower()


def _phone(written: str) -> str:
    # first the form: the library would also read letters, other digits and extensions
    if _PHONE.fullmatch(written):
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(written)):
                return written
        except phonenumbers.NumberParseException:
            pass  # a country that does not exist: no number either
    raise PydanticCustomError("phone", "Input should be a phone number with its country, for example +12025550123")


def _name(written: str) -> str:
    if not written.strip() or _CONTROL.search(written):
        raise PydanticCustomError("name", "Input should be a name, without control characters")
    return written.strip()


def _new_password(written: SecretStr) -> SecretStr:
    if len(written.get_secret_value().encode()) not in _PASSWORD_BYTES:
        raise PydanticCustomError("password_length", "Input should have 8 to 72 bytes in UTF-8")
    return written


Email = Annotated[str, Field(max_length=254), AfterValidator(_email)]
Phone = Annotated[str, AfterValidator(_phone)]
Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_name)]
NewPassword = Annotated[SecretStr, AfterValidator(_new_password)]


class SignUp(Value):
    """A new patient."""

    name: Name
    email: Email
    phone: Phone
    password: NewPassword


class LogIn(Value):
    """An e-mail address and what is said to be its password."""

    email: Email
    password: SecretStr


class Refresh(Value):
    """The refresh token that was given last."""

    refresh_token: Annotated[str, Field(max_length=512)]


class User(Value):
    """An account as its owner sees it; `specialty` and `zone` are a doctor's."""

    id: Id
    role: Literal["doctor", "patient"]
    name: str
    email: str
    phone: str | None
    created_at: Instant
    specialty: str | None
    zone: ZoneName | None


class SignedIn(Value):
    """Tokens, and whose they are. `expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  # a kind of token, not a secret
    expires_in: int
    user: User


@routes.endpoint(
    "POST",
    "/auth/patient/signup",
    access=Access.ANYONE,
    status=HTTPStatus.CREATED,
    problems=["email_taken", "phone_taken", "too_many_requests"],
)
async def sign_up(services: Services, request: web.Request, body: SignUp) -> SignedIn:
    """Make a patient's account and sign in."""
    await services.attempts.count("signup", request.remote, body.email)
    account = Account(
        id=new_id(),
        role="patient",
        name=body.name,
        email=body.email,
        phone=body.phone,
        password_hash=await hash_password(body.password.get_secret_value(), services.settings.bcrypt_rounds),
        created_at=services.clock(),
    )
    taken = await services.records.users.add([account])
    if taken == "email":
        raise Problem("email_taken", "There is an account with this e-mail address.")
    if taken == "phone":
        raise Problem("phone_taken", "There is an account with this phone number.")
    return _signed_in(account, await services.sign_in.start(account))


@routes.endpoint(
    "POST", "/auth/patient/login", access=Access.ANYONE, problems=["invalid_credentials", "too_many_requests"]
)
async def log_in_patient(services: Services, request: web.Request, body: LogIn) -> SignedIn:
    """Sign in as a patient."""
    return await _log_in(services, request, body, "patient")


@routes.endpoint(
    "POST", "/auth/doctor/login", access=Access.ANYONE, problems=["invalid_credentials", "too_many_requests"]
)
async def log_in_doctor(services: Services, request: web.Request, body: LogIn) -> SignedIn:
    """Sign in as a doctor."""
    return await _log_in(services, request, body, "doctor")


@routes.endpoint("POST", "/auth/refresh", access=Access.ANYONE, problems=["invalid_token"])
async def refresh(services: Services, body: Refresh) -> SignedIn:
    """Change a refresh token for a new pair. A token that is used a second time ends the whole log-in."""
    renewed = await services.sign_in.refresh(body.refresh_token)
    if renewed is None:
        raise Problem("invalid_token", "This refresh token is not valid, or no longer; log in again.")
    return _signed_in(*renewed)


@routes.endpoint("POST", "/auth/logout", access=Access.SIGNED_IN, status=HTTPStatus.NO_CONTENT)
async def log_out(services: Services, who: Identity) -> None:
    """End the log-in that the access token belongs to, with all its tokens and sockets."""
    await services.sign_in.end(who.session_id)


@routes.endpoint("GET", "/users/me", access=Access.SIGNED_IN)
async def me(services: Services, who: Identity) -> User:
    """Show one's own account."""
    account = await services.records.users.by_id(who.user_id)
    if account is None:
        raise Problem("invalid_token", "The account of this token does not exist.")
    return _user(account)


async def _log_in(
    services: Services, request: web.Request, body: LogIn, door: Literal["doctor", "patient"]
) -> SignedIn:
    """Sign in, or raise the one problem that does not tell an unknown address from a wrong password or door."""
    await services.attempts.count("login", request.remote, body.email)
    account = await services.records.users.by_email(body.email)
    password = body.password.get_secret_value()
    # bcrypt reads no more than that, so a longer password would be as good as its beginning
    if account is not None and (account.role != door or len(password.encode()) >= _PASSWORD_BYTES.stop):
        account = None
    # also without an account a password is checked: the time an answer takes must not tell either
    hashed = account.password_hash if account else None
    right = await verify_password(password, hashed, services.settings.bcrypt_rounds)
    if account is None or not right:
        raise Problem("invalid_credentials", "There is no account with this e-mail address and password here.")
    return _signed_in(account, await services.sign_in.start(account))


def _signed_in(account: Account, pair: TokenPair) -> SignedIn:
    return SignedIn(
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        expires_in=pair.expires_in,
        user=_user(account),
    )


def _user(account: Account) -> User:
    return User(
        id=account.id,
        role=account.role,
        name=account.name,
        email=account.email,
        phone=account.phone,
        created_at=account.created_at,
        specialty=account.specialty,
        zone=account.calendar.zone if account.calendar else None,
    )
