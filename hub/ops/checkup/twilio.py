"""A look at Twilio: whether it knows the account, and whether the numbers that texts come from are its own."""

from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from pydantic import SecretStr

from hub.ops.checkup.finding import Finding, Grade

_WITHIN = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True)
class Account:
    """Who we are at Twilio, from which numbers (E.164) texts are to come, and where Twilio is (https://…)."""

    sid: str
    token: SecretStr
    numbers: frozenset[str]
    base_url: str


async def check_twilio(account: Account) -> list[Finding]:
    """Return what there is to say; sends nothing."""
    known_by = {"Authorization": aiohttp.encode_basic_auth(account.sid, account.token.get_secret_value())}
    path = f"{account.base_url}/2010-04-01/Accounts/{account.sid}"
    try:
        async with aiohttp.ClientSession(headers=known_by, timeout=_WITHIN) as session:
            async with session.get(f"{path}.json") as answer:
                if answer.status != HTTPStatus.OK:
                    return [_refused(answer.status)]
                status = (await answer.json())["status"]
            owned = {number for each in account.numbers if (number := await _owned(session, path, each))}
    except (aiohttp.ClientError, TimeoutError) as error:
        return [_finding("wrong", f"No answer from {account.base_url} ({type(error).__name__}): no text can leave.")]
    return [_status(status), *_numbers(account.numbers - owned)]


async def _owned(session: aiohttp.ClientSession, path: str, number: str) -> str | None:
    """Return the number if it is the account's own."""
    async with session.get(f"{path}/IncomingPhoneNumbers.json", params={"PhoneNumber": number}) as answer:
        answer.raise_for_status()
        return number if (await answer.json())["incoming_phone_numbers"] else None


def _refused(status: int) -> Finding:
    if status == HTTPStatus.UNAUTHORIZED:
        return _finding(
            "wrong", "Twilio does not take TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN: one of them is wrong."
        )
    return _finding("wrong", f"Twilio answers {status} when asked for the account: no text can leave.")


def _status(status: str) -> Finding:
    if status == "active":
        return _finding("fine", "Twilio knows the account, and it is active.")
    return _finding("wrong", f"Twilio says that the account is {status}: no text can leave.")


def _numbers(foreign: Collection[str]) -> list[Finding]:
    says = "TWILIO_FROM_PATIENT or TWILIO_FROM_DOCTOR is no number of the account: the one that ends in"
    return [_finding("wrong", f"{says} {number[-2:]}.") for number in sorted(foreign)]


def _finding(grade: Grade, says: str) -> Finding:
    return Finding("twilio", grade, says)
