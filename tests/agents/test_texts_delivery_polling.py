"""Texts without a delivery report are polled once, a day later, at the sender's rate."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from agents.texts.delivery_polling import POLL_INTERVAL, REPORT_TIMEOUT, DeliveryPolling
from hub.texting.reports import Report
from hub.texting.text import StatusUpdate, Text, TextStatus
from tests.agents.outbox import NUMBERS, Outbox, opened
from tests.agents.virtual_time import in_virtual_time, running
from tests.agents.workers import PHONES

DAY = REPORT_TIMEOUT.total_seconds()


def said(text: Text, status: str, code: int = 0) -> Report:
    return Report(f"SM-{text.id}", status, code, phone=text.phone or "", our_number=NUMBERS[text.line])


async def sent_and_not_reported(outbox: Outbox, number: int = 1, at: int = 200) -> list[Text]:
    """Put texts into the outbox that Twilio has accepted without a report."""
    visit = await outbox.visit(at=at)
    texts = [await outbox.plan(visit) for _ in range(number)]
    for text in texts:
        await outbox.records.texts.settle(text.id, StatusUpdate(TextStatus.SENT, sid=f"SM-{text.id}"), outbox.clock())
    return texts


async def asking(outbox: Outbox) -> None:
    """Ask for ever, as the sender lets it be done: without its other work, of which there is much in two days."""
    polling = DeliveryPolling(outbox.records, outbox.clock, outbox.twilio, outbox.per_second)
    while True:
        if not await polling.poll():
            await asyncio.sleep(POLL_INTERVAL)


@in_virtual_time
async def test_who_leads_the_sending_asks_too() -> None:
    outbox = await opened()
    await sent_and_not_reported(outbox)
    await asyncio.sleep(DAY)
    sender = outbox.sender(leads=False)
    async with running(sender.run):
        await asyncio.sleep(2 * POLL_INTERVAL)
        assert outbox.twilio.fetches == []
        sender.set_leading(leading=True)
        await asyncio.sleep(1)
        assert len(outbox.twilio.fetches) == 1


@in_virtual_time
@pytest.mark.parametrize(
    ("says", "code", "becomes"),
    [
        ("delivered", 0, TextStatus.DELIVERED),
        ("undelivered", 30006, TextStatus.UNDELIVERED),
        ("failed", 21610, TextStatus.OPTED_OUT),
        ("undelivered", 30034, TextStatus.UNDELIVERED),
        ("sent", 0, TextStatus.SENT),
        ("a status of tomorrow", 0, TextStatus.SENT),
    ],
)
async def test_a_text_without_a_report_is_asked_about_once_after_a_day(
    says: str, code: int, becomes: TextStatus
) -> None:
    outbox = await opened()
    (text,) = await sent_and_not_reported(outbox)
    outbox.twilio.reports[f"SM-{text.id}"] = said(text, says, code)
    async with running(partial(asking, outbox)):
        await asyncio.sleep(DAY - POLL_INTERVAL)
        assert outbox.twilio.fetches == []
        await asyncio.sleep(3 * POLL_INTERVAL)
        stored = await outbox.now(text)
        assert (stored.status, stored.error_code) == (becomes, code or None)
        await asyncio.sleep(DAY)
    assert len(outbox.twilio.fetches) == 1
    assert await outbox.records.line_halts.latest(NUMBERS["patient"]) is None, "what was so yesterday slows nothing"
    assert await outbox.records.opt_outs.has(PHONES["carl"], NUMBERS["patient"]) is (becomes is TextStatus.OPTED_OUT)


@in_virtual_time
async def test_of_what_was_reported_and_of_what_twilio_has_forgotten_nothing_is_asked_twice() -> None:
    outbox = await opened()
    reported, forgotten = await sent_and_not_reported(outbox, 2)
    await outbox.records.texts.settle(reported.id, StatusUpdate(TextStatus.DELIVERED), outbox.clock())
    async with running(partial(asking, outbox)):
        await asyncio.sleep(DAY + 10 * POLL_INTERVAL)
    assert [sid for _, sid in outbox.twilio.fetches] == [f"SM-{forgotten.id}"]
    assert (await outbox.now(forgotten)).status is TextStatus.SENT


@in_virtual_time
async def test_many_are_asked_about_at_the_pace_of_the_line() -> None:
    outbox = await opened(per_second=2)
    texts = await sent_and_not_reported(outbox, 40)
    for text in texts:
        outbox.twilio.reports[f"SM-{text.id}"] = said(text, "delivered")
    async with running(partial(asking, outbox)):
        await asyncio.sleep(DAY + 3 * POLL_INTERVAL)
    times = [at for at, _ in outbox.twilio.fetches]
    assert len(times) == 40
    assert times[-1] - times[0] >= 19.0
    assert {(await outbox.now(text)).status for text in texts} == {TextStatus.DELIVERED}


@in_virtual_time
async def test_while_twilio_cannot_be_asked_it_is_asked_again_later() -> None:
    outbox = await opened()
    (text,) = await sent_and_not_reported(outbox)
    sid = f"SM-{text.id}"
    outbox.twilio.reports[sid] = said(text, "delivered")
    outbox.twilio.unreachable.add(sid)
    async with running(partial(asking, outbox)):
        await asyncio.sleep(DAY + 10 * POLL_INTERVAL)
        assert (await outbox.now(text)).status is TextStatus.SENT
        outbox.twilio.unreachable.clear()
        await asyncio.sleep(2 * POLL_INTERVAL)
    assert (await outbox.now(text)).status is TextStatus.DELIVERED


@in_virtual_time
async def test_who_begins_to_lead_asks_about_what_nobody_asked_about_before_and_not_about_all_of_the_past() -> None:
    outbox = await opened()
    await sent_and_not_reported(outbox)
    await asyncio.sleep(timedelta(days=2).total_seconds())
    (recent,) = await sent_and_not_reported(outbox, at=201)
    await asyncio.sleep(timedelta(days=2).total_seconds())
    async with running(partial(asking, outbox)):
        await asyncio.sleep(2 * POLL_INTERVAL)
    assert [sid for _, sid in outbox.twilio.fetches] == [f"SM-{recent.id}"]
