"""Two api processes share tokens, keys and sessions."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import socketio
from pydantic import SecretStr

from tests.stack import Stack, until

PASSWORD = "Correct-horse-7"
OLD, NEW = "the-old-key-of-32-bytes-or-more-0123456789", "the-new-key-of-32-bytes-or-more-9876543210"
HERE, THERE = 0, 1


class TwoApis:
    """The stack, and a client of both api processes."""

    def __init__(self, stack: Stack, http: aiohttp.ClientSession) -> None:
        self.stack = stack
        self._http = http

    async def post(self, number: int, path: str, **body: str) -> tuple[int, Any, Any]:
        """Return the status, the body and the headers."""
        async with self._http.post(f"{self.stack.base_url(number)}/api/v1/auth/{path}", json=body) as answer:
            return answer.status, await answer.json(), answer.headers

    async def sign_up(self, number: int, name: str, phone: str) -> Any:
        body = {"name": name, "email": f"{name}@clinic.test", "phone": phone, "password": PASSWORD}
        status, signed_in, _ = await self.post(number, "patient/signup", **body)
        assert status == 201, signed_in
        return signed_in

    async def status(self, number: int, access_token: str) -> int:
        headers = {"Authorization": f"Bearer {access_token}"}
        async with self._http.get(f"{self.stack.base_url(number)}/api/v1/users/me", headers=headers) as answer:
            return answer.status


@pytest.fixture(scope="module")
async def apis(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TwoApis]:
    """The second api process signs with the new key and accepts the old one. The first has only the old one."""
    async with Stack(tmp_path_factory.mktemp("two"), jwt_secret_key=SecretStr(OLD), logins_per_minute=3) as stack:
        await stack.start(agents=0, apis=1)
        await stack.add_api(environment={"JWT_SECRET_KEY": NEW, "JWT_RETIRED_SECRET_KEYS": json.dumps([OLD])})
        async with aiohttp.ClientSession() as http:
            yield TwoApis(stack, http)


async def test_a_reused_refresh_token_ends_the_session_and_its_sockets_at_both_processes(apis: TwoApis) -> None:
    first = await apis.sign_up(HERE, "theo", "+12025550131")
    status, second, _ = await apis.post(THERE, "refresh", refreshToken=first["refreshToken"])
    assert status == 200
    status, third, _ = await apis.post(HERE, "refresh", refreshToken=second["refreshToken"])
    assert status == 200
    async with connected(apis.stack.base_url(THERE), third["accessToken"]) as (socket, told):
        # The thief comes with a token that was rotated at the other process.
        status, refused, _ = await apis.post(THERE, "refresh", refreshToken=second["refreshToken"])
        assert (status, refused["code"]) == (401, "invalid_token")
        for number in (HERE, THERE):
            await gone(apis, number, first["accessToken"])
        await gone(apis, HERE, third["accessToken"])
        await until(lambda: not socket.connected, "the socket is closed", within=2.0)
        assert [reason["code"] for reason in told] == ["session_ended"]
    status, _, _ = await apis.post(HERE, "refresh", refreshToken=third["refreshToken"])
    assert status == 401


async def test_tokens_of_the_old_key_are_valid_at_a_process_with_a_new_key(apis: TwoApis) -> None:
    old = await apis.sign_up(HERE, "kurt", "+12025550132")
    assert await apis.status(THERE, old["accessToken"]) == 200
    status, new, _ = await apis.post(THERE, "refresh", refreshToken=old["refreshToken"])
    assert status == 200
    assert await apis.status(THERE, new["accessToken"]) == 200
    assert await apis.status(HERE, new["accessToken"]) == 401  # until it is told of the new key, as .env.example says
    status, back, _ = await apis.post(HERE, "refresh", refreshToken=new["refreshToken"])
    assert status == 200
    assert await apis.status(THERE, back["accessToken"]) == 200


async def test_log_ins_are_counted_across_processes_and_the_answer_does_not_tell_which_accounts_exist(
    apis: TwoApis,
) -> None:
    await apis.sign_up(HERE, "lena", "+12025550133")
    for email in ("lena@clinic.test", "nobody@clinic.test"):
        answers = [
            await apis.post(number, "patient/login", email=email, password="wrong")
            for number in (HERE, THERE, HERE, THERE)
        ]
        assert [(status, body["code"]) for status, body, _ in answers] == [
            *[(401, "invalid_credentials")] * 3,
            (429, "too_many_requests"),
        ]
        assert int(answers[-1][2]["Retry-After"]) > 0
        assert len({body["detail"] for _, body, _ in answers[:3]}) == 1


async def gone(apis: TwoApis, number: int, access_token: str) -> None:
    """Wait until the token is refused, at most a second."""
    async with asyncio.timeout(1.0):
        while await apis.status(number, access_token) != 401:  # noqa: ASYNC110 -- another process has no event
            await asyncio.sleep(0.02)


@asynccontextmanager
async def connected(url: str, token: str) -> AsyncIterator[tuple[socketio.AsyncClient, list[Any]]]:
    """Yield a connected client and the session-ended events that it receives."""
    told: list[Any] = []
    client = socketio.AsyncClient(reconnection=False)
    client.on("closing", told.append)
    await client.connect(url, transports=["websocket"], auth={"token": token}, wait_timeout=10)
    try:
        yield client, told
    finally:
        await client.disconnect()
