"""A log-in that has ended: its tokens open nothing in any process, and its sockets are closed with a reason."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from socketio.exceptions import ConnectionError as NotConnected

from api.http import revocations as module
from api.http.revocations import Revocations
from hub.bus.messages import SessionEnded
from tests.api.rest_clinic import PASSWORD, Announced, RestClinic
from tests.api.sockets.clinic import LIMITS, Person, SocketClinic, open_sockets
from tests.api.sockets.raw import until

LIFE = timedelta(minutes=15)


@pytest.fixture
async def clinic() -> AsyncIterator[SocketClinic]:
    async with open_sockets(replace(LIMITS, token_check_every=0.01)) as clinic:
        yield clinic


async def logged_in(clinic: RestClinic, name: str = "carl") -> tuple[str, str]:
    """Log in and return both tokens."""
    body = {"email": f"{name}@clinic.test", "password": PASSWORD}
    answer = await clinic.ask("POST", "/api/v1/auth/patient/login", json=body)
    return answer.body["accessToken"], answer.body["refreshToken"]


async def log_out(clinic: RestClinic, token: str) -> None:
    assert (await clinic.ask("POST", "/api/v1/auth/logout", token=token)).status == 204


async def refused(clinic: SocketClinic, token: str) -> str:
    person = Person()
    with pytest.raises(NotConnected):
        await person.sio.connect(clinic.address, transports=["websocket"], auth={"token": token})
    await until(lambda: person.refusal)
    return str(person.refusal["data"]["code"])


async def test_log_out_revokes_the_access_token_and_closes_the_sockets(
    clinic: SocketClinic,
) -> None:
    token, _ = await logged_in(clinic.rest)
    elsewhere, _ = await logged_in(clinic.rest)
    carl, at_home = await clinic.person_with({"token": token}), await clinic.person_with({"token": elsewhere})

    await log_out(clinic.rest, token)

    answer = await clinic.rest.ask("GET", "/api/v1/users/me", token=token)
    assert (answer.status, answer.code) == (401, "invalid_token")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    await until(lambda: not carl.sio.connected)
    assert [said["code"] for said in carl.of("closing")] == ["session_ended"]
    assert await refused(clinic, token) == "invalid_token"
    assert (await clinic.rest.ask("GET", "/api/v1/users/me", token=elsewhere)).status == 200
    assert (await at_home.ask("sync"))["ok"]
    assert await at_home.refused("authenticate", {"token": token}) == "invalid_token"


async def test_a_refresh_token_that_is_used_twice_closes_the_sockets_of_its_log_in(clinic: SocketClinic) -> None:
    token, refresh = await logged_in(clinic.rest)
    carl = await clinic.person_with({"token": token})
    renewed = await clinic.rest.ask("POST", "/api/v1/auth/refresh", json={"refreshToken": refresh})
    assert (await carl.ask("authenticate", {"token": renewed.body["accessToken"]}))["ok"]

    await clinic.rest.ask("POST", "/api/v1/auth/refresh", json={"refreshToken": refresh})

    await until(lambda: not carl.sio.connected)
    assert [said["code"] for said in carl.of("closing")] == ["session_ended"]
    for each in (token, renewed.body["accessToken"]):
        assert (await clinic.rest.ask("GET", "/api/v1/users/me", token=each)).code == "invalid_token"


async def test_a_command_after_the_end_of_its_log_in_is_refused_before_the_disconnect(
    clinic: SocketClinic,
) -> None:
    async with open_sockets(replace(LIMITS, token_check_every=3600)) as slow:
        carl = await slow.person("carl")
        slow.rest.services.revocations.receive(SessionEnded(session_id="session-of-carl", at=slow.clock.now))
        assert await carl.refused("sync", {}) == "invalid_token"
    assert clinic.address != slow.address


async def test_a_log_out_is_announced_to_the_other_processes(clinic: SocketClinic) -> None:
    token, _ = await logged_in(clinic.rest)
    announced = clinic.rest.services.revocations._announcer
    assert isinstance(announced, Announced)
    await log_out(clinic.rest, token)
    session_id = clinic.rest.services.tokens.verify(token).session_id
    assert announced.ended == [SessionEnded(session_id=session_id, at=clinic.clock.now)]


async def test_a_process_finds_an_unannounced_log_out_in_the_record_and_counts_it(clinic: SocketClinic) -> None:
    before, token = (await logged_in(clinic.rest))[0], (await logged_in(clinic.rest))[0]
    await log_out(clinic.rest, before)
    other = another_process(clinic)
    late = module.LATE._value.get()
    await other.compare()
    assert other.ended(session_of(clinic, before))
    assert module.LATE._value.get() == late  # at the start there is nothing one could have been told

    await log_out(clinic.rest, token)
    assert not other.ended(session_of(clinic, token))
    await other.compare()
    assert other.ended(session_of(clinic, token))
    assert module.LATE._value.get() == late + 1


async def test_an_ended_log_in_is_dropped_when_its_tokens_have_expired(clinic: SocketClinic) -> None:
    token, _ = await logged_in(clinic.rest)
    session = session_of(clinic, token)
    await log_out(clinic.rest, token)
    here = clinic.rest.services.revocations
    clinic.clock.forward(LIFE)
    await here.compare()
    assert here.ended(session)
    clinic.clock.forward(timedelta(minutes=1, seconds=1))
    await here.compare()
    assert not here.ended(session)
    other = another_process(clinic)
    await other.compare()
    assert not other.ended(session)


def another_process(clinic: SocketClinic) -> Revocations:
    return Revocations(clinic.records.sessions, Announced(), LIFE, clinic.clock, compare_every=2.0)


def session_of(clinic: SocketClinic, token: str) -> str:
    return clinic.rest.services.tokens.verify(token).session_id
