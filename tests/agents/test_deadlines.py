"""Deadlines: exact to the millisecond, for the worker's own doctors only, and repeated until the actor has decided."""

import asyncio
from datetime import datetime, timedelta

import pytest
from aiokafka.errors import KafkaConnectionError

from agents.deadlines import GIVEN_UP, PENDING, READ_INTERVAL, WINDOW
from hub.records.errors import StoreUnavailable
from hub.records.memory import MemoryRecords
from hub.records.ports import Deadline
from tests.agents.actor_fixtures import (
    NOW,
    InterceptedRecords,
    book,
    cancel,
    check_in,
    move,
    slot,
    undo_visit,
    verdicts,
)
from tests.agents.virtual_time import clock_from, in_virtual_time, running, wakes
from tests.agents.workers import Worker, sent, until

SECOND = timedelta(seconds=1)
REMINDER, START, NO_SHOW = slot(0) - timedelta(hours=3), slot(0), slot(0) + timedelta(minutes=15)
"""The reminder of the first slot, which is seven hours from now."""


def shortly_before(instant: datetime, **more: object) -> Worker:
    """Return a worker, ten seconds before the instant."""
    return Worker(clock_from(instant - 10 * SECOND), **more)


def read_slowly() -> Worker:
    """Return such a worker whose reads take five seconds and return the state at their beginning."""
    records = MemoryRecords()
    seen = InterceptedRecords(records, lambda _: asyncio.sleep(0))

    async def due(until: datetime) -> list[Deadline]:
        found = await records.appointments.due(until)
        await asyncio.sleep(5)
        return found

    seen.appointments.due = due
    return shortly_before(REMINDER, records=records, seen=seen)


async def booked(worker: Worker, *bookings: object, at: datetime = NOW) -> None:
    """Write appointments into the record that another worker made at `at`."""
    other = Worker(clock_from(at - asyncio.get_running_loop().time() * SECOND), worker.records)
    await other.do(*bookings)
    assert set(verdicts(other.answers)) == {"scheduled"}


@in_virtual_time
async def test_a_reminder_is_due_three_hours_before_and_a_no_show_a_quarter_of_an_hour_after_to_the_instant() -> None:
    worker, visit = Worker(), book()
    await worker.open()
    await worker.do(visit)
    async with running(worker.deadlines.run):
        await until(worker.clock, NO_SHOW + timedelta(hours=1))
    assert sent(worker) == [(REMINDER, "remind"), (NO_SHOW, "mark_no_show")]
    assert await worker.happened(visit.id) == [(NOW, "booked"), (REMINDER, "reminded"), (NO_SHOW, "no_show")]


@in_virtual_time
async def test_who_has_arrived_does_not_become_a_no_show_and_who_leaves_again_does() -> None:
    stays, leaves, leaves_late = book(), book("dora", at=1), book("emil", at=2)
    worker = shortly_before(slot(0))
    await worker.open()
    await booked(worker, stays, leaves, leaves_late)
    await worker.do(*(check_in(each) for each in (stays, leaves, leaves_late)))
    async with running(worker.deadlines.run):
        await until(worker.clock, slot(0) + timedelta(minutes=5))
        await worker.do(undo_visit(leaves))
        await until(worker.clock, slot(2) + timedelta(hours=1))
        await worker.do(undo_visit(leaves_late))
        await until(worker.clock, slot(2) + timedelta(hours=2))
    assert [kind for _, kind in sent(worker)] == ["mark_no_show", "mark_no_show"]
    assert "no_show" not in [type_ for _, type_ in await worker.happened(stays.id)]
    assert (await worker.happened(leaves.id))[-1] == (slot(1) + timedelta(minutes=15), "no_show")
    at, type_ = (await worker.happened(leaves_late.id))[-1]
    assert type_ == "no_show"
    assert at - (slot(2) + timedelta(hours=1)) < SECOND


@in_virtual_time
async def test_between_two_reads_it_wakes_when_something_is_due_and_not_to_look_whether_it_is() -> None:
    worker = shortly_before(REMINDER)
    await worker.open()
    await booked(worker, book(), book("dora", doctor="ben"))
    async with running(worker.deadlines.run):
        await asyncio.sleep(READ_INTERVAL - 1)
        assert [command.kind for _, command in worker.sent] == ["remind", "remind"]
        assert wakes() == [10.0, READ_INTERVAL - 1]


@in_virtual_time
async def test_what_is_due_later_than_the_window_is_not_in_memory() -> None:
    worker = shortly_before(REMINDER)
    await worker.open()
    await booked(worker, *(book(at=number) for number in range(60)))
    async with running(worker.deadlines.run):
        await asyncio.sleep(0.001)
        assert PENDING._value.get() == 1
        later = await worker.records.appointments.due(REMINDER + timedelta(days=7))
        assert len([one for one in later if one.due > worker.clock.after(WINDOW)]) > 50


