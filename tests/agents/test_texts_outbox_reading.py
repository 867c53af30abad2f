"""What is read of a long outbox: the longest waiting in turns, and urgent texts at once."""

from datetime import datetime, timedelta

import pytest

from agents.texts.outbox_reading import READ_LIMIT, OutboxReader
from hub.records.memory_texts import MemoryTexts
from hub.texting.text import URGENT, Line, StatusUpdate, Text, TextKind, TextStatus, text_id
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

    async def due(self, line: Line, until: datetime, limit: int) -> list[Text]:
        self.passed_over.append(len(await super().due(line, until, 10**6)))
        return await super().due(line, until, limit)

    async def urgent(self, line: Line, until: datetime, limit: int, since: datetime | None = None) -> list[Text]:
        due = [one for one in await super().due(line, until, 10**6) if not since or one.not_before >= since]
        self.passed_over.append(len(due))
        return [text for kind in URGENT for text in due if text.kind == kind][:limit]


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


async def test_an_urgent_text_that_is_planned_late_comes_first_within_a_minute(texts: Texts) -> None:
    clock = At(NOW + timedelta(minutes=5))
    reader = OutboxReader(texts, "patient", clock)
    for _ in range(3):
        await reader.due()
        clock.now += 5 * SECOND
    late = planned(LONG, NOW + timedelta(minutes=1), "reminder")
    await texts.add_all([late])
    looks = 0
    while late.id != (await reader.due())[0].id:
        looks += 1
        clock.now += 5 * SECOND
        assert looks < 12, "an hour-old reminder waits behind everything else"


async def test_after_another_worker_had_the_lead_everything_is_read_again(texts: Texts) -> None:
    clock = At(NOW + timedelta(minutes=5))
    reader = OutboxReader(texts, "patient", clock)
    first = await reader.due()
    reader.forget()
    texts.passed_over.clear()
    assert await reader.due() == first
    assert texts.passed_over == [LONG, LONG]
