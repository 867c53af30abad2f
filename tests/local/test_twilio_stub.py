"""The Twilio stub as a process. The tests use Twilio's own SDK, as the hub does."""

import asyncio
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from twilio.request_validator import RequestValidator

from agents.texts.delivery_polling import REPORT_TIMEOUT, DeliveryPolling
from hub.clock import Timekeeper, system_clock
from hub.ops.local.ports import free_port
from hub.ops.local.process import Process
from hub.ops.local.twilio_stub import program
from hub.ops.local.twilio_stub.carrier import Carrier, SendRequest, opt_out_keyword
from hub.ops.local.twilio_stub.error_responses import ErrorResponse
from hub.ops.local.twilio_stub.faults import Fault, Faults
from hub.ops.local.twilio_stub.message import Message
from hub.records.memory import MemoryRecords
from hub.settings import Settings
from hub.texting.callback_urls import STATUS, WEBHOOK, status_callback
from hub.texting.outcomes import Outcome, SendResult
from hub.texting.reports import Report
from hub.texting.text import StatusUpdate, Text, TextStatus
from hub.texting.twilio import Twilio
from tests.phones import Phones
from tests.stack import until

PHONE, OTHER = "+12025550123", "+12025550124"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class Hub:
    """Receives the stub's webhooks: keeps every form with a valid signature, and answers with `twiml`."""

    def __init__(self) -> None:
        self.twiml = "<Response/>"
        self.callbacks: list[dict[str, str]] = []
        self.inbound: list[dict[str, str]] = []
        self.token = ""
        self.server = TestServer(self._application())

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    def statuses(self, sid: str) -> list[str]:
        return [each["MessageStatus"] for each in self.callbacks if each["MessageSid"] == sid]

    def _application(self) -> web.Application:
        app = web.Application()
        app.router.add_post(STATUS, self._status)
        app.router.add_post(WEBHOOK, self._webhook)
        return app

    async def _status(self, request: web.Request) -> web.Response:
        self.callbacks.append({**await self._signed(request), "text": request.query["text"]})
        return web.Response(status=204)

    async def _webhook(self, request: web.Request) -> web.Response:
        self.inbound.append(await self._signed(request))
        return web.Response(text=self.twiml, content_type="text/xml")

    async def _signed(self, request: web.Request) -> dict[str, str]:
        form = await request.post()
        signature = request.headers["X-Twilio-Signature"]
        assert RequestValidator(self.token).validate(self.url + request.raw_path, form, signature)
        return {name: str(value) for name, value in form.items()}


class World:
    """The stub, a hub that receives its webhooks, and the client through which the hub sends texts."""

    def __init__(self, settings: Settings, process: Process, hub: Hub, phones: Phones, twilio: Twilio) -> None:
        assert settings.twilio_from_patient
        self.settings = settings
        self.process = process
        self.hub = hub
        self.phones = phones
        self.twilio = twilio
        self.line = settings.twilio_from_patient

    async def send(self, to: str, body: str = "Hello", text: str = "text-1") -> Outcome:
        callback = status_callback(self.hub.url, text)
        return await self.twilio.send(to, body, self.line, callback, valid_for=3600)

    async def until_reported(self, sid: str | None, *statuses: str) -> None:
        assert sid
        await until(lambda: self.hub.statuses(sid) == list(statuses), f"{statuses} came for {sid}")

    async def until_idle(self) -> None:
        async with asyncio.timeout(10):
            while (await self.phones.state())["underWay"]:  # noqa: ASYNC110  # no Event: it is another process
                await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    hub = Hub()
    await hub.server.start_server()
    port = free_port()
    account = program.account(port)
    settings = Settings.model_construct(None, public_url=hub.url).model_copy(update=account)
    settings = Settings.model_validate(settings.model_dump())
    assert settings.twilio_account_sid
    assert settings.twilio_auth_token
    hub.token = settings.twilio_auth_token.get_secret_value()
    process = Process(program.twilio_stub(settings, port), tmp_path_factory.mktemp("phones"))
    await process.start_and_wait()
    twilio = Twilio(settings.twilio_account_sid, hub.token, settings.twilio_base_url)
    async with Phones(port) as phones:
        yield World(settings, process, hub, phones, twilio)
    await twilio.close()
    process.signal(signal.SIGTERM)
    await asyncio.wait_for(process.died(), 5)
    assert process.how_it_died() == "exited with code 0", process.written()
    assert '"level":"error"' not in process.written()
    await hub.server.close()


@pytest.fixture
async def world(running: World) -> World:
    await running.phones.no_more_faults()
    await running.until_idle()
    running.hub.callbacks.clear()
    running.hub.inbound.clear()
    running.hub.twiml = "<Response/>"
    return running


