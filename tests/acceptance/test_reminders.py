"""Appointments and their texts on a day that takes three quarters of a minute.

All stories run concurrently in one hub. Each test waits for the end of one story.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import aiohttp
import pytest
from twilio.request_validator import RequestValidator

from hub.scheduling.appointment import NO_SHOW_DELAY, REMINDER_LEAD
from hub.scheduling.values import APPOINTMENT_DURATION
from hub.settings import clock_settings
from hub.texting import wording
from hub.texting.callback_urls import STATUS, WEBHOOK
from hub.texting.text import Text, TextStatus
from tests.acceptance.running_hub import Person, RunningHub, running_hub
from tests.phones import Arrived
from tests.stack import Stack

RATE = 600.0
"""Ten minutes per second: three hours take eighteen seconds."""
MORNING = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
LATE = timedelta(minutes=45)
"""Four and a half real seconds: the maximum delay of due work on a busy machine."""
TIME_TO_ACT = timedelta(minutes=50)
MUCH_LATER = timedelta(hours=9)
"""Appointments after this time have no reminder due during the stories."""
WORDS = wording.Clinic("Clinic Hub", None)

Story = Callable[[RunningHub], Awaitable[None]]
STORIES: list[Story] = []


def story(tell: Story) -> Story:
    STORIES.append(tell)
    return tell


@pytest.fixture(scope="module")
async def day(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[Story, asyncio.Task[None]]]:
    """All stories, which run concurrently."""
    settings = {**clock_settings(MORNING, RATE), "texts_per_second": 100.0}
    async with Stack(tmp_path_factory.mktemp("day"), **settings) as stack:
        await stack.start(agents=2)
        async with running_hub(stack) as hub:
            tasks = {tell: asyncio.ensure_future(tell(hub)) for tell in STORIES}
            yield tasks
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)


class Visit:
    """An appointment of a new doctor and a new patient, booked well before its reminder."""

    def __init__(self, hub: RunningHub, doctor: Person, patient: Person) -> None:
        self.hub = hub
        self.doctor = doctor
        self.patient = patient
        self.start = hub.slot_in(REMINDER_LEAD + TIME_TO_ACT)
        self.id = ""

    async def book(self) -> None:
        self.id = (await self.hub.booked(self.patient, self.doctor, self.start)).id

    @property
    def reminded_at(self) -> datetime:
        return self.start - REMINDER_LEAD

    @property
    def missed_at(self) -> datetime:
        return self.start + NO_SHOW_DELAY

    async def reminder(self) -> Arrived:
        """Return the patient's second text. It must be the reminder, in time; the first is about the booking."""
        text = await self.hub.until_text(self.patient, 2)
        assert text.body == wording.reminder(WORDS, wording.local_time(self.start, "UTC"))
        assert text.sender == self.hub.number("patient")
        assert self.reminded_at <= text.at <= self.reminded_at + LATE
        return text

    async def answers(self, body: str) -> str:
        """Answer the reminder from the patient's phone. Returns the SID of the message."""
        line = self.hub.number("patient")
        told = await self.hub.phones.answer(self.patient.phone, body, line=line)
        say = wording.confirmed if body == "1" else wording.cancelled_by_patient
        assert (told.status, told.answer) == (200, say(WORDS, wording.local_time(self.start, "UTC")))
        return told.message_sid

    async def texts(self) -> list[str]:
        """Return the kinds of the texts that reached the patient."""
        arrived = await self.hub.texts_to(self.patient)
        kinds = {
            text.id: text.kind for text in await self.hub.texts_about(self.id)
        }  # afterwards, so it has all of them
        return [kinds[text.text_id or ""] for text in arrived]

    async def comes_to(self, *events: str) -> None:
        """Wait until both dashboards show the last event, and check that exactly these events happened, in order."""
        for person in (self.doctor, self.patient):
            await self.hub.until_told(person, self.id, events[-1])
            assert person.told(self.id) == list(events)
        assert [event.type for event in (await self.hub.appointment(self.id)).history] == list(events)

    async def stays_at(self, *events: str) -> None:
        """Check the events as `comes_to` does, and again after every possible later deadline."""
        await self.comes_to(*events)
        await self.hub.show(self.missed_at + APPOINTMENT_DURATION + LATE)
        await self.comes_to(*events)

    async def happened_at(self, type_: str) -> datetime:
        (at,) = [event.at for event in (await self.hub.appointment(self.id)).history if event.type == type_]
        return at


