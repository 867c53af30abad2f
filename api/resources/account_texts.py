"""Texts about accounts: codes that prove a phone, and news."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest, new
from typing import Literal

from api.services import Services
from hub.accounts.account import Account, OneTimeCode
from hub.accounts.pending_sign_up import PendingSignUp
from hub.ids import new_code, new_id
from hub.texting import wording
from hub.texting.text import NO_ACCOUNT, AccountTextKind, Line, Text, TextStatus
from hub.texting.wording import Clinic, Language

CodePurpose = Literal["phone", "password"]
"""What a texted code is for: to prove the phone, or a new password."""
AccountNews = Literal["phone_changed", "email_changed", "password_reset", "account_exists", "email_of_account"]
_CODES: Mapping[CodePurpose, Callable[[Clinic, str, Language], str]] = {
    "phone": wording.phone_code,
    "password": wording.password_code,
}
_NEWS: Mapping[AccountNews, Callable[[Clinic, Language], str]] = {
    "phone_changed": wording.phone_changed,
    "email_changed": wording.email_changed,
    "password_reset": wording.password_reset,
    "account_exists": wording.account_exists,
    "email_of_account": wording.email_of_account,
}
CODE_LIFETIME = timedelta(minutes=10)
CODE_TRIES = 5
_DIGITS = 6
_NEWS_LIFETIME = timedelta(days=1)
"""News is of use for this long, should no text get through meanwhile."""


async def text_code(services: Services, account: Account, purpose: CodePurpose) -> None:
    """Text a new code to the account's phone. It replaces the one before. Raises `StoreUnavailable`."""
    if account.phone is None:
        return
    digits = new_code(_DIGITS)
    id_, until = _code_id(purpose, account.id), services.clock() + CODE_LIFETIME
    hashed = _hash(services, id_, digits)
    await services.records.codes.put(OneTimeCode(id=id_, code_hash=hashed, phone=account.phone, expires_at=until))
    body = _CODES[purpose](_clinic(services), digits, account.language)
    await _text_account(services, account, account.phone, "code", body, CODE_LIFETIME)


async def checked_code(services: Services, account: Account, purpose: CodePurpose, digits: str) -> OneTimeCode | None:
    """Return the code that was texted to the account's present phone if these are its digits, else None.

    It is used up by that. After five tries it is no good, right or wrong. Raises `StoreUnavailable`.
    """
    code = await services.records.codes.tried(_code_id(purpose, account.id))
    if code is None or code.tries > CODE_TRIES or code.expires_at <= services.clock() or code.phone != account.phone:
        return None
    if not compare_digest(code.code_hash, _hash(services, code.id, digits)):
        return None
    return code if await services.records.codes.use(code) else None


async def text_sign_up_code(services: Services, sign_up: PendingSignUp) -> None:
    """Text the code that confirms a sign-up to its phone. Raises `StoreUnavailable`."""
    digits = new_code(_DIGITS)
    await services.records.sign_ups.set_code(sign_up.id, _hash(services, _sign_up_code_id(sign_up), digits))
    body = wording.sign_up_code(_clinic(services), digits)
    await _text(services, NO_ACCOUNT, "patient", sign_up.phone, "code", body, CODE_LIFETIME)


def is_sign_up_code(services: Services, sign_up: PendingSignUp, digits: str) -> bool:
    """Return whether these are the digits that were texted for a sign-up, in time and within five tries."""
    # With a hash or without: the time must not show whether a code was texted.
    right = compare_digest(sign_up.code_hash or "", _hash(services, _sign_up_code_id(sign_up), digits))
    return right and sign_up.tries <= CODE_TRIES and sign_up.expires_at > services.clock()


async def tell(services: Services, account: Account, news: AccountNews) -> None:
    """Text to the phone of the account, as it was before a change, what has happened. Raises `StoreUnavailable`."""
    if account.phone is not None:
        body = _NEWS[news](_clinic(services), account.language)
        await _text_account(services, account, account.phone, "account_changed", body, _NEWS_LIFETIME)


async def _text_account(  # noqa: PLR0913, PLR0917  # what a text consists of
    services: Services, account: Account, phone: str, kind: AccountTextKind, body: str, lifetime: timedelta
) -> None:
    line: Line = "doctor" if account.role == "doctor" else "patient"
    await _text(services, account.id, line, phone, kind, body, lifetime)


async def _text(  # noqa: PLR0913, PLR0917  # what a text consists of
    services: Services, user_id: str, line: Line, phone: str, kind: AccountTextKind, body: str, lifetime: timedelta
) -> None:
    now = services.clock()
    text = Text(
        id=new_id(),
        kind=kind,
        line=line,
        user_id=user_id,
        phone=phone,
        appointment_id=None,
        doctor_id=None,
        seq=0,
        version=0,
        start=now + lifetime,
        body=body,
        status=TextStatus.PLANNED,
        not_before=now,
        useless_after=now + lifetime,
        created_at=now,
        updated_at=now,
    )
    await services.records.texts.add_all([text])


def _clinic(services: Services) -> Clinic:
    return Clinic(services.settings.clinic_name, services.settings.clinic_phone)


def _code_id(purpose: CodePurpose, account_id: str) -> str:
    return f"{purpose}:{account_id}"


def _sign_up_code_id(sign_up: PendingSignUp) -> str:
    return f"sign_up:{sign_up.id}"


def _hash(services: Services, code_id: str, digits: str) -> str:
    """Return the hash of a code. A stolen database does not give the code: the key is not in it."""
    key = services.settings.jwt_secret_key.get_secret_value()
    return new(key.encode(), f"code {code_id} {digits}".encode(), sha256).hexdigest()
