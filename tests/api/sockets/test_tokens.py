"""The token of a connected client: its expiry is announced, it can be renewed, and at expiry the client is closed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from socketio.exceptions import ConnectionError as NotConnected

from hub.accounts.tokens import AccessTokens
from hub.scheduling.values import Role, rfc3339
from tests.api.rest_clinic import opening
from tests.api.sockets.clinic import LIMITS, Person, SocketClinic, open_sockets
from tests.api.sockets.raw import until

LIFE = timedelta(minutes=15)


@pytest.fixture
async def clinic() -> AsyncIterator[SocketClinic]:
    async with open_sockets(replace(LIMITS, token_check_every=0.01)) as clinic:
        yield clinic


async def tokens_checked(clinic: SocketClinic) -> None:
    """Return when the tokens have been checked since now."""
    checks = 0
    clock = clinic.gateway._tokens._clock

    def counted() -> object:
        nonlocal checks
        checks += 1
        return clock()

    clinic.gateway._tokens._clock = counted  # type: ignore[assignment]
    await until(lambda: checks > 1)
    clinic.gateway._tokens._clock = clock


async def test_a_client_is_warned_once_a_minute_before_its_token_expires(clinic: SocketClinic) -> None:
    ends = clinic.clock.now + LIFE
    carl = await clinic.person("carl")
    clinic.clock.forward(LIFE - timedelta(seconds=61))
    await tokens_checked(clinic)
    await carl.settled()
    assert carl.events == []
    clinic.clock.forward(timedelta(seconds=1))
    await tokens_checked(clinic)
    await tokens_checked(clinic)
    await carl.settled()
    assert carl.events == [("token_expiring", {"expiresAt": rfc3339(ends)})]


async def test_a_short_lived_token_is_announced_at_the_last_third_of_its_life(clinic: SocketClinic) -> None:
    secret = clinic.rest.services.settings.jwt_secret_key.get_secret_value()
    short = AccessTokens(secret, timedelta(seconds=30), clinic.clock)
    carl = await clinic.person_with({"token": short.issue(clinic.id("carl"), Role.PATIENT, "s")})
    clinic.clock.forward(timedelta(seconds=19))
    await tokens_checked(clinic)
    await carl.settled()
    assert carl.events == []
    clinic.clock.forward(timedelta(seconds=1))
    await until(lambda: carl.of("token_expiring"))


async def test_when_its_token_expires_the_client_is_disconnected_with_a_reason(clinic: SocketClinic) -> None:
    carl, ada = await clinic.person("carl"), await clinic.person("ada")
    clinic.clock.forward(LIFE)
    await until(lambda: not carl.sio.connected)
    await until(lambda: not ada.sio.connected)
    detail = "The access token has expired; connect with a new one."
    assert carl.of("closing") == [{"code": "token_expired", "detail": detail}]
    await until(lambda: not clinic.gateway.sessions)
    assert clinic.followed() == {}
    await until(lambda: not clinic.gateway.server.sio.eio.sockets)


async def test_a_client_that_renews_its_token_stays_and_is_warned_of_the_new_expiry(clinic: SocketClinic) -> None:
    carl = await clinic.person("carl")
    clinic.clock.forward(LIFE - timedelta(seconds=30))
    await until(lambda: carl.of("token_expiring"))
    ends = rfc3339(clinic.clock.now + LIFE)
    answer = await carl.ask("authenticate", {"token": clinic.rest.token("carl")})
    assert answer == {"ok": True, "expiresAt": ends}
    clinic.clock.forward(LIFE - timedelta(seconds=60))
    await until(lambda: len(carl.of("token_expiring")) == 2)
    assert carl.of("token_expiring")[1] == {"expiresAt": ends}
    assert (await carl.ask("book", {"doctorId": clinic.id("ada"), "start": rfc3339(opening(1))}))["ok"]


async def test_an_invalid_or_foreign_token_changes_nothing(clinic: SocketClinic) -> None:
    carl = await clinic.person("carl")
    issue = clinic.rest.services.tokens.issue
    old = clinic.rest.token("carl")
    refusals = [
        ("invalid_token", "x"),
        ("forbidden", clinic.rest.token("dora")),
        ("forbidden", issue(clinic.id("carl"), Role.DOCTOR, "s")),
    ]
    for code, token in refusals:
        assert await carl.refused("authenticate", {"token": token}) == code
    clinic.clock.forward(LIFE - timedelta(seconds=1))
    assert await carl.refused("authenticate", {"token": old + "x"}) == "invalid_token"
    clinic.clock.forward(timedelta(seconds=1))
    await until(lambda: not carl.sio.connected)
    person = Person()
    clinic.clock.forward(timedelta(seconds=10))
    with pytest.raises(NotConnected):
        await person.sio.connect(clinic.address, transports=["websocket"], auth={"token": old})
    await until(lambda: person.refusal)
    assert person.refusal["data"]["code"] == "token_expired"


async def test_an_error_in_the_background_work_ends_the_gateway(
    clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies() -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(clinic.gateway._tokens, "run", dies)
    with pytest.raises(ExceptionGroup):
        await asyncio.wait_for(clinic.gateway.run(), 5)