async def test_a_text_arrives_and_each_step_is_reported_to_the_hub(world: World) -> None:
    before = (await world.phones.sent())[-1:]
    outcome = await world.send(PHONE, "See you at 9 & bring Ünal", text="text-7")
    assert outcome.result is SendResult.SENT
    await world.until_reported(outcome.sid, "sent", "delivered")
    assert {each["text"] for each in world.hub.callbacks} == {"text-7"}
    (arrived,) = await world.phones.sent(after=before[0].number if before else 0)
    assert (arrived.sid, arrived.to, arrived.sender) == (outcome.sid, PHONE, world.line)
    assert (arrived.body, arrived.text_id, arrived.status) == ("See you at 9 & bring Ünal", "text-7", "delivered")


@pytest.mark.parametrize(
    ("to", "fate", "code"),
    [
        ("+15005550001", SendResult.PERMANENT, 21211),
        ("+15005550002", SendResult.PERMANENT, 21612),
        ("+15005550003", SendResult.PERMANENT, 21408),
        ("+15005550004", SendResult.OPTED_OUT, 21610),
        ("+15005550009", SendResult.PERMANENT, 21614),
        ("12025550123", SendResult.PERMANENT, 21211),
    ],
)
async def test_the_numbers_of_twilios_tests_are_refused_as_there(
    world: World, to: str, fate: SendResult, code: int
) -> None:
    outcome = await world.send(to)
    assert (outcome.result, outcome.code) == (fate, code)


@pytest.mark.parametrize(
    ("sender", "fate", "code"),
    [
        ("+15005550001", SendResult.HALT, 21212),
        ("+15005550007", SendResult.HALT, 21606),
        ("+15005550008", SendResult.LATER, 21611),
        ("+12025550199", SendResult.HALT, 21606),
    ],
)
async def test_a_sender_that_is_not_ours_is_refused(world: World, sender: str, fate: SendResult, code: int) -> None:
    outcome = await world.twilio.send(PHONE, "Hello", sender, status_callback(world.hub.url, "text-1"), 60)
    assert (outcome.result, outcome.code) == (fate, code)


async def test_wrong_credentials_are_rejected(world: World) -> None:
    stranger = Twilio(world.settings.twilio_account_sid or "", "guessed", world.settings.twilio_base_url)
    outcome = await stranger.send(PHONE, "Hello", world.line, "http://hub.example/", 60)
    await stranger.close()
    assert (outcome.result, outcome.cause) == (SendResult.HALT, "HTTP 401")


async def test_what_was_accepted_is_listed_by_number_page_after_page(world: World) -> None:
    phone = "+12025550177"
    since = datetime.now(UTC)  # noqa: TID251  # the stub uses the machine's clock here
    sids = [(await world.send(phone, f"Text {number}")).sid for number in range(3)]
    assert await world.twilio.find(phone, "Text 1", world.line, since) == [sids[1]]
    assert await world.twilio.find(phone, "Text 1", world.line, since + timedelta(hours=1)) == []
    async with aiohttp.ClientSession(headers=_login(world.settings)) as client:
        path = f"/2010-04-01/Accounts/{world.settings.twilio_account_sid}/Messages.json?To=%2B12025550177&PageSize=2"
        pages = []
        while path:
            async with client.get(world.settings.twilio_base_url + path) as answer:
                page = await answer.json()
            pages.append([each["sid"] for each in page["messages"]])
            path = page["next_page_uri"]
    assert pages == [[sids[2], sids[1]], [sids[0]]]


@pytest.mark.parametrize(
    ("kind", "fate", "accepted"),
    [
        ("too_many_requests", SendResult.LATER, 0),
        ("server_error", SendResult.UNKNOWN, 0),
        ("dropped", SendResult.UNKNOWN, 1),
        ("server_error_but_accepted", SendResult.UNKNOWN, 1),
    ],
)
async def test_a_fault_happens_as_often_as_asked_and_accepts_what_it_says(
    world: World, kind: str, fate: SendResult, accepted: int
) -> None:
    before = (await world.phones.sent())[-1].number
    await world.phones.fault(kind, count=2)
    fates = [(await world.send(OTHER)).result for _ in range(3)]
    assert fates == [fate, fate, SendResult.SENT]
    assert len(await world.phones.sent(after=before)) == 2 * accepted + 1
    assert (await world.phones.state())["faults"] == []


async def test_a_fault_may_be_for_one_phone_only(world: World) -> None:
    await world.phones.fault("too_many_requests", to=OTHER)
    assert (await world.send(PHONE)).result is SendResult.SENT
    assert (await world.send(OTHER)).result is SendResult.LATER


async def test_a_time_out_accepts_nothing(world: World) -> None:
    before = (await world.phones.sent())[-1].number
    await world.phones.fault("time_out")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(world.send(PHONE), 0.5)
    assert await world.phones.sent(after=before) == []