async def visit(hub: RunningHub) -> Visit:
    people = Visit(hub, await hub.doctor(), await hub.patient())
    await people.book()
    return people


@story
async def who_answers_1_is_confirmed_and_who_then_does_not_come_is_a_no_show(hub: RunningHub) -> None:
    its = await visit(hub)
    await its.reminder()
    await its.answers("1")
    await its.comes_to("booked", "reminded", "confirmed")
    await its.stays_at("booked", "reminded", "confirmed", "no_show")
    assert its.missed_at <= await its.happened_at("no_show") <= its.missed_at + LATE
    assert await its.texts() == ["booked", "reminder"]


@story
async def who_answers_2_is_cancelled_and_misses_nothing(hub: RunningHub) -> None:
    its = await visit(hub)
    await its.reminder()
    await its.answers("2")
    await its.stays_at("booked", "reminded", "cancelled")
    assert await its.texts() == ["booked", "reminder"]
    told = [text.body for text in await hub.texts_to(its.doctor)]
    assert told[-1] == wording.doctor_cancelled(WORDS, wording.local_time(its.start, "UTC"))


@story
async def who_does_nothing_is_reminded_once_and_a_no_show(hub: RunningHub) -> None:
    its = await visit(hub)
    await its.reminder()
    await its.stays_at("booked", "reminded", "no_show")
    assert await its.texts() == ["booked", "reminder"]


@story
async def what_is_cancelled_before_is_not_reminded_of(hub: RunningHub) -> None:
    its = await visit(hub)
    await hub.until_text(its.patient, 1)
    assert (await its.patient.commands.cancel(its.id)).ok
    await its.stays_at("booked", "cancelled")
    assert await its.texts() == ["booked"]


@story
async def what_moves_before_is_reminded_of_at_its_new_time_only(hub: RunningHub) -> None:
    its = await visit(hub)
    await hub.until_text(its.patient, 1)
    its.start += 2 * APPOINTMENT_DURATION
    assert (await its.patient.commands.reschedule(its.id, its.start)).ok
    await hub.until_told(its.doctor, its.id, "reminded")
    assert its.reminded_at <= await its.happened_at("reminded") <= its.reminded_at + LATE
    await its.stays_at("booked", "rescheduled", "reminded", "no_show")
    assert its.missed_at <= await its.happened_at("no_show") <= its.missed_at + LATE
    assert await its.texts() == ["booked", "rescheduled", "reminder"]
    assert (await hub.texts_to(its.patient))[-1].body == wording.reminder(WORDS, wording.local_time(its.start, "UTC"))


@story
async def what_moves_after_the_reminder_is_reminded_of_again(hub: RunningHub) -> None:
    its = await visit(hub)
    await its.reminder()
    its.start += REMINDER_LEAD
    assert (await its.patient.commands.reschedule(its.id, its.start)).ok
    await hub.until(lambda: _texts(its, ["booked", "reminder", "rescheduled", "reminder"]), "the second reminder")
    assert (await hub.texts_to(its.patient))[-1].at >= its.reminded_at


async def _texts(its: Visit, kinds: list[str]) -> bool:
    return await its.texts() == kinds


@story
async def what_has_taken_place_is_no_no_show(hub: RunningHub) -> None:
    its = await visit(hub)
    await its.reminder()
    await hub.show(its.start - timedelta(minutes=20))
    assert (await its.doctor.commands.complete(its.id)).ok
    await its.stays_at("booked", "reminded", "completed")


@story
async def what_is_booked_shortly_before_is_not_reminded_of(hub: RunningHub) -> None:
    its = Visit(hub, await hub.doctor(), await hub.patient())
    its.start = hub.slot_in(TIME_TO_ACT)
    await its.book()
    await its.stays_at("booked", "no_show")
    assert await its.texts() == ["booked"]


