"""How log-ins begin and go on, for programs (`accounts`) and for pages (`browser_sessions`)."""

from pydantic import SecretStr

from api.http.access_log import Doer
from api.http.problems import Problem
from api.resources.profile import TAKEN
from api.services import Services
from hub.accounts.account import Account
from hub.accounts.fields import PASSWORD_BYTES, Email, Name, NewPassword, Phone
from hub.accounts.passwords import hash_password, verify_password
from hub.accounts.person import person_of
from hub.accounts.sessions import TokenPair
from hub.ids import new_id
from hub.records.schedules import schedule_of
from hub.scheduling.values import AccountRole, Role, Value


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


async def create_patient(services: Services, address: str | None, body: SignUp) -> tuple[Account, TokenPair]:
    """Create a patient's account and log in. Raises `Problem`."""
    await services.sign_in_rate_limits.count("signup", address, body.email)
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
    services.access_log.note("signed_up", Doer(account.id, Role.PATIENT), people=(account.id,))
    return account, await _start(services, account)


async def log_in(
    services: Services, address: str | None, body: LogIn, role: AccountRole | None
) -> tuple[Account, TokenPair]:
    """Log in to an account of this role, or of any role.

    Raises the same `Problem` for an unknown e-mail address, a wrong password and a wrong role.
    """
    try:
        await services.sign_in_rate_limits.count("login", address, body.email)
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
    begun = account, await _start(services, account)
    services.access_log.note("logged_in", Doer(account.id, Role(account.role)), people=(account.id,))
    return begun


async def renew(services: Services, refresh_token: str, key: str | None) -> tuple[Account, TokenPair]:
    """Exchange a refresh token, under the idempotency key if there is one. Raises `Problem` (401)."""
    renewed = await services.sign_in.refresh(refresh_token, key)
    if renewed is None:
        raise _invalid_refresh_token()
    if await _is_disabled(services, renewed[0]):  # disabled while this log-in began, so disabling did not end it
        await services.sign_in.end_all(renewed[0].id)
        raise _invalid_refresh_token()
    return renewed


def is_too_long(password: str) -> bool:
    """Return whether the password is longer than bcrypt reads: its beginning alone would be accepted."""
    return len(password.encode()) >= PASSWORD_BYTES.stop


async def _start(services: Services, account: Account) -> TokenPair:
    """Start a log-in with the password that was verified. Raises `Problem` if it has been changed since."""
    pair = await services.sign_in.start(account)
    if pair is None:
        raise _invalid_credentials()
    return pair


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
