"""What is read of a long outbox: the longest waiting in turns, and urgent texts at once."""

from datetime import datetime, timedelta

import pytest

from agents.texts.outbox_reading import READ_LIMIT, OutboxReader
from hub.records.memory_texts import MemoryTexts
from hub.texting.text import Line, StatusUpdate, Text, TextKind, TextStatus, UrgentKind, text_id
from tests.agents.actor_fixtures import NOW

SECOND = timedelta(seconds=1)
LONG = 3 * READ_LIMIT


class At:
    """A clock that is set by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class Texts(MemoryTexts):
    """Notes how much was due at each read."""

    def __init__(self) -> None:
        super().__init__()
        self.passed_over: list[int] = []

    async def due(self, line: Line, until: datetime, limit: int, kind: UrgentKind | None = None) -> list[Text]:
        self.passed_over.append(len(await super().due(line, until, 10**6, kind)))
        return await super().due(line, until, limit, kind)


def planned(seq: int, at: datetime, kind: TextKind = "booked") -> Text:
    return Text(
        id=text_id("ada", seq, "carl"),
        kind=kind,
        line="patient",
        user_id="carl",
        phone="+12025550140",
        appointment_id="a1",
        doctor_id="ada",
        seq=seq,
        version=1,
        start=NOW + timedelta(days=1),
        body="a text",
        status=TextStatus.PLANNED,
        not_before=at,
        useless_after=NOW + timedelta(days=1),
        created_at=at,
        updated_at=at,
    )


@pytest.fixture
async def texts() -> Texts:
    texts = Texts()
    await texts.add_all([planned(seq, NOW + seq * SECOND / 100) for seq in range(LONG)])
    return texts


async def sent(texts: Texts, some: list[Text]) -> None:
    for text in some:
        await texts.settle(text.id, StatusUpdate(TextStatus.RECORDED), NOW)


async def test_each_text_is_read_in_its_turn_and_a_long_queue_is_passed_over_rarely(texts: Texts) -> None:
    clock = At(NOW + timedelta(minutes=5))
    reader, order, rounds = OutboxReader(texts, "patient", clock), [], 0
    while read := list(await reader.due())[:5]:
        order += [text.seq for text in read]
        await sent(texts, read)
        clock.now += 5 * SECOND
        rounds += 1
    assert order == list(range(LONG))
    whole = [passed for passed in texts.passed_over if passed > READ_LIMIT]
    assert len(whole) < rounds / 3, "of three reads in each round, nearly all passed over the whole queue"


@pytest.mark.parametrize("kind", ["reminder", "code"])
async def test_an_urgent_text_comes_first_at_the_next_read_and_until_it_is_sent(texts: Texts, kind: TextKind) -> None:
    clock = At(NOW + timedelta(minutes=5))
    reader = OutboxReader(texts, "patient", clock)
    for _ in range(3):
        await reader.due()
        clock.now += 5 * SECOND
    urgent = [planned(LONG + number, clock.now - SECOND, kind) for number in range(7)]
    await texts.add_all(urgent)
    left = {text.id for text in urgent}
    for _ in range(4):
        read = list(await reader.due())[:2]
        assert {text.id for text in read[: len(left)]} <= left
        await sent(texts, read)
        left -= {text.id for text in read}
        clock.now += 20 * SECOND
    assert not left


async def test_an_urgent_text_that_is_planned_late_comes_first_at_once(texts: Texts) -> None:
    clock = At(NOW + timedelta(minutes=5))
    reader = OutboxReader(texts, "patient", clock)
    for _ in range(3):
        await reader.due()
        clock.now += 5 * SECOND
    late = planned(LONG, NOW + timedelta(minutes=1), "reminder")
    await texts.add_all([late])
    assert (await reader.due())[0] == late


async def test_many_urgent_texts_are_read_in_their_turns_as_well(texts: Texts) -> None:
    clock = At(NOW + timedelta(minutes=5))
    reader = OutboxReader(texts, "patient", clock)
    reminders = [planned(LONG + number, NOW + number * SECOND / 100, "reminder") for number in range(LONG)]
    await texts.add_all([*reminders, planned(2 * LONG, NOW + SECOND, "code")])
    order = []
    for _ in range(LONG // 5):
        read = list(await reader.due())[:5]
        order += [text.seq for text in read]
        await sent(texts, read)
        clock.now += SECOND
    assert order == [2 * LONG, *range(LONG, 2 * LONG - 1)]


async def test_after_another_worker_had_the_lead_everything_is_read_again(texts: Texts) -> None:
    clock = At(NOW + timedelta(minutes=5))
    reader = OutboxReader(texts, "patient", clock)
    first = await reader.due()
    reader.forget()
    texts.passed_over.clear()
    assert await reader.due() == first
    assert texts.passed_over == [LONG, 0, 0]
