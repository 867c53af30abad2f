"""The outbox is sent at its rate. Each text is checked again before, and never sent twice if it may have gone out."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from agents.texts.line_throttle import BLOCKED_FOR, PROBE_INTERVAL
from agents.texts.reconciliation import CHECK_INTERVAL
from agents.texts.sending import FINISH_TIMEOUT, OUTBOX_INTERVAL, TextSender
from hub.records.errors import StoreUnavailable
from hub.scheduling.commands import BookAppointment, CompleteAppointment
from hub.scheduling.values import Actor, Role
from hub.texting.outcomes import SendResult
from hub.texting.text import StatusUpdate, TextKind, TextStatus
from tests.agents.actor_fixtures import NOW, InterceptedRecords, cancel, confirm, move, slot
from tests.agents.outbox import NUMBERS, Outbox, bodies, opened
from tests.agents.virtual_time import clock_from, in_virtual_time, running
from tests.agents.workers import PHONES, Worker

SOON = OUTBOX_INTERVAL + 0.1
"""Seconds within which a text that may be sent is sent."""
OTHERS: tuple[TextKind, ...] = ("booked", "rescheduled", "cancelled")


@in_virtual_time
async def test_a_text_goes_out_once_from_its_line_and_says_where_to_report() -> None:
    outbox = await opened()
    visit = await outbox.visit()
    to_patient = await outbox.plan(visit)
    to_doctor = await outbox.plan(visit, line="doctor")
    async with running(outbox.sender().run):
        await asyncio.sleep(600)
    assert {(post.to, post.sender) for post in outbox.twilio.posts} == {
        (PHONES["carl"], NUMBERS["patient"]),
        (PHONES["ada"], NUMBERS["doctor"]),
    }
    assert len(outbox.twilio.posts) == 2
    for text, post in zip((to_patient, to_doctor), outbox.twilio.posts, strict=True):
        stored = await outbox.now(text)
        assert (stored.status, stored.sid, stored.attempts) == (TextStatus.SENT, outbox.twilio.listed[text.body][0], 1)
        assert post.callback == f"https://hub.clinic.example/api/v1/twilio/status?text={text.id}"


@in_virtual_time
async def test_each_line_keeps_its_pace_beside_the_other() -> None:
    outbox = await opened(per_second=0.5)
    visit = await outbox.visit()
    texts = {line: [await outbox.plan(visit, line=line) for _ in range(4)] for line in ("patient", "doctor")}
    async with running(outbox.sender().run):
        await asyncio.sleep(20)
    for of_line in texts.values():
        assert [outbox.posted(text) for text in of_line] == [[0.0], [2.0], [4.0], [6.0]]


async def _gone(outbox: Outbox, visit: BookAppointment, how: str) -> None:
    match how:
        case "cancelled":
            await outbox.worker.do(cancel(visit))
        case "moved":
            await outbox.worker.do(move(visit, to=4), move(visit, to=0))  # there and back: told by the last text
        case "over":
            await outbox.worker.do(
                CompleteAppointment(
                    id="done",
                    doctor_id="ada",
                    appointment_id=visit.id,
                    by=Actor(id="ada", role=Role.DOCTOR, via="rest"),
                    at=NOW,
                )
            )
        case "opted_out":
            await outbox.records.opt_outs.add(PHONES["carl"], NUMBERS["patient"], NOW)
        case "unknown_appointment":
            outbox.records.appointments._stored.clear()
        case "too_late":
            await asyncio.sleep((slot(0) - NOW).total_seconds())


@in_virtual_time
@pytest.mark.parametrize("why", ["cancelled", "moved", "over", "opted_out", "unknown_appointment", "too_late"])
async def test_what_does_not_hold_any_more_is_not_sent_and_the_record_says_why(why: str) -> None:
    outbox = await opened(worker=Worker(clock_from(slot(0) - timedelta(minutes=30))) if why == "over" else None)
    visit = await outbox.visit()
    text = await outbox.plan(visit)
    await _gone(outbox, visit, why)
    async with running(outbox.sender().run):
        await asyncio.sleep(SOON)
    stored = await outbox.now(text)
    assert (outbox.twilio.posts, stored.status, stored.reason) == ([], TextStatus.SKIPPED, why)
    assert stored.attempts == 0


@in_virtual_time
async def test_what_happens_while_a_text_waits_for_its_turn_is_seen() -> None:
    outbox = await opened(per_second=0.1)
    first, second = await outbox.visit(), await outbox.visit("dora", at=1)
    await outbox.plan(first)
    late = await outbox.plan(second)
    async with running(outbox.sender().run):
        await asyncio.sleep(5)
        await outbox.worker.do(cancel(second))
        await asyncio.sleep(20)
    assert bodies(outbox.twilio.posts) == ["text 0"]
    assert (await outbox.now(late)).reason == "cancelled"


@in_virtual_time
async def test_a_confirmation_changes_nothing_about_the_reminder() -> None:
    outbox = await opened()
    visit = await outbox.visit()
    reminder = await outbox.plan(visit, "reminder")
    await outbox.worker.do(confirm(visit))
    async with running(outbox.sender().run):
        await asyncio.sleep(SOON)
    assert (await outbox.now(reminder)).status is TextStatus.SENT


@in_virtual_time
async def test_texts_of_no_use_take_no_turn() -> None:
    outbox = await opened(per_second=1)
    gone, coming = await outbox.visit(), await outbox.visit("dora", at=1)
    for _ in range(150):
        await outbox.plan(gone)
    await outbox.worker.do(cancel(gone))
    await outbox.plan(coming)
    async with running(outbox.sender().run):
        await asyncio.sleep(1)
    assert bodies(outbox.twilio.posts) == ["text 150"]


@in_virtual_time
async def test_of_two_who_believe_that_they_lead_one_posts_a_text() -> None:
    outbox = await opened()
    visit = await outbox.visit()
    texts = [await outbox.plan(visit) for _ in range(30)]
    async with running(outbox.sender().run, outbox.sender().run):
        await asyncio.sleep(10)
    assert sorted(bodies(outbox.twilio.posts)) == sorted(text.body for text in texts)
    assert {(await outbox.now(text)).status for text in texts} == {TextStatus.SENT}


@in_virtual_time
async def test_who_does_not_lead_sends_nothing_and_who_ceases_to_stops() -> None:
    outbox = await opened(per_second=1)
    visit = await outbox.visit()
    for _ in range(5):
        await outbox.plan(visit)
    sender = outbox.sender(leads=False)
    async with running(sender.run):
        await asyncio.sleep(60)
        assert outbox.twilio.posts == []
        sender.set_leading(leading=True)
        await asyncio.sleep(1.5)
        sender.set_leading(leading=False)
        await asyncio.sleep(60)
    assert len(outbox.twilio.posts) == 2


@in_virtual_time
async def test_without_a_way_out_texts_are_recorded() -> None:
    outbox = await opened()
    text = await outbox.plan(await outbox.visit())
    sender = TextSender(outbox.records, outbox.clock, None)
    sender.set_leading(leading=True)
    async with running(sender.run):
        await asyncio.sleep(SOON)
    assert (await outbox.now(text)).status is TextStatus.RECORDED


@in_virtual_time
async def test_a_number_that_will_never_get_it_is_not_tried_again() -> None:
    outbox = await opened()
    text = await outbox.plan(await outbox.visit())
    outbox.twilio.answers[PHONES["carl"]] = [SendResult.PERMANENT]
    async with running(outbox.sender().run):
        await asyncio.sleep(600)
    stored = await outbox.now(text)
    assert (len(outbox.twilio.posts), stored.status, stored.error_code) == (1, TextStatus.FAILED, 21211)


@in_virtual_time
async def test_an_opt_out_that_twilio_tells_of_is_remembered() -> None:
    outbox = await opened()
    visit = await outbox.visit()
    text = await outbox.plan(visit)
    outbox.twilio.answers[PHONES["carl"]] = [SendResult.OPTED_OUT]
    async with running(outbox.sender().run):
        await asyncio.sleep(SOON)
        later = await outbox.plan(visit)
        await asyncio.sleep(SOON)
    stored = await outbox.now(text)
    assert (stored.status, stored.error_code) == (TextStatus.OPTED_OUT, 21610)
    assert ((await outbox.now(later)).reason, len(outbox.twilio.posts)) == ("opted_out", 1)


@in_virtual_time
async def test_a_text_that_did_not_go_out_is_tried_again_after_ever_longer_waits_until_it_is_of_no_use() -> None:
    outbox = await opened()
    text = await outbox.plan(await outbox.visit())  # the start is seven hours away
    outbox.twilio.answers[PHONES["carl"]] = [SendResult.LATER] * 1000
    async with running(outbox.sender().run):
        await asyncio.sleep(timedelta(hours=8).total_seconds())
    times = outbox.posted(text)
    waits = [later - earlier for earlier, later in pairwise(times)]
    for number, wait in enumerate(waits):
        usual = min(2.0 * 2**number, 300.0)
        assert 0.5 * usual <= wait <= 1.5 * usual + SOON
    assert len(set(waits[10:])) > 5, "no jitter"
    stored = await outbox.now(text)
    assert (stored.status, stored.error_code) == (TextStatus.FAILED, 20429)
    assert timedelta(seconds=times[-1]) < slot(0) - NOW


@in_virtual_time
async def test_however_long_twilio_takes_nothing_a_text_that_is_of_use_waits() -> None:
    outbox = await opened()
    visit = await outbox.visit()
    text = await outbox.plan(visit, useless_after=NOW + timedelta(days=300), attempts=2000)
    outbox.twilio.answers[PHONES["carl"]] = [SendResult.LATER] * 3
    async with running(outbox.sender().run):
        await asyncio.sleep(1500)
    assert (await outbox.now(text)).status is TextStatus.SENT


@in_virtual_time
async def test_a_line_that_is_halted_rests_then_tries_one_text_and_goes_on_when_that_is_mended() -> None:
    outbox = await opened(per_second=1000)
    visit = await outbox.visit()
    waiting = [await outbox.plan(visit) for _ in range(40)]
    outbox.twilio.answers[PHONES["carl"]] = [SendResult.HALT] * 20
    async with running(outbox.sender().run):
        await asyncio.sleep(1)
        tried = len(outbox.twilio.posts)
        assert tried <= 16
        other = await outbox.plan(visit, line="doctor")
        await asyncio.sleep(SOON)
        assert (await outbox.now(other)).status is TextStatus.SENT

        outbox.twilio.answers[PHONES["carl"]] = [SendResult.HALT]
        await asyncio.sleep(PROBE_INTERVAL)
        assert len(outbox.twilio.posts) == tried + 2  # the doctor's, and one to see whether it is mended
        await asyncio.sleep(PROBE_INTERVAL - 2)
        assert len(outbox.twilio.posts) == tried + 2
        await asyncio.sleep(3)
    assert {(await outbox.now(text)).status for text in waiting} == {TextStatus.SENT}
    assert len(outbox.twilio.posts) == tried + 2 + len(waiting)


@in_virtual_time
async def test_while_carriers_keep_back_what_a_line_sends_one_text_a_minute_leaves_it() -> None:
    outbox = await opened(per_second=10)
    visit = await outbox.visit()
    waiting = [await outbox.plan(visit) for _ in range(300)]
    number = NUMBERS["patient"]
    async with running(outbox.sender().run):
        await asyncio.sleep(5)
        await outbox.records.line_halts.put(number, 30034, outbox.clock())
        await asyncio.sleep(3)
        tried = len(outbox.twilio.posts)
        assert tried < 80
        other = await outbox.plan(visit, line="doctor")
        await asyncio.sleep(SOON)
        assert (await outbox.now(other)).status is TextStatus.SENT

        await asyncio.sleep(5 * PROBE_INTERVAL)
        assert 5 <= len(outbox.twilio.posts) - tried - 1 <= 6
        await outbox.records.line_halts.put(number, 30034, outbox.clock())  # one of them was kept back, too
        await asyncio.sleep(BLOCKED_FOR.total_seconds() - PROBE_INTERVAL)
        assert len(outbox.twilio.posts) < tried + 20
        await asyncio.sleep(2 * PROBE_INTERVAL + 30)
    assert {(await outbox.now(text)).status for text in waiting} == {TextStatus.SENT}


@in_virtual_time
async def test_texts_that_hang_hold_up_neither_the_others_nor_the_other_line() -> None:
    outbox = await opened(per_second=10)
    one, other = await outbox.visit("carl"), await outbox.visit("dora", at=1)
    outbox.twilio.hangs.add(PHONES["carl"])
    for _ in range(3):
        await outbox.plan(one)
    async with running(outbox.sender().run):
        await asyncio.sleep(SOON)
        beside = await outbox.plan(other)
        await asyncio.sleep(SOON)
        assert (await outbox.now(beside)).status is TextStatus.SENT
        for _ in range(40):
            await outbox.plan(one)
        await asyncio.sleep(20)
        to_doctor = await outbox.plan(one, line="doctor")
        await asyncio.sleep(SOON)
        assert (await outbox.now(to_doctor)).status is TextStatus.SENT


async def _sent_into_the_dark(kind: TextKind, fates: list[SendResult]) -> tuple[Outbox, list[float]]:
    """Send a text whose POSTs have these results. Returns the times of the POSTs."""
    outbox = await opened()
    text = await outbox.plan(await outbox.visit(), kind)
    outbox.twilio.answers[PHONES["carl"]] = fates
    async with running(outbox.sender().run):
        await asyncio.sleep(1200)
    return outbox, outbox.posted(text)


@in_virtual_time
async def test_a_reminder_of_unknown_fate_is_posted_once_more_when_it_is_still_absent_after_two_minutes() -> None:
    outbox, times = await _sent_into_the_dark("reminder", [SendResult.UNKNOWN])
    assert len(times) == 2
    assert 120 <= times[1] - times[0] <= 120 + CHECK_INTERVAL + SOON
    assert (await outbox.now(outbox.texts[0])).status is TextStatus.SENT


@in_virtual_time
async def test_a_reminder_is_never_posted_a_third_time() -> None:
    outbox, times = await _sent_into_the_dark("reminder", [SendResult.UNKNOWN] * 9)
    assert len(times) == 2
    assert (await outbox.now(outbox.texts[0])).status is TextStatus.FAILED


@in_virtual_time
@pytest.mark.parametrize("kind", OTHERS)
async def test_any_other_text_of_unknown_fate_is_posted_again_after_thirty_seconds_three_times_in_all(
    kind: TextKind,
) -> None:
    outbox, times = await _sent_into_the_dark(kind, [SendResult.UNKNOWN] * 9)
    assert len(times) == 3
    for earlier, later in pairwise(times):
        assert 30 <= later - earlier <= 30 + CHECK_INTERVAL + SOON
    assert (await outbox.now(outbox.texts[0])).status is TextStatus.FAILED


@in_virtual_time
@pytest.mark.parametrize("kind", ["reminder", *OTHERS])
async def test_being_told_to_come_later_uses_up_no_repair(kind: TextKind) -> None:
    outbox, times = await _sent_into_the_dark(
        kind, [SendResult.LATER, SendResult.LATER, SendResult.LATER, SendResult.UNKNOWN]
    )
    assert len(times) == 5
    assert (await outbox.now(outbox.texts[0])).status is TextStatus.SENT


@in_virtual_time
@pytest.mark.parametrize("kind", ["reminder", *OTHERS])
async def test_a_text_that_twilio_lists_is_not_posted_again(kind: TextKind) -> None:
    outbox = await opened()
    text = await outbox.plan(await outbox.visit(), kind)
    outbox.twilio.answers[PHONES["carl"]] = [SendResult.UNKNOWN]
    outbox.twilio.listed[text.body] = ["SMlost"]
    async with running(outbox.sender().run):
        await asyncio.sleep(1200)
    stored = await outbox.now(text)
    assert (len(outbox.posted(text)), stored.status, stored.sid) == (1, TextStatus.SENT, "SMlost")
    assert len(outbox.twilio.looks) == 1
    assert outbox.twilio.looks[0][0] >= 30


@in_virtual_time
@pytest.mark.parametrize("kind", ["reminder", *OTHERS])
async def test_a_report_settles_what_nobody_knew(kind: TextKind) -> None:
    outbox = await opened()
    text = await outbox.plan(await outbox.visit(), kind)
    outbox.twilio.answers[PHONES["carl"]] = [SendResult.UNKNOWN]
    async with running(outbox.sender().run):
        await asyncio.sleep(5)
        await outbox.records.texts.settle(text.id, StatusUpdate(TextStatus.DELIVERED, sid="SM1"), outbox.clock())
        await asyncio.sleep(1200)
    assert (len(outbox.posted(text)), outbox.twilio.looks) == (1, [])


@in_virtual_time
async def test_the_message_of_another_text_with_the_same_words_does_not_count() -> None:
    outbox = await opened()
    visit = await outbox.visit()
    first = await outbox.plan(visit, body="the same")
    async with running(outbox.sender().run):
        await asyncio.sleep(SOON)
        outbox.twilio.answers[PHONES["carl"]] = [SendResult.UNKNOWN]
        second = await outbox.plan(visit, body="the same")
        await asyncio.sleep(60)
    assert len(outbox.posted(second)) == 3
    sids = [(await outbox.now(text)).sid for text in (first, second)]
    assert sids == outbox.twilio.listed["the same"]


@in_virtual_time
async def test_while_the_list_cannot_be_had_nothing_is_concluded_and_the_others_are_settled() -> None:
    outbox = await opened()
    visit = await outbox.visit()
    before, stuck, behind = [await outbox.plan(visit, "reminder") for _ in range(3)]
    outbox.twilio.unreachable.add(stuck.body)
    outbox.twilio.answers[PHONES["carl"]] = [SendResult.UNKNOWN] * 3
    async with running(outbox.sender().run):
        await asyncio.sleep(600)
        assert (await outbox.now(stuck)).status is TextStatus.UNKNOWN
        assert {(await outbox.now(text)).status for text in (before, behind)} == {TextStatus.SENT}
        outbox.twilio.unreachable.clear()
        await asyncio.sleep(CHECK_INTERVAL + SOON)
        assert (await outbox.now(stuck)).status is TextStatus.SENT
    assert len(outbox.posted(stuck)) == 2


@in_virtual_time
@pytest.mark.parametrize(("kind", "after"), [("reminder", 120), ("booked", 30)])
@pytest.mark.parametrize("fate", ["accepted", "lost"])
async def test_a_death_between_the_claim_and_the_mark_leaves_it_to_the_successor(
    kind: TextKind, after: int, fate: str
) -> None:
    outbox = await opened()
    text = await outbox.plan(await outbox.visit(), kind)
    outbox.twilio.hangs.add(PHONES["carl"])
    async with running(outbox.sender().run):
        await asyncio.sleep(1)  # and it is gone, before Twilio has answered
    assert (await outbox.now(text)).status is TextStatus.SENDING
    outbox.twilio.hangs.clear()
    if fate == "accepted":
        outbox.twilio.listed[text.body] = ["SMlost"]
    async with running(outbox.sender().run):
        await asyncio.sleep(1200)
    times = outbox.posted(text)
    assert (await outbox.now(text)).status is TextStatus.SENT
    if fate == "accepted":
        assert len(times) == 1
    else:
        assert len(times) == 2
        assert after <= times[1] - times[0] <= after + CHECK_INTERVAL + SOON


@in_virtual_time
async def test_an_appointment_that_is_cancelled_before_the_repair_is_not_reminded_of() -> None:
    outbox = await opened()
    visit = await outbox.visit()
    text = await outbox.plan(visit, "reminder")
    outbox.twilio.answers[PHONES["carl"]] = [SendResult.UNKNOWN]
    async with running(outbox.sender().run):
        await asyncio.sleep(60)
        await outbox.worker.do(cancel(visit))
        await asyncio.sleep(600)
    assert (len(outbox.posted(text)), (await outbox.now(text)).reason) == (1, "cancelled")


@in_virtual_time
async def test_a_repair_that_would_come_too_late_is_not_made() -> None:
    outbox = await opened()
    visit = await outbox.visit()
    text = await outbox.plan(visit, "reminder", useless_after=outbox.clock.after(100))
    outbox.twilio.answers[PHONES["carl"]] = [SendResult.UNKNOWN]
    async with running(outbox.sender().run):
        await asyncio.sleep(600)
    assert (len(outbox.posted(text)), (await outbox.now(text)).status) == (1, TextStatus.FAILED)


class Gone:
    """A database that does not answer one kind of call while it is `away`."""

    def __init__(self, call: str) -> None:
        self.away = True
        self._call = call

    async def __call__(self, call: str) -> None:
        if self.away and call == self._call:
            raise StoreUnavailable("away")


@in_virtual_time
async def test_when_the_database_goes_before_the_mark_the_list_settles_it() -> None:
    outbox, gone = await opened(), Gone("settle")
    text = await outbox.plan(await outbox.visit(), "reminder")
    async with running(outbox.sender(InterceptedRecords(outbox.records, gone)).run):
        await asyncio.sleep(SOON)
        assert (len(outbox.posted(text)), (await outbox.now(text)).status) == (1, TextStatus.SENDING)
        gone.away = False
        await asyncio.sleep(60)
    assert (len(outbox.posted(text)), (await outbox.now(text)).status) == (1, TextStatus.SENT)


@in_virtual_time
@pytest.mark.parametrize("call", ["due", "by_ids", "has", "claim", "latest"])
async def test_when_the_database_goes_before_the_post_the_text_goes_out_once_it_is_back(call: str) -> None:
    outbox, gone = await opened(), Gone(call)
    text = await outbox.plan(await outbox.visit())
    async with running(outbox.sender(InterceptedRecords(outbox.records, gone)).run):
        await asyncio.sleep(10)
        assert outbox.twilio.posts == []
        gone.away = False
        await asyncio.sleep(SOON)
    assert (len(outbox.posted(text)), (await outbox.now(text)).status) == (1, TextStatus.SENT)


@in_virtual_time
async def test_a_stop_waits_for_the_answers_to_what_has_been_posted_and_begins_no_more() -> None:
    outbox = await opened(per_second=1)
    visit = await outbox.visit()
    texts = [await outbox.plan(visit) for _ in range(3)]
    outbox.twilio.during = lambda: asyncio.sleep(3)
    sender = outbox.sender()
    async with running(sender.run):
        await asyncio.sleep(0.5)
        await sender.finish()
    assert [(await outbox.now(text)).status for text in texts] == [TextStatus.SENT, *[TextStatus.PLANNED] * 2]


@in_virtual_time
async def test_a_stop_does_not_wait_for_ever() -> None:
    outbox = await opened()
    await outbox.plan(await outbox.visit())
    outbox.twilio.hangs.add(PHONES["carl"])
    sender = outbox.sender()
    async with running(sender.run):
        await asyncio.sleep(SOON)
        before = asyncio.get_running_loop().time()
        await sender.finish()
        assert asyncio.get_running_loop().time() - before == FINISH_TIMEOUT


@in_virtual_time
async def test_on_a_faster_clock_waits_and_what_twilio_is_told_are_real_seconds() -> None:
    outbox = await opened(worker=Worker(clock_from(NOW, rate=60)))
    text = await outbox.plan(await outbox.visit(), "reminder")
    outbox.twilio.answers[PHONES["carl"]] = [SendResult.UNKNOWN]
    async with running(outbox.sender().run):
        await asyncio.sleep(200)
    times = outbox.posted(text)
    assert len(times) == 2
    assert 120 <= times[1] - times[0] <= 120 + CHECK_INTERVAL + SOON
    assert outbox.twilio.posts[0].valid_for == pytest.approx(6.5 * 3600 / 60, abs=1)


@in_virtual_time
async def test_reminders_and_codes_leave_before_all_other_texts_whatever_waits() -> None:
    outbox = await opened(per_second=1.0)
    visit = await outbox.visit()
    for _ in range(300):
        await outbox.plan(visit)
    async with running(outbox.sender().run):
        await asyncio.sleep(20)
        reminder = await outbox.plan(visit, "reminder", not_before=outbox.clock())
        until = outbox.clock() + timedelta(minutes=10)
        nobodys = {"appointment_id": None, "doctor_id": None, "start": until, "useless_after": until}
        code = await outbox.plan(visit, "code", not_before=outbox.clock(), id="code", **nobodys)  # type: ignore[arg-type]
        await asyncio.sleep(10)
    for text in (reminder, code):
        assert [20 <= at <= 28 for at in outbox.posted(text)] == [True]
