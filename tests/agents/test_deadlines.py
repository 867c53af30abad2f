"""Timers: to the millisecond, for one's own doctors only, and as often as it takes until the actor has settled it."""

import asyncio
from datetime import datetime, timedelta

import pytest
from aiokafka.errors import KafkaConnectionError

from agents.deadlines import GIVEN_UP, PENDING, READ_EVERY, WINDOW
from hub.records.errors import StoreUnavailable
from hub.records.memory import MemoryRecords
from hub.records.ports import Deadline
from tests.agents.actor_fixtures import NOW, Meddled, book, cancel, move, slot, verdicts
from tests.agents.virtual_time import clock_from, hurried, running, wakes
from tests.agents.workers import Practice, sent, until

SECOND = timedelta(seconds=1)
REMINDER, START, NO_SHOW = slot(0) - timedelta(hours=3), slot(0), slot(0) + timedelta(minutes=15)
"""Of the first slot of the day, seven hours from now."""


def shortly_before(instant: datetime, **more: object) -> Practice:
    """Return a worker ten seconds before the instant."""
    return Practice(clock_from(instant - 10 * SECOND), **more)


def read_slowly() -> Practice:
    """Return such a worker whose reads take five seconds, and find what was there at their beginning."""
    records = MemoryRecords()
    seen = Meddled(records, lambda _: asyncio.sleep(0))

    async def due(until: datetime) -> list[Deadline]:
        found = await records.appointments.due(until)
        await asyncio.sleep(5)
        return found

    seen.appointments.due = due
    return shortly_before(REMINDER, records=records, seen=seen)


async def booked(practice: Practice, *bookings: object, at: datetime = NOW) -> None:
    """Put appointments into the record that another worker made at `at`."""
    other = Practice(clock_from(at - asyncio.get_running_loop().time() * SECOND), practice.records)
    await other.do(*bookings)
    assert set(verdicts(other.answers)) == {"scheduled"}


@hurried
async def test_a_reminder_is_due_three_hours_before_and_a_no_show_a_quarter_of_an_hour_after_to_the_instant() -> None:
    practice, visit = Practice(), book()
    await practice.open()
    await practice.do(visit)
    async with running(practice.deadlines.run):
        await until(practice.clock, NO_SHOW + timedelta(hours=1))
    assert sent(practice) == [(REMINDER, "remind"), (NO_SHOW, "mark_no_show")]
    assert await practice.happened(visit.id) == [(NOW, "booked"), (REMINDER, "reminded"), (NO_SHOW, "no_show")]


@hurried
async def test_between_two_reads_it_wakes_when_something_is_due_and_not_to_look_whether_it_is() -> None:
    practice = shortly_before(REMINDER)
    await practice.open()
    await booked(practice, book(), book("dora", doctor="ben"))
    async with running(practice.deadlines.run):
        await asyncio.sleep(READ_EVERY - 1)
        assert [command.kind for _, command in practice.sent] == ["remind", "remind"]
        assert wakes() == [10.0, READ_EVERY - 1]


@hurried
async def test_what_is_due_later_than_the_window_is_not_in_memory() -> None:
    practice = shortly_before(REMINDER)
    await practice.open()
    await booked(practice, *(book(at=number) for number in range(60)))
    async with running(practice.deadlines.run):
        await asyncio.sleep(0.001)
        assert PENDING._value.get() == 1
        later = await practice.records.appointments.due(REMINDER + timedelta(days=7))
        assert len([one for one in later if one.due > practice.clock.after(WINDOW)]) > 50


@hurried
async def test_the_doctors_of_others_are_left_to_them_until_one_takes_over() -> None:
    practice = shortly_before(REMINDER)
    await practice.open(owned=["ada"])
    await booked(practice, book(), book("dora", doctor="ben"))
    async with running(practice.deadlines.run):
        await until(practice.clock, REMINDER + 60 * SECOND)
        assert [(at, command.doctor_id) for at, command in practice.sent] == [(REMINDER, "ada")]

        practice.take_over(["ben"])
        await asyncio.sleep(0.001)
        assert practice.sent[1:] == [(REMINDER + 60 * SECOND + timedelta(milliseconds=1), practice.sent[1][1])]
        assert practice.sent[1][1].doctor_id == "ben"
        await until(practice.clock, NO_SHOW)
        assert [(at, command.doctor_id) for at, command in practice.sent[2:]] == [(NO_SHOW, "ben")]


