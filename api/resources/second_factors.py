"""The second factor of doctors and receptionists: codes of an authenticator app, with recovery codes."""

from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import Field, SecretStr

from api.http.endpoints import Routes
from api.http.identity import Access
from api.http.problems import Problem
from api.resources.log_ins import Caller, invalid_field, require_password
from api.resources.second_factor_codes import is_right
from api.resources.typed_codes import SecondFactorCode
from api.services import Services, own_account
from hub.accounts.account import Account
from hub.accounts.identity import Identity
from hub.accounts.second_factor import SecondFactor, address_of, new_factor, new_recovery_codes, recovery_hash
from hub.scheduling.values import Value

routes = Routes("/api/v1/users/me/second-factor")


class Enrolment(Value):
    """The present password."""

    password: SecretStr


class FactorSecret(Value):
    """What an authenticator app needs: the secret to type, or the same as an address (otpauth). It is shown once."""

    secret: str
    uri: str


class FirstCode(Value):
    """The first code that the authenticator app shows."""

    code: SecondFactorCode


class RecoveryCodes(Value):
    """Codes to log in with when the authenticator app is lost, each good once. They are shown only once."""

    recovery_codes: tuple[str, ...]


class PasswordAndCode(Value):
    """The present password, and a code of the authenticator app or a recovery code."""

    password: SecretStr
    code: SecondFactorCode


class FactorState(Value):
    """Whether a log-in needs a code, and how many recovery codes are left."""

    enabled: bool
    recovery_codes_left: Annotated[int, Field(ge=0)]


@routes.endpoint("GET", "", access=Access.ENROLLING, problems=["forbidden"])
async def show_second_factor(services: Services, who: Identity) -> FactorState:
    """Show whether the caller's log-in needs a code."""
    factor = (await _own(services, who)).second_factor
    left = len(factor.recovery_hashes) if factor and factor.confirmed else 0
    return FactorState(enabled=factor is not None and factor.confirmed, recovery_codes_left=left)


@routes.endpoint(
    "POST", "", access=Access.ENROLLING, status=HTTPStatus.CREATED, problems=["forbidden", "too_many_requests"]
)
async def enrol(services: Services, request: web.Request, who: Identity, body: Enrolment) -> FactorSecret:
    """Begin to set up a second factor. It counts once a first code has confirmed it."""
    account = await _own(services, who)
    if account.has_second_factor:
        raise Problem("forbidden", "There is a second factor already. Disable it first.")
    await require_password(services, Caller.of(request), account, body.password)
    factor = new_factor()
    await services.records.users.change(account, account.model_copy(update={"second_factor": factor}))
    uri = address_of(factor, account.email or account.name, services.settings.clinic_name)
    return FactorSecret(secret=factor.secret, uri=uri)


@routes.endpoint("POST", "/confirm", access=Access.ENROLLING, problems=["forbidden", "too_many_requests"])
async def confirm_second_factor(
    services: Services, request: web.Request, who: Identity, body: FirstCode
) -> RecoveryCodes:
    """Confirm the second factor by its first code, and get the recovery codes. Every other log-in ends.

    Where a second factor is required, refresh the token: the new one is good for everything.
    """
    account = await _own(services, who)
    factor = account.second_factor
    if factor is None or factor.confirmed:
        raise Problem("forbidden", "There is no second factor to confirm.")
    if not await is_right(services, request.remote, account, body.code):
        raise invalid_field("/code", "This is not the code that the app shows now", "wrong_code")
    codes = new_recovery_codes()
    confirmed = factor.model_copy(update={"confirmed": True, "recovery_hashes": tuple(map(recovery_hash, codes))})
    await services.records.users.change(account, account.model_copy(update={"second_factor": confirmed}))
    await services.sign_in.end_all(who.user_id, keep_session_id=who.session_id)
    services.access_log.note("second_factor_made", who, people=(who.user_id,))
    return RecoveryCodes(recovery_codes=tuple(codes))


@routes.endpoint(
    "POST",
    "/disable",
    access=Access.STAFF,
    status=HTTPStatus.NO_CONTENT,
    problems=["forbidden", "too_many_requests"],
)
async def disable_second_factor(services: Services, request: web.Request, who: Identity, body: PasswordAndCode) -> None:
    """Disable the second factor, with the password and a code."""
    account, _ = await _proven(services, request, who, body)
    await services.records.users.change(account, account.model_copy(update={"second_factor": None}))
    services.access_log.note("second_factor_ended", who, people=(who.user_id,))


@routes.endpoint("POST", "/recovery-codes", access=Access.STAFF, problems=["forbidden", "too_many_requests"])
async def replace_recovery_codes(
    services: Services, request: web.Request, who: Identity, body: PasswordAndCode
) -> RecoveryCodes:
    """Get new recovery codes, with the password and a code. The earlier ones are good no longer."""
    account, factor = await _proven(services, request, who, body)
    codes = new_recovery_codes()
    renewed = factor.model_copy(update={"recovery_hashes": tuple(map(recovery_hash, codes))})
    await services.records.users.change(account, account.model_copy(update={"second_factor": renewed}))
    services.access_log.note("recovery_codes_made", who, people=(who.user_id,))
    return RecoveryCodes(recovery_codes=tuple(codes))


async def _proven(
    services: Services, request: web.Request, who: Identity, body: PasswordAndCode
) -> tuple[Account, SecondFactor]:
    """Return the caller's account and its second factor. Raises `Problem` unless password and code are right."""
    account = await _own(services, who)
    factor = account.second_factor
    if factor is None or not factor.confirmed:
        raise Problem("forbidden", "There is no second factor.")
    await require_password(services, Caller.of(request), account, body.password)
    if not await is_right(services, request.remote, account, body.code):
        raise invalid_field("/code", "This is not a code of the second factor, or not any more", "wrong_code")
    return account, factor


async def _own(services: Services, who: Identity) -> Account:
    if services.settings.staff_second_factor == "off":
        raise Problem("forbidden", "There are no second factors in this clinic.")
    return await own_account(services, who)
