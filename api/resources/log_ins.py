"""How log-ins begin and go on, for programs (`accounts`) and for pages (`browser_sessions`)."""

import re
from dataclasses import dataclass
from typing import Self

from aiohttp import hdrs, web
from pydantic import SecretStr

from api.http.access_log import Doer
from api.http.problems import FieldError, Problem
from api.resources.second_factor_codes import is_right
from api.resources.typed_codes import SecondFactorCode
from api.services import Services
from hub.accounts.account import Account
from hub.accounts.fields import PASSWORD_BYTES, Email
from hub.accounts.password_rules import Weakness, weakness_of
from hub.accounts.passwords import has_fewer_rounds, hash_password, verify_password
from hub.accounts.sessions import TokenPair
from hub.records.schedules import schedule_of
from hub.scheduling.values import AccountRole, Role, Value

_DEVICE_LENGTH = 200
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")
_WEAKNESSES: dict[Weakness, str] = {
    "common_password": "This is one of the passwords that are tried first. Choose another one",
    "personal_password": "A name or an address is no password. Choose another one",
}


@dataclass(frozen=True)
class Caller:
    """Where a log-in comes from: the network address, and what the program says of itself.

    `secret`: what the browser was given to be known by at the next log-in; None for programs.
    """

    address: str | None
    device: str | None
    secret: str | None = None

    @classmethod
    def of(cls, request: web.Request) -> Self:
        """Return the caller of a request."""
        said = _UNPRINTABLE.sub(" ", request.headers.get(hdrs.USER_AGENT, "")).strip()[:_DEVICE_LENGTH]
        return cls(request.remote, said or None)


class LogIn(Value):
    """An e-mail address and a password, and a code where the account has a second factor."""

    email: Email
    password: SecretStr
    code: SecondFactorCode | None = None


async def log_in(
    services: Services, caller: Caller, body: LogIn, role: AccountRole | None
) -> tuple[Account, TokenPair]:
    """Log in to an account of this role, or of any role.

    Raises the same `Problem` for an unknown e-mail address, a wrong password and a wrong role.
    """
    try:
        await services.sign_in_rate_limits.count("login", caller.address, body.email, caller.secret)
    except Problem:
        services.access_log.note("log_in_limited", key=body.email)
        raise
    account = holder = await services.records.users.by_email(body.email)
    password = body.password.get_secret_value()
    if account is not None and (role not in {None, account.role} or is_too_long(password)):
        account = None
    # A password is verified without an account, too: the response time must not show whether the account exists.
    hashed = account.password_hash if account else None
    correct = await verify_password(password, hashed, services.settings.bcrypt_rounds)
    if account is None or not correct:
        _note_refused(services, holder, body.email)
        raise _invalid_credentials()
    if await _is_disabled(services, account):
        _note_refused(services, holder, body.email)
        raise Problem("forbidden", "This account is disabled. Ask the clinic.")
    if account.has_second_factor and services.settings.staff_second_factor != "off":
        if body.code is None:
            raise Problem("second_factor_required", "Log in with the `code` of your authenticator app, too.")
        if not await is_right(services, caller.address, account, body.code):
            services.access_log.note(
                "second_factor_refused", Doer(account.id, Role(account.role)), people=(account.id,)
            )
            raise Problem("wrong_second_factor", "This is not a code of the second factor, or not any more.")
        account = await services.records.users.by_id(account.id) or account  # a recovery code may be used up
    account = await _with_all_rounds(services, account, password)
    begun = account, await start_log_in(services, account, caller)
    await services.sign_in_rate_limits.logged_in(caller.address, body.email, caller.secret)
    services.access_log.note("logged_in", Doer(account.id, Role(account.role)), people=(account.id,))
    return begun


async def start_log_in(services: Services, account: Account, caller: Caller) -> TokenPair:
    """Start a log-in with the password that was verified. Raises `Problem` if it has been changed since."""
    pair = await services.sign_in.start(account, caller.device)
    if pair is None:
        raise _invalid_credentials()
    return pair


