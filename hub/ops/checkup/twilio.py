"""Checks whether Twilio accepts the account, and whether the sender numbers belong to it."""

from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from pydantic import SecretStr

from hub.ops.checkup.finding import Finding, Grade

_TIMEOUT = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True)
class Account:
    """The Twilio account, the sender numbers (E.164), and the base URL of Twilio's API."""

    sid: str
    token: SecretStr
    numbers: frozenset[str]
    base_url: str


async def check_twilio(account: Account) -> list[Finding]:
    """Return the findings; sends no text."""
    headers = {"Authorization": aiohttp.encode_basic_auth(account.sid, account.token.get_secret_value())}
    path = f"{account.base_url}/2010-04-01/Accounts/{account.sid}"
    try:
        async with aiohttp.ClientSession(headers=headers, timeout=_TIMEOUT) as session:
            async with session.get(f"{path}.json") as answer:
                if answer.status != HTTPStatus.OK:
                    return [_refused(answer.status)]
                status = (await answer.json())["status"]
            owned = {number for each in account.numbers if (number := await _owned(session, path, each))}
    except (aiohttp.ClientError, TimeoutError) as error:
        return [_finding("wrong", f"No answer from {account.base_url} ({type(error).__name__}): no text can be sent.")]
    return [_status(status), *_numbers(account.numbers - owned)]


async def _owned(session: aiohttp.ClientSession, path: str, number: str) -> str | None:
    """Return the number if it belongs to the account, else None."""
    async with session.get(f"{path}/IncomingPhoneNumbers.json", params={"PhoneNumber": number}) as answer:
        answer.raise_for_status()
        return number if (await answer.json())["incoming_phone_numbers"] else None


def _refused(status: int) -> Finding:
    if status == HTTPStatus.UNAUTHORIZED:
        return _finding("wrong", "Twilio rejects TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN: one of them is wrong.")
    return _finding("wrong", f"Twilio answers {status} to the request for the account: no text can be sent.")


def _status(status: str) -> Finding:
    if status == "active":
        return _finding("fine", "The account exists and is active.")
    return _finding("wrong", f"Twilio says that the account is {status}: no text can be sent.")


def _numbers(foreign: Collection[str]) -> list[Finding]:
    says = "TWILIO_FROM_PATIENT or TWILIO_FROM_DOCTOR does not belong to the account: the number that ends in"
    return [_finding("wrong", f"{says} {number[-2:]}.") for number in sorted(foreign)]


def _finding(grade: Grade, says: str) -> Finding:
    return Finding("twilio", grade, says)