@story
async def a_message_that_is_brought_twice_and_one_that_nobody_signed_change_nothing(hub: RunningHub) -> None:
    its = await visit(hub)
    await its.reminder()
    message = await its.answers("1")
    line = hub.number("patient")
    again = await hub.phones.answer(its.patient.phone, "1", line=line, message_sid=message)
    assert (again.status, again.answer) == (200, wording.confirmed(WORDS, wording.local_time(its.start, "UTC")))
    # The SID identifies the message: a second delivery with another body gets the first answer.
    forged = await hub.phones.answer(its.patient.phone, "2", line=line, message_sid=message)
    assert forged.answer == again.answer

    settings = hub.stack.settings
    token = settings.twilio_auth_token
    assert token
    form = {
        "AccountSid": settings.twilio_account_sid or "",
        "MessageSid": "SM" + "0" * 32,
        "From": its.patient.phone,
        "To": line,
    }
    cancel = {**form, "Body": "2"}
    right = RequestValidator(token.get_secret_value()).compute_signature(hub.stack.base_url() + WEBHOOK, cancel)
    wrong = RequestValidator("not the token").compute_signature(hub.stack.base_url() + WEBHOOK, cancel)
    assert await _posted(hub, WEBHOOK, cancel, wrong) == 403
    assert await _posted(hub, WEBHOOK, cancel, "") == 403
    assert await _posted(hub, WEBHOOK, {**cancel, "From": "+12025550000"}, right) == 403
    (text,) = [text for text in await hub.texts_about(its.id) if text.kind == "reminder"]
    failed = {**form, "MessageSid": text.sid or "", "MessageStatus": "failed", "ErrorCode": "30005"}
    assert await _posted(hub, f"{STATUS}?text={text.id}", failed, wrong) == 403
    await its.stays_at("booked", "reminded", "confirmed", "no_show")
    assert (await hub.records.texts.by_id(text.id)) == await _settled(hub, text, TextStatus.DELIVERED)


async def _posted(hub: RunningHub, path: str, form: dict[str, str], signature: str) -> int:
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    async with (
        aiohttp.ClientSession() as client,
        client.post(hub.stack.base_url() + path, data=urlencode(form), headers=headers) as answer,
    ):
        return answer.status


async def _settled(hub: RunningHub, text: Text, *statuses: TextStatus) -> Text:
    """Wait until the text has one of these statuses, and return it."""

    async def look() -> Text | None:
        found = await hub.records.texts.by_id(text.id)
        return found if found and found.status in statuses else None

    found = await hub.until(look, f"the {text.kind} text comes to {statuses}")
    assert found
    return found


async def _first_text(its: Visit) -> Text:
    """Return the patient's planned text about the booking."""

    async def look() -> list[Text]:
        return [text for text in await its.hub.texts_about(its.id) if text.line == "patient"]

    return (await its.hub.until(look, "the text is planned"))[0]


async def _with(
    hub: RunningHub, kind: str, phone: str | None = None, ahead: timedelta = timedelta(0), **more: object
) -> tuple[Visit, Text]:
    """Book with a phone whose next texts have this fault. Returns the planned text about the booking."""
    its = Visit(hub, await hub.doctor(), await hub.patient(phone))
    its.start += ahead
    if kind:
        await hub.phones.fault(kind, to=its.patient.phone, **more)
    await its.book()
    return its, await _first_text(its)


@story
async def being_told_to_come_later_delays_a_text(hub: RunningHub) -> None:
    its, text = await _with(hub, "too_many_requests", count=2, ahead=MUCH_LATER)
    text = await _settled(hub, text, TextStatus.DELIVERED)
    assert text.attempts == 3
    assert await its.texts() == ["booked"]


@story
async def a_text_that_was_taken_and_never_answered_is_known_by_its_report_and_not_sent_again(hub: RunningHub) -> None:
    for kind in ("dropped", "server_error_but_accepted"):
        its, text = await _with(hub, kind)
        text = await _settled(hub, text, TextStatus.DELIVERED)
        (arrived,) = await hub.texts_to(its.patient)
        assert (text.attempts, text.sid) == (1, arrived.sid)