async def test_a_closed_listener_refuses_connections_and_opens_again(world: World) -> None:
    await world.phones.close_for(0.5)
    outcome = await world.send(PHONE)
    assert (outcome.result, outcome.cause) == (SendResult.LATER, "ClientConnectorError")
    async with asyncio.timeout(10):
        while (await world.send(PHONE)).result is SendResult.LATER:  # noqa: ASYNC110  # no Event: it is another process
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("kind", "reported", "status"),
    [
        ("callbacks_twice", ["sent", "sent", "delivered", "delivered"], "delivered"),
        ("callbacks_reversed", ["delivered", "sent"], "delivered"),
        ("callbacks_withheld", [], "delivered"),
        ("undelivered", ["sent", "undelivered"], "undelivered"),
    ],
)
async def test_a_callback_fault_changes_the_callbacks(
    world: World, kind: str, reported: list[str], status: str
) -> None:
    await world.phones.fault(kind)
    outcome = await world.send(PHONE)
    assert outcome.sid
    await world.until_idle()
    assert world.hub.statuses(outcome.sid) == reported
    assert (await world.phones.sent())[-1].status == status
    if kind == "undelivered":
        assert world.hub.callbacks[-1]["ErrorCode"] == "30003"


@pytest.mark.parametrize("fate", ["delivered", "opted out since"])
async def test_the_fate_of_texts_whose_callbacks_were_lost_is_polled_a_day_later(world: World, fate: str) -> None:
    records, clock = MemoryRecords(), Timekeeper(base=system_clock(), shows=NOW, rate=1.0)
    polling = DeliveryPolling(records, clock, world.twilio, per_second=100.0)
    await world.phones.fault("callbacks_withheld", count=3)
    texts = [await _sent(world, records, number, left=clock() - REPORT_TIMEOUT) for number in range(3)]
    await world.until_idle()
    assert [world.hub.statuses(text.sid or "") for text in texts] == [[]] * 3
    if fate != "delivered":
        await records.texts.settle(texts[0].id, StatusUpdate(TextStatus.OPTED_OUT, error_code=21610), clock())
    forgotten = await _sent(world, records, 3, left=clock() - REPORT_TIMEOUT, sid="SM" + "0" * 32)

    while await polling.poll():
        pass

    found = [await records.texts.by_id(text.id) for text in (*texts, forgotten)]
    first = TextStatus.DELIVERED if fate == "delivered" else TextStatus.OPTED_OUT
    assert [text and text.status for text in found] == [first, *[TextStatus.DELIVERED] * 2, TextStatus.SENT]


async def test_an_undelivered_text_is_shown_with_its_error_code(world: World) -> None:
    await world.phones.fault("undelivered", errorCode=30034)
    outcome = await world.send(PHONE)
    await world.until_idle()
    assert outcome.sid
    assert await world.twilio.fetch(outcome.sid) == Report(outcome.sid, "undelivered", 30034, PHONE, world.line)
    assert await world.twilio.fetch("SM" + "0" * 32) is None


async def _sent(world: World, records: MemoryRecords, number: int, left: datetime, sid: str | None = None) -> Text:
    """Send a text, and put it into an outbox as sent at `left`."""
    outcome = await world.send(PHONE, text=f"text-{number}")
    text = Text(
        id=f"text-{number}",
        kind="booked",
        line="patient",
        user_id="carl",
        phone=PHONE,
        appointment_id="visit",
        doctor_id="ada",
        seq=number,
        version=1,
        start=NOW,
        body="Hello",
        status=TextStatus.SENT,
        not_before=left,
        useless_after=NOW,
        created_at=left,
        updated_at=left,
        sid=sid or outcome.sid,
    )
    await records.texts.add_all([text])
    return text


async def test_a_phone_replies_and_shows_the_answer_of_the_hub(world: World) -> None:
    phone = "+12025550188"
    world.hub.twiml = "<Response><Message>Thanks &amp; see you</Message></Response>"
    told = await world.phones.answer(phone, "1", line=world.line)
    assert (told.status, told.answer) == (200, "Thanks & see you")
    (form,) = world.hub.inbound
    assert (form["From"], form["To"], form["Body"], form["MessageSid"]) == (phone, world.line, "1", told.message_sid)
    assert form["AccountSid"] == world.settings.twilio_account_sid
    assert await world.phones.conversation(phone) == [("inbound", "1"), ("outbound-reply", "Thanks & see you")]
    again = await world.phones.answer(phone, "1", line=world.line, message_sid=told.message_sid)
    assert again.message_sid == told.message_sid == world.hub.inbound[1]["MessageSid"]