@in_virtual_time
async def test_the_doctors_of_others_are_left_to_them_until_one_takes_over() -> None:
    worker = shortly_before(REMINDER)
    await worker.open(owned=["ada"])
    await booked(worker, book(), book("dora", doctor="ben"))
    async with running(worker.deadlines.run):
        await until(worker.clock, REMINDER + 60 * SECOND)
        assert [(at, command.doctor_id) for at, command in worker.sent] == [(REMINDER, "ada")]

        worker.take_over(["ben"])
        await asyncio.sleep(0.001)
        assert worker.sent[1:] == [(REMINDER + 60 * SECOND + timedelta(milliseconds=1), worker.sent[1][1])]
        assert worker.sent[1][1].doctor_id == "ben"
        await until(worker.clock, NO_SHOW)
        assert [(at, command.doctor_id) for at, command in worker.sent[2:]] == [(NO_SHOW, "ben")]


@in_virtual_time
async def test_a_deadline_that_is_made_after_the_read_is_not_late() -> None:
    worker, visit = shortly_before(REMINDER), book()
    await worker.open()
    async with running(worker.deadlines.run):
        await asyncio.sleep(5)
        await worker.do(visit)
        await until(worker.clock, REMINDER)
        assert sent(worker) == [(REMINDER, "remind")]


@in_virtual_time
async def test_a_deadline_that_is_made_during_the_read_is_not_late() -> None:
    worker = read_slowly()
    await worker.open()
    async with running(worker.deadlines.run):
        await asyncio.sleep(2)
        await worker.do(book())
        await until(worker.clock, REMINDER)
        assert sent(worker) == [(REMINDER, "remind")]


@in_virtual_time
async def test_who_takes_over_during_a_read_reads_again() -> None:
    worker = read_slowly()
    await worker.open(owned=())
    async with running(worker.deadlines.run):
        await asyncio.sleep(2)
        await booked(worker, book(), at=NOW)  # the last thing that the worker before did
        worker.take_over(["ada"])
        await until(worker.clock, REMINDER)
        assert sent(worker) == [(REMINDER, "remind")]


@in_virtual_time
async def test_a_command_is_sent_again_at_each_read_until_the_actor_has_settled_it() -> None:
    worker = shortly_before(REMINDER, deaf=True)
    await worker.open()
    await booked(worker, book())
    async with running(worker.deadlines.run):
        await until(worker.clock, REMINDER + 55 * SECOND)
        assert [at for at, _ in worker.sent] == [REMINDER, REMINDER + 20 * SECOND, REMINDER + 50 * SECOND]
        assert len({command.id for _, command in worker.sent}) == 1

        worker.deaf = False
        await until(worker.clock, REMINDER + 600 * SECOND)
        assert len(worker.sent) == 4
    assert verdicts(worker.answers) == ["scheduled"]


@in_virtual_time
async def test_however_many_workers_send_it_a_reminder_counts_once() -> None:
    worker, visit = shortly_before(REMINDER), book()
    await worker.open()
    await booked(worker, visit)
    another = Worker(worker.clock, worker.records)
    another.take_over(["ada"])
    async with running(worker.deadlines.run, another.deadlines.run):
        await until(worker.clock, REMINDER + 600 * SECOND)
    assert sent(worker)[0] == sent(another)[0] == (REMINDER, "remind")
    assert [what for _, what in await worker.happened(visit.id)] == ["booked", "reminded"]


@in_virtual_time
async def test_while_the_database_is_away_what_is_known_is_sent_and_the_rest_as_soon_as_it_is_back() -> None:
    records = MemoryRecords()
    away = False

    async def before_call(_: str) -> None:
        if away:
            raise StoreUnavailable("away")

    worker = shortly_before(REMINDER, records=records, seen=InterceptedRecords(records, before_call))
    await worker.open()
    await booked(worker, book())
    async with running(worker.deadlines.run):
        await asyncio.sleep(1)
        away = True
        worker.take_over(["ada"])
        await until(worker.clock, REMINDER + 20 * SECOND)
        assert sent(worker) == []
        away = False
        await asyncio.sleep(1)
        assert [command.kind for _, command in worker.sent] == ["remind"]
        away = True
        await until(worker.clock, REMINDER + 600 * SECOND)
        away = False
    assert len(worker.sent) == 1


