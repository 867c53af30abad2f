"""Sign-ups of patients, for programs (`accounts`) and for pages (`browser_sessions`).

Where sign-ups must be confirmed, the answer is the same, and as quick, whether or not the address or the phone belongs
to an account. What depends on that is done after the answer, and said to phones only.
"""

from typing import Annotated, Literal

from pydantic import Field

from api.http.access_log import Doer
from api.http.endpoints import Accepted
from api.http.problems import Problem
from api.resources.account_texts import (
    CODE_LIFETIME,
    AccountNews,
    is_sign_up_code,
    tell,
    text_code,
    text_sign_up_code,
)
from api.resources.after_answer import after_answer
from api.resources.log_ins import Caller, invalid_field, require_good_password, start_log_in
from api.resources.phone_codes import WRONG_CODE
from api.resources.typed_codes import Digits
from api.resources.unique_fields import TAKEN
from api.services import Services
from hub.accounts.account import Account
from hub.accounts.fields import Email, Name, NewPassword, Phone
from hub.accounts.passwords import hash_password
from hub.accounts.pending_sign_up import PendingSignUp
from hub.accounts.person import person_of
from hub.accounts.ports import Unique
from hub.accounts.sessions import TokenPair
from hub.ids import new_id, new_secret
from hub.scheduling.values import Id, Role, Value

LoggedIn = tuple[Account, TokenPair]


class SignUp(Value):
    """The account of a new patient."""

    name: Name
    email: Email
    phone: Phone
    password: NewPassword


class SignUpToConfirm(Value):
    """A sign-up that waits for a code by text. Keep its id to yourself: who has it and the code gets the account.

    The answer does not say whether a code was texted: there is none if the e-mail address or the phone belongs to an
    account. The phone of the account is then told so.
    """

    status: Annotated[Literal["confirmation_required"], Field(description="What has to be done.")] = (
        "confirmation_required"
    )
    sign_up_id: Annotated[Id, Field(description="The id to confirm the sign-up with, for ten minutes.")]


class SignUpConfirmation(Value):
    """The id of the sign-up, as its answer gave it, and the code that was texted to the phone."""

    sign_up_id: Annotated[Id, Field(description="The id in the answer to the sign-up.")]
    code: Digits


async def sign_up_patient(services: Services, caller: Caller, body: SignUp) -> LoggedIn | Accepted[SignUpToConfirm]:
    """Create a patient's account and log in, or store the sign-up until it is confirmed. Raises `Problem`."""
    await services.sign_in_rate_limits.count("signup", caller.address, body.email)
    require_good_password(services, "/password", body.password, body.name, body.email)
    must_confirm = services.settings.sign_ups_must_be_confirmed
    if must_confirm:  # it may cause a text to this phone
        await services.sign_in_rate_limits.count("code", caller.address, body.phone)
    hashed = await hash_password(body.password.get_secret_value(), services.settings.bcrypt_rounds)
    sign_up = PendingSignUp(
        id=new_secret(),
        name=body.name,
        email=body.email,
        phone=body.phone,
        password_hash=hashed,
        expires_at=services.clock() + CODE_LIFETIME,
    )
    if must_confirm:
        await services.records.sign_ups.add(sign_up)
        after_answer(_text_somebody(services, sign_up))
        return Accepted(SignUpToConfirm(sign_up_id=sign_up.id))
    account = _account(services, sign_up, phone_verified=False)
    if taken := await _added(services, account):
        raise Problem(*TAKEN[taken])
    if services.settings.phones_must_be_proven:
        await text_code(services, account, "phone")
    return account, await start_log_in(services, account, caller)


async def confirm_sign_up(services: Services, caller: Caller, body: SignUpConfirmation) -> LoggedIn:
    """Create the account of a sign-up whose code was texted to its phone, and log in.

    Raises the same `Problem` for a wrong, old or used code, for an unknown sign-up, and if an account has got the
    e-mail address or the phone meanwhile. If the answer is lost, the account is there: its owner logs in.
    """
    await services.sign_in_rate_limits.count("login", caller.address, f"sign-up {body.sign_up_id}")
    sign_up = await services.records.sign_ups.tried(body.sign_up_id)
    if sign_up is None or not is_sign_up_code(services, sign_up, body.code):
        raise invalid_field("/code", WRONG_CODE, "wrong_code")
    account = _account(services, sign_up, phone_verified=True)
    taken = await _added(services, account)
    await services.records.sign_ups.remove(sign_up.id)
    if taken:
        raise invalid_field("/code", WRONG_CODE, "wrong_code")
    return account, await start_log_in(services, account, caller)


def _account(services: Services, sign_up: PendingSignUp, *, phone_verified: bool) -> Account:
    return Account(
        id=new_id(),
        role="patient",
        name=sign_up.name,
        email=sign_up.email,
        phone=sign_up.phone,
        password_hash=sign_up.password_hash,
        phone_verified=phone_verified,
        created_at=services.clock(),
    )


async def _added(services: Services, account: Account) -> Unique | None:
    """Store the account. Returns what another account has already; then it is not stored."""
    taken = await services.records.users.add([account])
    if taken is None:
        services.directory.put(person_of(account))
        services.access_log.note("signed_up", Doer(account.id, Role.PATIENT), people=(account.id,))
    return taken


async def _text_somebody(services: Services, sign_up: PendingSignUp) -> None:
    """Text the code, or tell the phone of an account that somebody signs up with its address or number."""
    of_phone = await services.records.users.by_phone(sign_up.phone)
    of_email = await services.records.users.by_email(sign_up.email)
    if of_phone is None and of_email is None:
        await text_sign_up_code(services, sign_up)
    elif of_phone is not None:
        await _tell(services, of_phone, "account_exists")
    elif of_email is not None and of_email.phone_verified:
        await _tell(services, of_email, "email_of_account")


async def _tell(services: Services, account: Account, news: AccountNews) -> None:
    if await services.sign_in_rate_limits.may_tell(account.id):
        await tell(services, account, news)
