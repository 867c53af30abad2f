"""Sign-up, log-in, token refresh, log-out and password change."""

from http import HTTPStatus
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field, SecretStr

from api.commands.command_client import Done
from api.http.endpoints import Answer, Routes
from api.http.identity import Access
from api.http.problems import FieldError, Problem
from api.resources.idempotency import REPLAYED, Repeatable, answer_of
from api.resources.profile import TAKEN, User, user_of
from api.services import Services, own_account
from hub.accounts.account import Account
from hub.accounts.fields import PASSWORD_BYTES, Email, Name, NewPassword, Phone
from hub.accounts.identity import Identity
from hub.accounts.passwords import hash_password, verify_password
from hub.accounts.person import person_of
from hub.accounts.sessions import TokenPair
from hub.ids import new_id
from hub.records.schedules import schedule_of
from hub.scheduling.values import AccountRole, Value

routes = Routes("/api/v1")


class SignUp(Value):
    """The account of a new patient."""

    name: Name
    email: Email
    phone: Phone
    password: NewPassword


class LogIn(Value):
    """An e-mail address and a password."""

    email: Email
    password: SecretStr


class PasswordChange(Value):
    """The current password and the new one."""

    current: SecretStr
    new: NewPassword


class Refresh(Value):
    """The last refresh token of the log-in."""

    refresh_token: Annotated[str, Field(max_length=512)]


class SignedIn(Value):
    """The tokens of a log-in and the account of the user. `expires_in`: seconds until the access token expires.

    With `password_change_required` the access token is good only for the change of the first password, and for
    log-outs. The token that the next refresh gives is good for everything.
    """

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  # a kind of token, not a secret
    expires_in: int
    user: User
    password_change_required: bool


@routes.endpoint(
    "POST",
    "/auth/patient/signup",
    access=Access.ANYONE,
    status=HTTPStatus.CREATED,
    problems=["email_taken", "phone_taken", "invalid_credentials", "too_many_requests"],
)
async def sign_up(services: Services, request: web.Request, body: SignUp) -> SignedIn:
    """Create a patient's account and log in."""
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
    services.directory.put(person_of(account))
    return await _start(services, account)


@routes.endpoint(
    "POST", "/auth/patient/login", access=Access.ANYONE, problems=["invalid_credentials", "too_many_requests"]
)
async def log_in_patient(services: Services, request: web.Request, body: LogIn) -> SignedIn:
    """Log in as a patient."""
    return await _log_in(services, request, body, "patient")


@routes.endpoint(
    "POST",
    "/auth/doctor/login",
    access=Access.ANYONE,
    problems=["invalid_credentials", "forbidden", "too_many_requests"],
)
async def log_in_doctor(services: Services, request: web.Request, body: LogIn) -> SignedIn:
    """Log in as a doctor."""
    return await _log_in(services, request, body, "doctor")


@routes.endpoint(
    "POST",
    "/auth/staff/login",
    access=Access.ANYONE,
    problems=["invalid_credentials", "forbidden", "too_many_requests"],
)
async def log_in_staff(services: Services, request: web.Request, body: LogIn) -> SignedIn:
    """Log in as a receptionist."""
    return await _log_in(services, request, body, "receptionist")


@routes.endpoint("POST", "/auth/refresh", access=Access.ANYONE, problems=["invalid_token"], sends=[REPLAYED])
async def refresh(services: Services, headers: Repeatable, body: Refresh) -> Answer[SignedIn]:
    """Exchange a refresh token for a new pair of tokens. To use a refresh token twice ends the log-in.

    A client whose answer was lost repeats the request with the same `Idempotency-Key`, and gets the same pair, for 30
    seconds and until the new refresh token is used.
    """
    renewed = await services.sign_in.refresh(body.refresh_token, headers.key)
    if renewed is None:
        raise _invalid_refresh_token()
    if await _is_disabled(services, renewed[0]):  # disabled while this log-in began, so disabling did not end it
        await services.sign_in.end_all(renewed[0].id)
        raise _invalid_refresh_token()
    return answer_of(Done(_signed_in(*renewed), renewed[1].replayed))


@routes.endpoint("POST", "/auth/logout", access=Access.ANY_LOG_IN, status=HTTPStatus.NO_CONTENT)
async def log_out(services: Services, who: Identity) -> None:
    """End the log-in of the access token, with all its tokens and sockets."""
    await services.sign_in.end(who.session_id)


