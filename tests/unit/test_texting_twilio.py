"""The Twilio client against a local server: the outcome of each answer and each fault."""

import asyncio
import logging
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import ClientTimeout, web
from aiohttp.test_utils import TestServer, unused_port

from hub.texting.outcomes import Outcome, SendResult
from hub.texting.twilio import Twilio, TwilioUnreachable

PATH = "/2010-04-01/Accounts/AC1/Messages.json"
TO, FROM, BODY = "+12025550101", "+12025550100", "Clinic Hub: a text"
CALLBACK = "https://hub.example/api/v1/twilio/status?text=t1"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Api:
    """Twilio's Messages API as far as one test needs it: keeps what it was asked, and answers as it was told to."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.posts: list[dict[str, Any]] = []
        self.logins: list[str | None] = []

    async def messages(self, request: web.Request) -> web.StreamResponse:
        self.logins.append(request.headers.get("Authorization"))
        if request.method == "POST":
            self.posts.append(dict(await request.post()))
        return await self._answer(request)


@asynccontextmanager
async def _twilio(answer: Answer) -> AsyncIterator[tuple[Twilio, _Api]]:
    api = _Api(answer)
    application = web.Application()
    application.router.add_route("*", PATH, api.messages)
    async with TestServer(application) as server:
        twilio = Twilio("AC1", "token", str(server.make_url("/")).rstrip("/"))
        yield twilio, api
        await twilio.close()


def _json(status: int, body: object) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return answer


def _refusal(status: int, code: int) -> Answer:
    return _json(status, {"code": code, "message": f"about {TO}", "status": status, "more_info": "…"})


async def _send(twilio: Twilio, valid_for: float = 7200.0) -> Outcome:
    return await twilio.send(TO, BODY, FROM, CALLBACK, valid_for)


async def test_a_text_is_posted_once_with_what_twilio_needs_to_know() -> None:
    async with _twilio(_json(201, {"sid": "SM1", "status": "queued"})) as (twilio, api):
        assert await _send(twilio) == Outcome(SendResult.SENT, sid="SM1", code=0, cause="accepted")

    assert api.posts == [
        {"To": TO, "From": FROM, "Body": BODY, "StatusCallback": CALLBACK, "ValidityPeriod": "7200"},
    ]
    assert api.logins == [f"Basic {b64encode(b'AC1:token').decode()}"]


@pytest.mark.parametrize(("valid_for", "said"), [(0.2, "1"), (59.9, "59"), (1e6, "36000")])
async def test_the_time_that_a_text_is_of_use_is_said_within_twilios_bounds(valid_for: float, said: str) -> None:
    async with _twilio(_json(201, {"sid": "SM1"})) as (twilio, api):
        await _send(twilio, valid_for)

    assert api.posts[0]["ValidityPeriod"] == said


@pytest.mark.parametrize(
    ("status", "code", "fate"),
    [
        (400, 21610, SendResult.OPTED_OUT),
        (400, 21211, SendResult.PERMANENT),
        (429, 20429, SendResult.LATER),
        (400, 21611, SendResult.LATER),
        (401, 20003, SendResult.HALT),
        (400, 21606, SendResult.HALT),
        (500, 20500, SendResult.UNKNOWN),
        (503, 0, SendResult.UNKNOWN),
    ],
)
async def test_a_refusal_is_classed_and_never_posted_again_unasked(status: int, code: int, fate: SendResult) -> None:
    async with _twilio(_refusal(status, code)) as (twilio, api):
        outcome = await _send(twilio)

    assert outcome == Outcome(fate, sid=None, code=code, cause=f"HTTP {status}")
    assert len(api.posts) == 1


async def test_a_refusal_without_twilios_own_words_is_classed_by_its_status() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=429, text="slow down")

    async with _twilio(answer) as (twilio, _):
        assert await _send(twilio) == Outcome(SendResult.LATER, sid=None, code=0, cause="HTTP 429")


async def test_a_problem_of_twilios_newer_kind_is_classed_too() -> None:
    problem = {"type": "https://twilio.example/21610", "title": "stopped", "status": 400, "code": 21610}
    async with _twilio(_json(400, problem)) as (twilio, _):
        assert (await _send(twilio)).result is SendResult.OPTED_OUT


async def test_an_answer_that_is_cut_off_after_twilio_took_the_text_leaves_its_fate_unknown() -> None:
    async def drop(request: web.Request) -> web.StreamResponse:
        assert request.transport
        request.transport.close()
        return web.Response()

    async with _twilio(drop) as (twilio, api):
        assert await _send(twilio) == Outcome(SendResult.UNKNOWN, sid=None, code=0, cause="ServerDisconnectedError")

    assert len(api.posts) == 1


@pytest.mark.parametrize("body", ['{"sid": "SM', "", '{"status": "queued"}'])
async def test_a_broken_answer_leaves_the_fate_unknown(body: str) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=201, text=body, content_type="application/json")

    async with _twilio(answer) as (twilio, _):
        assert (await _send(twilio)).result is SendResult.UNKNOWN


async def test_an_answer_that_never_comes_leaves_the_fate_unknown() -> None:
    over = asyncio.Event()

    async def wait(_: web.Request) -> web.StreamResponse:
        await over.wait()
        return web.Response()

    async with _twilio(wait) as (twilio, api):
        twilio._session._timeout = ClientTimeout(total=0.2, sock_connect=0.1)
        assert await _send(twilio) == Outcome(SendResult.UNKNOWN, sid=None, code=0, cause="TimeoutError")
        over.set()

    assert len(api.posts) == 1


async def test_where_nobody_listens_nothing_was_sent() -> None:
    twilio = Twilio("AC1", "token", f"http://127.0.0.1:{unused_port()}")

    assert await _send(twilio) == Outcome(SendResult.LATER, sid=None, code=0, cause="ClientConnectorError")

    with pytest.raises(TwilioUnreachable, match="ClientConnectorError"):
        await twilio.find(TO, BODY, FROM, NOW)
    await twilio.close()


def _listed(sid: str, **more: object) -> dict[str, object]:
    created = format_datetime(NOW)
    return {"sid": sid, "to": TO, "from": FROM, "body": BODY, "status": "sent", "direction": "outbound-api",
            "date_created": created, "date_sent": None} | more  # fmt: skip


def _list(*messages: dict[str, object]) -> Answer:
    page = {"messages": list(messages), "next_page_uri": None, "page": 0, "page_size": 50, "uri": PATH}

    async def answer(request: web.Request) -> web.StreamResponse:
        assert (request.query["To"], request.query["From"]) == (TO, FROM)
        return web.json_response(page)

    return answer


async def test_a_text_that_twilio_took_without_answering_is_found_in_its_list() -> None:
    minute = timedelta(minutes=1)
    messages = [
        _listed("SMrefused", status="failed"),
        _listed("SMother", body="another text"),
        _listed("SMold", date_created=format_datetime(NOW - minute)),
        _listed("SMin", direction="inbound"),
        _listed("SMtrial", body=f"Sent from your Twilio trial account - {BODY}", status="queued"),
        _listed("SMsame"),
    ]
    async with _twilio(_list(*messages)) as (twilio, _):
        assert await twilio.find(TO, BODY, FROM, NOW + timedelta(seconds=2)) == ["SMtrial", "SMsame"]


async def test_a_list_that_cannot_be_had_is_not_taken_for_an_empty_one() -> None:
    async with _twilio(_refusal(500, 20500)) as (twilio, _):
        with pytest.raises(TwilioUnreachable) as told:
            await twilio.find(TO, BODY, FROM, NOW)

    assert str(told.value) == "TwilioException"


async def test_nothing_private_is_logged_or_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with _twilio(_refusal(400, 21211)) as (twilio, _):
        outcome = await _send(twilio)
        with pytest.raises(TwilioUnreachable) as told:
            await twilio.find(TO, BODY, FROM, NOW)

    # aiohttp's own access log is the server's here, not ours.
    ours = [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]
    for text in (repr(outcome), str(told.value), *ours):
        assert TO.lstrip("+") not in text
        assert "token" not in text


async def test_the_environment_does_not_move_where_texts_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    async with _twilio(_json(201, {"sid": "SM1"})) as (twilio, _):
        assert (await _send(twilio)).result is SendResult.SENT