async def renew(services: Services, refresh_token: str, key: str | None) -> tuple[Account, TokenPair]:
    """Exchange a refresh token, under the idempotency key if there is one. Raises `Problem` (401)."""
    renewed = await services.sign_in.refresh(refresh_token, key)
    if renewed is None:
        raise _invalid_refresh_token()
    if await _is_disabled(services, renewed[0]):  # disabled while this log-in began, so disabling did not end it
        await services.sign_in.end_all(renewed[0].id)
        raise _invalid_refresh_token()
    return renewed


async def require_password(
    services: Services, caller: Caller, account: Account, password: SecretStr, pointer: str = "/password"
) -> None:
    """Return if this is the account's password. Raises `Problem`: 422 that names the field, 429 after many tries."""
    # A person at an unlocked screen must not get more guesses here than at the log-in.
    await services.sign_in_rate_limits.count("login", caller.address, account.email or account.id)
    plain = password.get_secret_value()
    if is_too_long(plain) or not await verify_password(plain, account.password_hash):
        services.access_log.note("password_refused", Doer(account.id, Role(account.role)), people=(account.id,))
        raise wrong_password(pointer)


def wrong_password(pointer: str = "/password") -> Problem:
    """Return the problem of a field that has to hold the current password."""
    return invalid_field(pointer, "This is not the current password", "password")


def require_good_password(services: Services, pointer: str, password: SecretStr, *known: str | None) -> None:
    """Return if the new password is none that is tried first. `known`: what others know. Raises `Problem` (422)."""
    weak = weakness_of(password.get_secret_value(), services.settings.clinic_name, *known)
    if weak is not None:
        raise invalid_field(pointer, _WEAKNESSES[weak], weak)


def invalid_field(pointer: str, detail: str, code: str) -> Problem:
    """Return the problem of one field of the body."""
    return Problem("invalid_request", "The body is not valid.", errors=[FieldError(pointer, detail, code)])


def is_too_long(password: str) -> bool:
    """Return whether the password is longer than bcrypt reads: its beginning alone would be accepted."""
    return len(password.encode()) >= PASSWORD_BYTES.stop


async def _with_all_rounds(services: Services, account: Account, password: str) -> Account:
    """Return the account with a new hash if its hash has fewer rounds than hashes have now: only a log-in can do it."""
    rounds = services.settings.bcrypt_rounds
    if account.password_hash is None or not has_fewer_rounds(account.password_hash, rounds):
        return account
    after = account.model_copy(update={"password_hash": await hash_password(password, rounds)})
    # Another log-in or a change of the password may have been quicker: then this log-in goes on with what there is.
    if await services.records.users.change(account, after) is None:
        return after
    current = await services.records.users.by_id(account.id)
    hashed = current.password_hash if current else None
    return current if current and await verify_password(password, hashed, rounds) else account


def _note_refused(services: Services, holder: Account | None, email: str) -> None:
    """Note a refused log-in: for the account that has the address, otherwise for a hash of the address."""
    if holder is None:
        services.access_log.note("log_in_refused", key=email)
    else:
        services.access_log.note("log_in_refused", people=(holder.id,))


def _invalid_credentials() -> Problem:
    return Problem("invalid_credentials", "No account has this e-mail address, password and role.")


def _invalid_refresh_token() -> Problem:
    return Problem("invalid_token", "This refresh token is not valid, or not any more. Log in again.")


async def _is_disabled(services: Services, account: Account) -> bool:
    """Return whether it is the account of a doctor or a receptionist who has left the clinic."""
    if account.role == "receptionist":
        # Read again: the account may have been disabled while the password was verified.
        receptionist = await services.records.users.by_id(account.id)
        return receptionist is None or receptionist.disabled
    doctor = await schedule_of(services.records, account.id) if account.role == "doctor" else None
    return doctor is not None and doctor.disabled