@story
async def reports_may_come_twice_or_in_any_order_or_not_at_all(hub: RunningHub) -> None:
    ends = {
        "callbacks_twice": TextStatus.DELIVERED,
        "callbacks_reversed": TextStatus.DELIVERED,
        "callbacks_withheld": TextStatus.SENT,
    }
    for kind, end in ends.items():
        its, text = await _with(hub, kind)
        await hub.until_text(its.patient, 1)
        await _settled(hub, text, end)
        await its.reminder()
        (text,) = [one for one in await hub.texts_about(its.id) if one.id == text.id]
        assert (text.status, text.attempts) == (end, 1)


@story
async def a_phone_that_is_off_gets_the_text_once_more(hub: RunningHub) -> None:
    its, text = await _with(hub, "undelivered", errorCode=30003, ahead=MUCH_LATER)
    text = await _settled(hub, text, TextStatus.UNDELIVERED)
    assert text.error_code == 30003
    first, second = [await hub.until_text(its.patient, number) for number in (1, 2)]
    assert (first.status, second.body) == ("undelivered", first.body)
    (again,) = [one for one in await hub.texts_about(its.id) if one.again_of]
    assert (again.again_of, (await _settled(hub, again, TextStatus.DELIVERED)).sid) == (text.id, second.sid)


@story
async def a_number_that_gets_no_texts_is_shown_to_the_doctors_side(hub: RunningHub) -> None:
    landline, undelivered = await _with(hub, "undelivered", errorCode=30006)
    invalid, refused = await _with(hub, "", phone="+15005550001")
    undelivered = await _settled(hub, undelivered, TextStatus.UNDELIVERED)
    refused = await _settled(hub, refused, TextStatus.FAILED)
    assert (undelivered.error_code, refused.error_code, refused.attempts) == (30006, 21211, 1)
    for its, text in ((landline, undelivered), (invalid, refused)):
        shown = await hub.records.texts.not_delivered(its.doctor.id, its.start - timedelta(days=1))
        assert text.id in {one.id for one in shown}
    await landline.reminder()  # a separate text
    assert await landline.texts() == ["booked", "reminder"]


@story
async def who_sends_stop_gets_no_more_until_start(hub: RunningHub) -> None:
    # The appointment gets an early start only after START. Otherwise its reminder could be due before START on a busy
    # machine.
    its, text = await _with(hub, "", ahead=MUCH_LATER)
    await _settled(hub, text, TextStatus.DELIVERED)
    line = hub.number("patient")
    assert (await hub.phones.answer(its.patient.phone, "Stop", line=line)).status == 200
    assert (await its.patient.commands.reschedule(its.id, its.start + APPOINTMENT_DURATION)).ok
    text = (await hub.until(lambda: _patients_texts(its, 2), "the text about the move is planned"))[1]
    text = await _settled(hub, text, TextStatus.SKIPPED)
    assert (text.reason, text.attempts) == ("opted_out", 0)
    assert (await hub.phones.answer(its.patient.phone, "START", line=line)).status == 200
    its.start = hub.slot_in(REMINDER_LEAD + TIME_TO_ACT)
    assert (await its.patient.commands.reschedule(its.id, its.start)).ok
    *_, reminder = await hub.until(lambda: _patients_texts(its, 4), "the reminder is planned")
    await _settled(hub, reminder, TextStatus.DELIVERED)
    assert await its.texts() == ["booked", "rescheduled", "reminder"]


async def _patients_texts(its: Visit, number: int) -> list[Text]:
    """Return the patient's texts if at least this number is planned, else none."""
    found = [text for text in await its.hub.texts_about(its.id) if text.line == "patient"]
    return found if len(found) >= number else []


@story
async def a_stop_that_only_twilio_knows_of_is_remembered(hub: RunningHub) -> None:
    its, text = await _with(hub, "", phone="+15005550004")
    assert (await _settled(hub, text, TextStatus.OPTED_OUT)).error_code == 21610
    reminder = (await hub.until(lambda: _patients_texts(its, 2), "the reminder is planned"))[1]
    assert (await _settled(hub, reminder, TextStatus.SKIPPED)).reason == "opted_out"


@pytest.mark.stack
@pytest.mark.parametrize("tell", STORIES, ids=[tell.__name__ for tell in STORIES])
async def test_that(tell: Story, day: dict[Story, asyncio.Task[None]]) -> None:
    await day[tell]
