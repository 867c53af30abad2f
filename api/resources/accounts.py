"""Signing up, logging in, staying signed in, and logging out."""

from http import HTTPStatus
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field, SecretStr

from api.http.endpoints import Routes
from api.http.identity import Access
from api.http.problems import FieldError, Problem
from api.resources.profile import TAKEN, User, user_of
from api.services import Services, own_account
from hub.accounts.account import Account
from hub.accounts.fields import PASSWORD_BYTES, Email, Name, NewPassword, Phone
from hub.accounts.identity import Identity
from hub.accounts.passwords import hash_password, verify_password
from hub.accounts.sessions import TokenPair
from hub.ids import new_id
from hub.records.schedules import schedule_of
from hub.scheduling.values import Value

routes = Routes("/api/v1")


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


class PasswordChange(Value):
    """The password as it is, and as it shall be."""

    current: SecretStr
    new: NewPassword


class Refresh(Value):
    """The refresh token that was given last."""

    refresh_token: Annotated[str, Field(max_length=512)]


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
    await services.sign_in_rate_limits.count("signup", request.remote, body.email)
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
    if taken is not None:
        raise Problem(*TAKEN[taken])
    return _signed_in(account, await services.sign_in.start(account))


@routes.endpoint(
    "POST", "/auth/patient/login", access=Access.ANYONE, problems=["invalid_credentials", "too_many_requests"]
)
async def log_in_patient(services: Services, request: web.Request, body: LogIn) -> SignedIn:
    """Sign in as a patient."""
    return await _log_in(services, request, body, "patient")


@routes.endpoint(
    "POST",
    "/auth/doctor/login",
    access=Access.ANYONE,
    problems=["invalid_credentials", "forbidden", "too_many_requests"],
)
async def log_in_doctor(services: Services, request: web.Request, body: LogIn) -> SignedIn:
    """Sign in as a doctor."""
    return await _log_in(services, request, body, "doctor")


@routes.endpoint("POST", "/auth/refresh", access=Access.ANYONE, problems=["invalid_token"])
async def refresh(services: Services, body: Refresh) -> SignedIn:
    """Change a refresh token for a new pair. A token that is used a second time ends the whole log-in."""
    renewed = await services.sign_in.refresh(body.refresh_token)
    if renewed is None:
        raise _no_longer()
    if await _is_disabled(services, renewed[0]):  # while this log-in began, so it was not ended with the others
        await services.sign_in.end_all(renewed[0].id)
        raise _no_longer()
    return _signed_in(*renewed)


@routes.endpoint("POST", "/auth/logout", access=Access.SIGNED_IN, status=HTTPStatus.NO_CONTENT)
async def log_out(services: Services, who: Identity) -> None:
    """End the log-in that the access token belongs to, with all its tokens and sockets."""
    await services.sign_in.end(who.session_id)


@routes.endpoint("POST", "/auth/logout/all", access=Access.SIGNED_IN, status=HTTPStatus.NO_CONTENT)
async def log_out_everywhere(services: Services, who: Identity) -> None:
    """End all one's log-ins, on every device, this one included."""
    await services.sign_in.end_all(who.user_id)


@routes.endpoint(
    "POST",
    "/auth/password",
    access=Access.SIGNED_IN,
    status=HTTPStatus.NO_CONTENT,
    problems=["too_many_requests"],
)
async def change_password(services: Services, request: web.Request, who: Identity, body: PasswordChange) -> None:
    """Change one's password. Every other log-in ends; the one that the access token belongs to goes on."""
    account = await own_account(services, who)
    # Whoever has found an open screen must not guess here more often than at the door.
    await services.sign_in_rate_limits.count("login", request.remote, account.email)
    current = body.current.get_secret_value()
    if _is_too_long(current) or not await verify_password(current, account.password_hash):
        raise _not_the_password()
    fresh = await hash_password(body.new.get_secret_value(), services.settings.bcrypt_rounds)
    changed = account.model_copy(update={"password_hash": fresh})
    if await services.records.users.change(account, changed) == "stale":
        raise _not_the_password()  # it was, until another change of it came between
    # Only now: a log-in with the old password, made between the two, would have outlived the change.
    await services.sign_in.end_all(who.user_id, keep_session_id=who.session_id)


def _not_the_password() -> Problem:
    return Problem(
        "invalid_request",
        "The body is not as expected.",
        errors=[FieldError("/current", "This is not the password", "password")],
    )


async def _log_in(
    services: Services, request: web.Request, body: LogIn, door: Literal["doctor", "patient"]
) -> SignedIn:
    """Sign in, or raise the one problem that does not tell an unknown address from a wrong password or door."""
    await services.sign_in_rate_limits.count("login", request.remote, body.email)
    account = await services.records.users.by_email(body.email)
    password = body.password.get_secret_value()
    if account is not None and (account.role != door or _is_too_long(password)):
        account = None
    # also without an account a password is checked: the time an answer takes must not tell either
    hashed = account.password_hash if account else None
    right = await verify_password(password, hashed, services.settings.bcrypt_rounds)
    if account is None or not right:
        raise Problem("invalid_credentials", "There is no account with this e-mail address and password here.")
    if await _is_disabled(services, account):
        raise Problem("forbidden", "This account is disabled; ask the clinic.")
    return _signed_in(account, await services.sign_in.start(account))


async def _is_disabled(services: Services, account: Account) -> bool:
    """Whether it is the account of a doctor who does not work here any more."""
    doctor = await schedule_of(services.records, account.id) if account.role == "doctor" else None
    return doctor is not None and doctor.disabled


def _no_longer() -> Problem:
    return Problem("invalid_token", "This refresh token is not valid, or no longer; log in again.")


def _is_too_long(password: str) -> bool:
    """Whether it is longer than what bcrypt reads: then it would be as good as its beginning."""
    return len(password.encode()) >= PASSWORD_BYTES.stop


def _signed_in(account: Account, pair: TokenPair) -> SignedIn:
    return SignedIn(
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        expires_in=pair.expires_in,
        user=user_of(account),
    )