@hurried
async def test_a_deadline_that_is_made_after_the_read_is_not_late() -> None:
    practice, visit = shortly_before(REMINDER), book()
    await practice.open()
    async with running(practice.deadlines.run):
        await asyncio.sleep(5)
        await practice.do(visit)
        await until(practice.clock, REMINDER)
        assert sent(practice) == [(REMINDER, "remind")]


@hurried
async def test_a_deadline_that_is_made_during_the_read_is_not_late() -> None:
    practice = read_slowly()
    await practice.open()
    async with running(practice.deadlines.run):
        await asyncio.sleep(2)
        await practice.do(book())
        await until(practice.clock, REMINDER)
        assert sent(practice) == [(REMINDER, "remind")]


@hurried
async def test_who_takes_over_during_a_read_reads_again() -> None:
    practice = read_slowly()
    await practice.open(owned=())
    async with running(practice.deadlines.run):
        await asyncio.sleep(2)
        await booked(practice, book(), at=NOW)  # the last thing that the worker before did
        practice.take_over(["ada"])
        await until(practice.clock, REMINDER)
        assert sent(practice) == [(REMINDER, "remind")]


@hurried
async def test_a_command_is_sent_again_at_each_read_until_the_actor_has_settled_it() -> None:
    practice = shortly_before(REMINDER, deaf=True)
    await practice.open()
    await booked(practice, book())
    async with running(practice.deadlines.run):
        await until(practice.clock, REMINDER + 55 * SECOND)
        assert [at for at, _ in practice.sent] == [REMINDER, REMINDER + 20 * SECOND, REMINDER + 50 * SECOND]
        assert len({command.id for _, command in practice.sent}) == 1

        practice.deaf = False
        await until(practice.clock, REMINDER + 600 * SECOND)
        assert len(practice.sent) == 4
    assert verdicts(practice.answers) == ["scheduled"]


@hurried
async def test_however_many_workers_send_it_a_reminder_counts_once() -> None:
    practice, visit = shortly_before(REMINDER), book()
    await practice.open()
    await booked(practice, visit)
    another = Practice(practice.clock, practice.records)
    another.take_over(["ada"])
    async with running(practice.deadlines.run, another.deadlines.run):
        await until(practice.clock, REMINDER + 600 * SECOND)
    assert sent(practice)[0] == sent(another)[0] == (REMINDER, "remind")
    assert [what for _, what in await practice.happened(visit.id)] == ["booked", "reminded"]


@hurried
async def test_while_the_database_is_away_what_is_known_is_sent_and_the_rest_as_soon_as_it_is_back() -> None:
    records = MemoryRecords()
    away = False

    async def meddle(_: str) -> None:
        if away:
            raise StoreUnavailable("away")

    practice = shortly_before(REMINDER, records=records, seen=Meddled(records, meddle))
    await practice.open()
    await booked(practice, book())
    async with running(practice.deadlines.run):
        await asyncio.sleep(1)
        away = True
        practice.take_over(["ada"])
        await until(practice.clock, REMINDER + 20 * SECOND)
        assert sent(practice) == []
        away = False
        await asyncio.sleep(1)
        assert [command.kind for _, command in practice.sent] == ["remind"]
        away = True
        await until(practice.clock, REMINDER + 600 * SECOND)
        away = False
    assert len(practice.sent) == 1


@hurried
async def test_a_read_that_fails_forgets_nothing() -> None:
    records = MemoryRecords()
    away = False

    async def meddle(_: str) -> None:
        if away:
            raise StoreUnavailable("away")

    practice = Practice(clock_from(REMINDER - 60 * SECOND), records, seen=Meddled(records, meddle))
    await practice.open()
    await booked(practice, book())
    async with running(practice.deadlines.run):
        await asyncio.sleep(1)
        away = True
        await until(practice.clock, REMINDER)
        assert sent(practice) == [(REMINDER, "remind")]


@hurried
async def test_a_command_that_the_broker_does_not_take_is_sent_soon_after_it_is_back() -> None:
    practice = shortly_before(REMINDER, broken=KafkaConnectionError())
    await practice.open()
    await booked(practice, book())
    async with running(practice.deadlines.run):
        await until(practice.clock, REMINDER + 20 * SECOND)
        practice.broken = None
        await asyncio.sleep(1.5)
        assert [command.kind for _, command in practice.sent] == ["remind"]
        assert practice.sent[0][0] <= REMINDER + 22 * SECOND


