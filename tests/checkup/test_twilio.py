"""`check_twilio` against a server that answers as Twilio does."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from hub.ops.checkup.twilio import Account, check_twilio

SID, TOKEN, OURS, FOREIGN = "AC0123", "a-secret", "+12025550123", "+12025550199"


@pytest.fixture
async def base_url() -> AsyncIterator[str]:
    async def account(request: web.Request) -> web.Response:
        known = aiohttp.encode_basic_auth(SID, TOKEN)
        if request.headers.get("Authorization") != known:
            return web.json_response({"code": 20003}, status=401)
        return web.json_response({"status": "active"})

    async def numbers(request: web.Request) -> web.Response:
        found = [{"phone_number": OURS}] if request.query["PhoneNumber"] == OURS else []
        return web.json_response({"incoming_phone_numbers": found})

    application = web.Application()
    application.router.add_get(f"/2010-04-01/Accounts/{SID}.json", account)
    application.router.add_get(f"/2010-04-01/Accounts/{SID}/IncomingPhoneNumbers.json", numbers)
    async with TestServer(application) as server:
        yield str(server.make_url("")).rstrip("/")


async def said(url: str, token: str = TOKEN, *numbers: str) -> list[tuple[str, str]]:
    account = Account(SID, SecretStr(token), frozenset(numbers), url)
    return [(finding.grade, finding.says) for finding in await check_twilio(account)]


async def test_an_account_with_its_own_number_is_fine(base_url: str) -> None:
    assert [grade for grade, _ in await said(base_url, TOKEN, OURS)] == ["fine"]


async def test_a_foreign_number_is_reported_by_its_last_digits(base_url: str) -> None:
    (_, fine), (grade, says) = await said(base_url, TOKEN, OURS, FOREIGN)
    assert "active" in fine
    assert (grade, says[-3:]) == ("wrong", "99.")
    assert FOREIGN not in says


async def test_a_wrong_token_is_reported_and_not_shown(base_url: str) -> None:
    ((grade, says),) = await said(base_url, "hunter2", OURS)
    assert (grade, "TWILIO_AUTH_TOKEN" in says, "hunter2" in says) == ("wrong", True, False)


async def test_a_twilio_that_does_not_answer_is_reported() -> None:
    ((grade, says),) = await said("http://127.0.0.1:9", TOKEN, OURS)
    assert (grade, "no text can be sent" in says) == ("wrong", True)