@routes.endpoint("POST", "/auth/logout/all", access=Access.ANY_LOG_IN, status=HTTPStatus.NO_CONTENT)
async def log_out_everywhere(services: Services, who: Identity) -> None:
    """End all log-ins of the caller on every device, this one included."""
    await services.sign_in.end_all(who.user_id)


@routes.endpoint(
    "POST",
    "/auth/password",
    access=Access.ANY_LOG_IN,
    status=HTTPStatus.NO_CONTENT,
    problems=["too_many_requests"],
)
async def change_password(services: Services, request: web.Request, who: Identity, body: PasswordChange) -> None:
    """Change the caller's password. Every other log-in ends; the log-in of the access token goes on.

    After the change of a first password, refresh the token: the new one is good for everything.
    """
    account = await own_account(services, who)
    # A person at an unlocked screen must not get more guesses here than at the log-in.
    await services.sign_in_rate_limits.count("login", request.remote, account.email or account.id)
    current = body.current.get_secret_value()
    if _is_too_long(current) or not await verify_password(current, account.password_hash):
        raise _wrong_password()
    if account.must_change_password and body.new.get_secret_value() == current:
        raise _invalid_body("/new", "Choose another password than the first one")
    fresh = await hash_password(body.new.get_secret_value(), services.settings.bcrypt_rounds)
    changed = account.model_copy(update={"password_hash": fresh, "must_change_password": False})
    if await services.records.users.change(account, changed) == "stale":
        raise _wrong_password()  # another change of the password came between
    # Only after the change: otherwise a log-in with the old password, made in between, would stay.
    await services.sign_in.end_all(who.user_id, keep_session_id=who.session_id)


def _wrong_password() -> Problem:
    return _invalid_body("/current", "This is not the current password")


def _invalid_body(field: str, detail: str) -> Problem:
    return Problem("invalid_request", "The body is not valid.", errors=[FieldError(field, detail, "password")])


async def _log_in(services: Services, request: web.Request, body: LogIn, role: AccountRole) -> SignedIn:
    """Log in. Raises the same `Problem` for an unknown e-mail address, a wrong password and a wrong role."""
    await services.sign_in_rate_limits.count("login", request.remote, body.email)
    account = await services.records.users.by_email(body.email)
    password = body.password.get_secret_value()
    if account is not None and (account.role != role or _is_too_long(password)):
        account = None
    # A password is verified without an account, too: the response time must not show whether the account exists.
    hashed = account.password_hash if account else None
    correct = await verify_password(password, hashed, services.settings.bcrypt_rounds)
    if account is None or not correct:
        raise _invalid_credentials()
    if await _is_disabled(services, account):
        raise Problem("forbidden", "This account is disabled. Ask the clinic.")
    return await _start(services, account)


async def _start(services: Services, account: Account) -> SignedIn:
    """Start a log-in with the password that was verified. Raises `Problem` if it has been changed since."""
    pair = await services.sign_in.start(account)
    if pair is None:
        raise _invalid_credentials()
    return _signed_in(account, pair)


def _invalid_credentials() -> Problem:
    return Problem("invalid_credentials", "No account has this e-mail address, password and role.")


async def _is_disabled(services: Services, account: Account) -> bool:
    """Return whether it is the account of a doctor or a receptionist who has left the clinic."""
    if account.role == "receptionist":
        # Read again: the account may have been disabled while the password was verified.
        receptionist = await services.records.users.by_id(account.id)
        return receptionist is None or receptionist.disabled
    doctor = await schedule_of(services.records, account.id) if account.role == "doctor" else None
    return doctor is not None and doctor.disabled


def _invalid_refresh_token() -> Problem:
    return Problem("invalid_token", "This refresh token is not valid, or not any more. Log in again.")


def _is_too_long(password: str) -> bool:
    """Return whether the password is longer than bcrypt reads: its beginning alone would be accepted."""
    return len(password.encode()) >= PASSWORD_BYTES.stop


def _signed_in(account: Account, pair: TokenPair) -> SignedIn:
    return SignedIn(
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        expires_in=pair.expires_in,
        user=user_of(account),
        password_change_required=account.must_change_password,
    )