@hurried
@pytest.mark.parametrize("gone", [cancel, lambda visit: move(visit, to=8)])
async def test_what_has_been_cancelled_or_moved_meanwhile_yields_nothing(gone: object) -> None:
    practice, visit = shortly_before(REMINDER, deaf=True), book()
    await practice.open()
    await practice.do(visit)
    async with running(practice.deadlines.run):
        await until(practice.clock, REMINDER)
        assert sent(practice) == [(REMINDER, "remind")]
    await practice.do(gone(visit))
    before = await practice.happened(visit.id)
    await practice.do(practice.sent[0][1])  # it was on its way all the time
    assert verdicts(practice.answers)[-1] == "wrong_status"
    assert await practice.happened(visit.id) == before


@hurried
async def test_an_appointment_that_moves_is_reminded_of_at_its_new_time_and_again_when_it_has_come_back() -> None:
    practice, visit = Practice(), book()
    await practice.open()
    await practice.do(visit)
    async with running(practice.deadlines.run):
        await until(practice.clock, REMINDER)
        await practice.do(move(visit, to=14))
        await until(practice.clock, REMINDER + timedelta(hours=6, minutes=59))
        assert sent(practice) == [(REMINDER, "remind")]
        await until(practice.clock, REMINDER + timedelta(hours=7))
        await practice.do(move(visit, to=22))
        await practice.do(move(visit, to=21))
        await practice.do(move(visit, to=22))
        await until(practice.clock, slot(22) + timedelta(minutes=15))
    assert sent(practice) == [
        (REMINDER, "remind"),
        (REMINDER + timedelta(hours=7), "remind"),
        (slot(22) - timedelta(hours=3), "remind"),
        (slot(22) + timedelta(minutes=15), "mark_no_show"),
    ]
    assert set(verdicts(practice.answers)) == {"scheduled", "no_show"}


@hurried
@pytest.mark.parametrize(
    ("up_again", "what"),
    [
        (START - timedelta(minutes=30), ["reminded"]),
        (START - timedelta(minutes=30) + timedelta(milliseconds=1), ["reminder_missed"]),
        (NO_SHOW, ["reminder_missed", "no_show"]),
        (NO_SHOW + timedelta(days=3), ["reminder_missed", "no_show"]),
    ],
)
async def test_what_came_due_while_nothing_ran_is_made_up_for_while_it_is_of_use(
    up_again: datetime, what: list[str]
) -> None:
    practice, visit = Practice(clock_from(up_again)), book()
    await practice.open()
    await booked(practice, visit)
    async with running(practice.deadlines.run):
        await asyncio.sleep(0.0001)
    assert await practice.happened(visit.id) == [(NOW, "booked"), *((up_again, each) for each in what)]


@hurried
async def test_the_deadline_of_a_doctor_whose_account_is_gone_is_given_up_until_somebody_takes_over() -> None:
    practice, others = shortly_before(REMINDER), book("dora", doctor="ben")
    await practice.open()
    await booked(practice, book(), others)
    ada = practice.records.users._stored.pop("ada")
    given_up = GIVEN_UP._value.get()
    async with running(practice.deadlines.run):
        await until(practice.clock, REMINDER + 600 * SECOND)
        assert [command.doctor_id for _, command in practice.sent] == ["ada", "ben"]
        assert GIVEN_UP._value.get() == given_up + 1
        assert [what for _, what in await practice.happened(others.id)] == ["booked", "reminded"]

        practice.records.users._stored["ada"] = ada
        practice.take_over(["ada"])
        await asyncio.sleep(1)
    assert verdicts(practice.answers) == ["not_found", "scheduled", "scheduled"]


@hurried
async def test_on_a_faster_clock_it_is_as_punctual() -> None:
    practice, visit = Practice(clock_from(NOW, rate=600)), book()
    await practice.open()
    await practice.do(visit)
    async with running(practice.deadlines.run):
        await until(practice.clock, NO_SHOW + timedelta(hours=1))
        assert asyncio.get_running_loop().time() < 60
    assert sent(practice) == [(REMINDER, "remind"), (NO_SHOW, "mark_no_show")]