async def test_a_phone_that_sends_stop_gets_no_texts_until_start(world: World) -> None:
    phone = "+12025550166"
    world.hub.twiml = "<Response><Message>Not to be shown</Message></Response>"
    await world.phones.answer(phone, " Stop ", line=world.line)
    assert [form["Body"] for form in world.hub.inbound] == [" Stop "]
    assert (await world.send(phone)).code == 21610
    assert (await world.send(PHONE)).result is SendResult.SENT
    assert "Not to be shown" not in [body for _, body in await world.phones.conversation(phone)]
    await world.phones.answer(phone, "START", line=world.line)
    assert (await world.send(phone)).result is SendResult.SENT


async def test_the_page_loads_nothing_from_other_origins(world: World) -> None:
    async with aiohttp.ClientSession(world.phones.url) as client:
        for path in ("/", "/phones.css", "/phones.js"):
            async with client.get(path) as answer:
                text = await answer.text()
                assert answer.status == 200
                assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
            assert "http://" not in text
            assert "https://" not in text
            assert " style=" not in text
            assert " onclick=" not in text


async def test_other_origins_can_neither_read_nor_post(world: World) -> None:
    async with aiohttp.ClientSession(world.phones.url) as client:
        async with client.get("/control/phones", headers={"Host": "evil.example"}) as looked:
            assert looked.status == 421
        form = {"phone": PHONE, "line": world.line, "body": "2"}
        async with client.post("/control/answers", data=form) as posted:
            assert posted.status == 415
    assert world.hub.inbound == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"phone": "tel", "line": "+15005550006", "body": "1"},
        {"phone": PHONE, "line": "+12025550199", "body": "1"},
        {"phone": PHONE, "line": "+15005550006"},
    ],
)
async def test_an_answer_that_makes_no_sense_is_refused(world: World, wrong: dict[str, str]) -> None:
    async with (
        aiohttp.ClientSession(world.phones.url) as client,
        client.post("/control/answers", json=wrong) as posted,
    ):
        assert posted.status == 422


async def test_the_page_gets_an_event_for_a_new_text(world: World) -> None:
    async with aiohttp.ClientSession(world.phones.url) as client, client.get("/control/changes") as stream:
        async with asyncio.timeout(10):
            first = await stream.content.readline()
            await stream.content.readline()
            await world.send(PHONE)
            second = await stream.content.readline()
    assert first.startswith(b"data: ")
    assert second.startswith(b"data: ")
    assert first != second


def test_an_opt_out_keyword_is_the_whole_body() -> None:
    assert [opt_out_keyword(body) for body in ("STOP", " quit\n", "Stop please", "unstop", "info", "1")] == [
        *("STOP", "STOP", None, "START", "HELP", None)
    ]


def test_the_oldest_texts_are_dropped() -> None:
    carrier = Carrier(["+15005550006"], lambda: NOW, max_texts=3)
    kept = [_accepted(carrier, to, f"{number}") for number, to in enumerate([PHONE, OTHER, OTHER, OTHER])]
    assert carrier.by_sid(kept[0].sid) is None
    assert carrier.conversation(PHONE, 10) == []
    assert [each.phone for each in carrier.phones(10)] == [OTHER]
    assert [each.body for each in carrier.conversation(OTHER, 2)] == ["2", "3"]
    assert [each.body for each in carrier.accepted_after(2, 10)] == ["2", "3"]


def test_faults_are_used_up_in_the_order_in_which_they_were_added() -> None:
    faults = Faults()
    faults.add(Fault(kind="dropped", count=1))
    faults.add(Fault(kind="callbacks_twice", count=1))
    faults.add(Fault(kind="server_error", count=1, to=OTHER))
    assert [faults.take_answer(PHONE) for _ in range(2)] == ["dropped", None]
    assert [faults.take_answer(OTHER) for _ in range(2)] == ["server_error", None]
    assert faults.take_carrier(PHONE) == ("callbacks_twice", 30003)
    assert faults.pending == ()


def test_no_stub_with_a_twilio_account_or_in_production(tmp_path: Path) -> None:
    settings = Settings.model_construct(None, data_dir=tmp_path)
    assert program.is_needed(settings)
    assert not program.is_needed(settings.model_copy(update=program.account(20_000)))
    assert not program.is_needed(settings.model_copy(update={"clinic_env": "production"}))


def _accepted(carrier: Carrier, to: str, body: str) -> Message:
    accepted = carrier.accept(SendRequest(to, carrier.lines[0], body, None, None))
    assert not isinstance(accepted, ErrorResponse)
    return accepted


def _login(settings: Settings) -> dict[str, str]:
    assert settings.twilio_account_sid
    assert settings.twilio_auth_token
    password = settings.twilio_auth_token.get_secret_value()
    return {"Authorization": aiohttp.encode_basic_auth(settings.twilio_account_sid, password)}
