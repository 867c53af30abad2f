"""Sign-up, log-in, token refresh, log-out and password change."""

from http import HTTPStatus
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field, SecretStr

from api.commands.command_client import Done
from api.http.endpoints import Accepted, Answer, Routes
from api.http.identity import Access
from api.resources.idempotency import REPLAYED, Repeatable, answer_of
from api.resources.log_ins import (
    Caller,
    LogIn,
    invalid_field,
    log_in,
    renew,
    require_good_password,
    require_password,
    wrong_password,
)
from api.resources.profile import User, user_of
from api.resources.sign_ups import SignUp, SignUpConfirmation, SignUpToConfirm, confirm_sign_up, sign_up_patient
from api.services import Services, own_account
from hub.accounts.account import Account
from hub.accounts.calendar_links import end_calendar_link
from hub.accounts.fields import NewPassword
from hub.accounts.identity import Identity
from hub.accounts.passwords import hash_password
from hub.accounts.sessions import TokenPair
from hub.scheduling.values import Value

routes = Routes("/api/v1")


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
    log-outs. Where staff need a second factor, that of who has none is good only to set one up. The token that the next
    refresh gives is good for everything.
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
async def sign_up(services: Services, request: web.Request, body: SignUp) -> SignedIn | Accepted[SignUpToConfirm]:
    """Create a patient's account and log in.

    Where sign-ups must be confirmed (`SIGN_UP_CONFIRMATION`), as in production, the answer is 202 instead, for every
    e-mail address and phone: then confirm the sign-up with the code that is texted to the phone.
    """
    result = await sign_up_patient(services, Caller.of(request), body)
    return result if isinstance(result, Accepted) else _signed_in(*result)


@routes.endpoint(
    "POST",
    "/auth/patient/signup/confirm",
    access=Access.ANYONE,
    status=HTTPStatus.CREATED,
    problems=["invalid_credentials", "too_many_requests"],
)
async def confirm_patient_sign_up(services: Services, request: web.Request, body: SignUpConfirmation) -> SignedIn:
    """Create the account of a sign-up with the code that was texted to its phone, and log in. The phone is proven.

    A code is good for ten minutes, five tries and once. If the answer was lost, log in: the account may be there. The
    field error `wrong_code` also means that an account has got the e-mail address or the phone.
    """
    return _signed_in(*await confirm_sign_up(services, Caller.of(request), body))


@routes.endpoint(
    "POST", "/auth/patient/login", access=Access.ANYONE, problems=["invalid_credentials", "too_many_requests"]
)
async def log_in_patient(services: Services, request: web.Request, body: LogIn) -> SignedIn:
    """Log in as a patient."""
    return _signed_in(*await log_in(services, Caller.of(request), body, "patient"))


@routes.endpoint(
    "POST",
    "/auth/doctor/login",
    access=Access.ANYONE,
    problems=[
        "invalid_credentials",
        "forbidden",
        "second_factor_required",
        "wrong_second_factor",
        "too_many_requests",
    ],
)
async def log_in_doctor(services: Services, request: web.Request, body: LogIn) -> SignedIn:
    """Log in as a doctor."""
    return _signed_in(*await log_in(services, Caller.of(request), body, "doctor"))


@routes.endpoint(
    "POST",
    "/auth/staff/login",
    access=Access.ANYONE,
    problems=[
        "invalid_credentials",
        "forbidden",
        "second_factor_required",
        "wrong_second_factor",
        "too_many_requests",
    ],
)
async def log_in_staff(services: Services, request: web.Request, body: LogIn) -> SignedIn:
    """Log in as a receptionist."""
    return _signed_in(*await log_in(services, Caller.of(request), body, "receptionist"))


@routes.endpoint(
    "POST", "/auth/refresh", access=Access.ANYONE, problems=["invalid_token", "too_many_requests"], sends=[REPLAYED]
)
async def refresh(services: Services, request: web.Request, headers: Repeatable, body: Refresh) -> Answer[SignedIn]:
    """Exchange a refresh token for a new pair of tokens. To use a refresh token twice ends the log-in.

    A client whose answer was lost repeats the request with the same `Idempotency-Key`, and gets the same pair, for 30
    seconds and until the new refresh token is used.
    """
    services.visitor_rate_limit.count(request.remote)
    renewed = await renew(services, body.refresh_token, headers.key)
    return answer_of(Done(_signed_in(*renewed), renewed[1].replayed))


@routes.endpoint("POST", "/auth/logout", access=Access.ANY_LOG_IN, status=HTTPStatus.NO_CONTENT)
async def log_out(services: Services, who: Identity) -> None:
    """End the log-in of the access token, with all its tokens and sockets."""
    await services.sign_in.end(who.session_id)
    services.access_log.note("logged_out", who, people=(who.user_id,))


@routes.endpoint("POST", "/auth/logout/all", access=Access.ANY_LOG_IN, status=HTTPStatus.NO_CONTENT)
async def log_out_everywhere(services: Services, who: Identity) -> None:
    """End all log-ins of the caller on every device, this one included, and the private link of the calendar."""
    await services.sign_in.end_all(who.user_id)
    await end_calendar_link(services.records.users, who.user_id)
    services.access_log.note("logged_out_everywhere", who, people=(who.user_id,))


@routes.endpoint(
    "POST",
    "/auth/password",
    access=Access.ANY_LOG_IN,
    status=HTTPStatus.NO_CONTENT,
    problems=["too_many_requests"],
)
async def change_password(services: Services, request: web.Request, who: Identity, body: PasswordChange) -> None:
    """Change the caller's password. Every other log-in ends; the log-in of the access token goes on.

    The private link of the calendar ends, too. After the change of a first password, refresh the token: the new one is
    good for everything.
    """
    account = await own_account(services, who)
    await require_password(services, Caller.of(request), account, body.current, "/current")
    if account.must_change_password and body.new.get_secret_value() == body.current.get_secret_value():
        raise invalid_field("/new", "Choose another password than the first one", "password")
    require_good_password(services, "/new", body.new, account.name, account.email)
    fresh = await hash_password(body.new.get_secret_value(), services.settings.bcrypt_rounds)
    changed = account.model_copy(update={"password_hash": fresh, "must_change_password": False})
    if await services.records.users.change(account, changed) == "stale":
        raise wrong_password("/current")  # another change of the password came between
    # Only after the change: otherwise a log-in with the old password, made in between, would stay.
    await services.sign_in.end_all(who.user_id, keep_session_id=who.session_id)
    await end_calendar_link(services.records.users, who.user_id)
    services.access_log.note("password_changed", who, people=(who.user_id,))


def _signed_in(account: Account, pair: TokenPair) -> SignedIn:
    return SignedIn(
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        expires_in=pair.expires_in,
        user=user_of(account),
        password_change_required=account.must_change_password,
    )