@in_virtual_time
async def test_a_read_that_fails_forgets_nothing() -> None:
    records = MemoryRecords()
    away = False

    async def before_call(_: str) -> None:
        if away:
            raise StoreUnavailable("away")

    worker = Worker(clock_from(REMINDER - 60 * SECOND), records, seen=InterceptedRecords(records, before_call))
    await worker.open()
    await booked(worker, book())
    async with running(worker.deadlines.run):
        await asyncio.sleep(1)
        away = True
        await until(worker.clock, REMINDER)
        assert sent(worker) == [(REMINDER, "remind")]


@in_virtual_time
async def test_a_command_that_the_broker_does_not_take_is_sent_soon_after_it_is_back() -> None:
    worker = shortly_before(REMINDER, broken=KafkaConnectionError())
    await worker.open()
    await booked(worker, book())
    async with running(worker.deadlines.run):
        await until(worker.clock, REMINDER + 20 * SECOND)
        worker.broken = None
        await asyncio.sleep(1.5)
        assert [command.kind for _, command in worker.sent] == ["remind"]
        assert worker.sent[0][0] <= REMINDER + 22 * SECOND


@in_virtual_time
@pytest.mark.parametrize("gone", [cancel, lambda visit: move(visit, to=8)])
async def test_what_has_been_cancelled_or_moved_meanwhile_yields_nothing(gone: object) -> None:
    worker, visit = shortly_before(REMINDER, deaf=True), book()
    await worker.open()
    await worker.do(visit)
    async with running(worker.deadlines.run):
        await until(worker.clock, REMINDER)
        assert sent(worker) == [(REMINDER, "remind")]
    await worker.do(gone(visit))
    before = await worker.happened(visit.id)
    await worker.do(worker.sent[0][1])  # it was on its way all the time
    assert verdicts(worker.answers)[-1] == "wrong_status"
    assert await worker.happened(visit.id) == before


@in_virtual_time
async def test_an_appointment_that_moves_is_reminded_of_at_its_new_time_and_again_when_it_has_come_back() -> None:
    worker, visit = Worker(), book()
    await worker.open()
    await worker.do(visit)
    async with running(worker.deadlines.run):
        await until(worker.clock, REMINDER)
        await worker.do(move(visit, to=14))
        await until(worker.clock, REMINDER + timedelta(hours=6, minutes=59))
        assert sent(worker) == [(REMINDER, "remind")]
        await until(worker.clock, REMINDER + timedelta(hours=7))
        await worker.do(move(visit, to=22))
        await worker.do(move(visit, to=21))
        await worker.do(move(visit, to=22))
        await until(worker.clock, slot(22) + timedelta(minutes=15))
    assert sent(worker) == [
        (REMINDER, "remind"),
        (REMINDER + timedelta(hours=7), "remind"),
        (slot(22) - timedelta(hours=3), "remind"),
        (slot(22) + timedelta(minutes=15), "mark_no_show"),
    ]
    assert set(verdicts(worker.answers)) == {"scheduled", "no_show"}


@in_virtual_time
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
    worker, visit = Worker(clock_from(up_again)), book()
    await worker.open()
    await booked(worker, visit)
    async with running(worker.deadlines.run):
        await asyncio.sleep(0.0001)
    assert await worker.happened(visit.id) == [(NOW, "booked"), *((up_again, each) for each in what)]


@in_virtual_time
async def test_the_deadline_of_a_doctor_whose_account_is_gone_is_given_up_until_somebody_takes_over() -> None:
    worker, others = shortly_before(REMINDER), book("dora", doctor="ben")
    await worker.open()
    await booked(worker, book(), others)
    ada = worker.records.users._stored.pop("ada")
    given_up = GIVEN_UP._value.get()
    async with running(worker.deadlines.run):
        await until(worker.clock, REMINDER + 600 * SECOND)
        assert [command.doctor_id for _, command in worker.sent] == ["ada", "ben"]
        assert GIVEN_UP._value.get() == given_up + 1
        assert [what for _, what in await worker.happened(others.id)] == ["booked", "reminded"]

        worker.records.users._stored["ada"] = ada
        worker.take_over(["ada"])
        await asyncio.sleep(1)
    assert verdicts(worker.answers) == ["not_found", "scheduled", "scheduled"]


@in_virtual_time
async def test_on_a_faster_clock_it_is_as_punctual() -> None:
    worker, visit = Worker(clock_from(NOW, rate=600)), book()
    await worker.open()
    await worker.do(visit)
    async with running(worker.deadlines.run):
        await until(worker.clock, NO_SHOW + timedelta(hours=1))
        assert asyncio.get_running_loop().time() < 60
    assert sent(worker) == [(REMINDER, "remind"), (NO_SHOW, "mark_no_show")]
