"""Texts follow from the record: each is planned once, even for repeated events, and none is lost."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from agents.texts.planning import BATCH_WINDOW, CATCH_UP_INTERVAL, PlanningLimits
from hub.records.errors import BrokenRecord, StoreUnavailable
from hub.records.memory import MemoryRecords
from hub.scheduling.recorded_event import RecordedEvent
from hub.texting.text import Text
from tests.agents.actor_fixtures import InterceptedRecords, account, book, cancel, confirm, join, move
from tests.agents.virtual_time import in_virtual_time, running
from tests.agents.workers import PHONES, Worker

SOON = 1.0
"""Seconds within which the texts of an event are in the outbox."""


async def planned(worker: Worker, doctor: str = "ada") -> list[tuple[int, str, str]]:
    """Return seq, line and kind of the texts in the outbox about a doctor's events."""
    texts = worker.records.texts._stored.values()
    return sorted((text.seq, text.line, text.kind) for text in texts if text.doctor_id == doctor)


async def position(worker: Worker, doctor: str = "ada") -> int:
    return (await worker.records.text_positions.read([doctor]))[doctor]


BOOKED = [(1, "doctor", "booked"), (1, "patient", "booked")]


@in_virtual_time
async def test_what_the_actor_writes_is_in_the_outbox_soon_after() -> None:
    worker, visit = Worker(), book()
    await worker.open()
    async with running(worker.planner.run):
        await worker.do(visit, book("dora", doctor="ben"))
        await worker.do(move(visit, to=4), confirm(visit), cancel(visit))
        await asyncio.sleep(SOON)
    assert await planned(worker) == [
        *BOOKED,
        (2, "doctor", "rescheduled"),
        (2, "patient", "rescheduled"),
        (4, "doctor", "cancelled"),
    ]
    assert await planned(worker, "ben") == BOOKED
    assert (await position(worker), await position(worker, "ben")) == (4, 1)
    texts = await worker.records.texts.of_appointment(visit.id)
    assert {text.phone for text in texts} == {PHONES["ada"], PHONES["carl"]}


@in_virtual_time
async def test_after_a_join_the_texts_go_to_the_account() -> None:
    worker, visit = Worker(), book()
    await worker.open()
    async with running(worker.planner.run):
        given = join(visit, "dora")
        await worker.do(visit, given)
        await worker.do(move(visit, to=4).model_copy(update={"by": given.by}))
        await asyncio.sleep(SOON)
    texts = await worker.records.texts.of_appointment(visit.id)
    told = sorted((text.seq, text.kind, text.phone) for text in texts if text.line == "patient")
    assert told == [(1, "booked", PHONES["carl"]), (3, "rescheduled", PHONES["dora"])]


@in_virtual_time
async def test_an_event_is_planned_once_however_often_and_by_whomever() -> None:
    worker = Worker()
    another = Worker(worker.clock, worker.records)
    await worker.open()
    another.take_over(["ada"])
    async with running(worker.planner.run, another.planner.run):
        await worker.do(book())
        (appointment,) = await worker.records.appointments.active_since(["ada"], worker.clock())
        for each in (worker, another, worker):
            each.planner.take(RecordedEvent(appointment.last, appointment))
        await asyncio.sleep(SOON)
        first = await worker.records.texts.of_appointment(appointment.id)
        for each in (worker, another):
            each.take_over(["ada"])
            each.planner.take(RecordedEvent(appointment.last, appointment))
        await asyncio.sleep(CATCH_UP_INTERVAL + SOON)
    assert await planned(worker) == BOOKED
    assert await worker.records.texts.of_appointment(appointment.id) == first


@in_virtual_time
async def test_what_was_written_and_not_planned_is_planned_by_the_next_worker() -> None:
    worker = Worker()
    await worker.open()
    await worker.do(book(), book(at=1), book("dora", doctor="ben"))  # and dies before it has planned
    successor = Worker(worker.clock, worker.records)
    successor.take_over(["ada"])
    async with running(successor.planner.run):
        await asyncio.sleep(SOON)
        assert [seq for seq, line, _ in await planned(worker) if line == "patient"] == [1, 2]
        assert await planned(worker, "ben") == []

        successor.take_over(["ben"])
        await asyncio.sleep(SOON)
        assert await planned(worker, "ben") == BOOKED


@in_virtual_time
async def test_a_gap_in_what_is_told_is_filled_from_the_record() -> None:
    worker = Worker()
    await worker.open()
    stale = Worker(worker.clock, worker.records)
    async with running(worker.planner.run):
        await worker.do(book())
        await asyncio.sleep(SOON)
        await stale.do(book("dora", at=1), book("emil", at=2))
        await worker.do(book(at=3))
        await asyncio.sleep(SOON)
    assert [seq for seq, line, _ in await planned(worker) if line == "patient"] == [1, 2, 3, 4]
    assert await position(worker) == 4


@in_virtual_time
async def test_what_nobody_told_is_found_although_something_is_written_all_the_time() -> None:
    worker = Worker()
    await worker.open()
    stale = Worker(worker.clock, worker.records)
    async with running(worker.planner.run):
        await asyncio.sleep(SOON)
        await stale.do(book("emil", doctor="ben"))
        for number in range(40):
            await worker.do(book(at=number % 20, key=f"visit-{number}"))
            await asyncio.sleep(1)
    assert await planned(worker, "ben") == BOOKED


@in_virtual_time
async def test_the_position_moves_only_when_the_texts_are_in_the_outbox() -> None:
    records = MemoryRecords()
    refusing = True

    async def before_call(call: str) -> None:
        if refusing and call == "add_all":
            raise StoreUnavailable("away")

    worker = Worker(records=records, seen=InterceptedRecords(records, before_call))
    await worker.open()
    async with running(worker.planner.run):
        await worker.do(book())
        await asyncio.sleep(10)
        assert (await position(worker), await planned(worker)) == (0, [])
        refusing = False
        await asyncio.sleep(2)
        assert (await position(worker), await planned(worker)) == (1, BOOKED)


@in_virtual_time
async def test_a_death_between_the_texts_and_the_position_plans_them_once() -> None:
    records = MemoryRecords()

    async def before_call(call: str) -> None:
        if call == "advance":
            raise RuntimeError("kill -9")

    worker = Worker(records=records, seen=InterceptedRecords(records, before_call))
    await worker.open()
    await worker.do(book())
    with pytest.raises(RuntimeError, match="kill -9"):
        await worker.planner.run()
    before = await records.texts.of_appointment(next(iter(records.texts._stored.values())).appointment_id)
    successor = Worker(worker.clock, records)
    successor.take_over(["ada"])
    async with running(successor.planner.run):
        await asyncio.sleep(SOON)
    assert await position(worker) == 1
    assert await planned(worker) == BOOKED
    assert await records.texts.of_appointment(before[0].appointment_id) == before


@in_virtual_time
async def test_who_loses_or_gets_doctors_while_catching_up_goes_on() -> None:
    records = MemoryRecords()
    worker = Worker(records=records, seen=InterceptedRecords(records, lambda _: asyncio.sleep(1)))
    await worker.open()
    await worker.do(book(), book("dora", doctor="ben"))
    async with running(worker.planner.run):
        for _ in range(30):
            worker.take_over(["ada", "ben"])
            await asyncio.sleep(0.7)
        await asyncio.sleep(20)
    assert await planned(worker) == await planned(worker, "ben") == BOOKED


@in_virtual_time
async def test_a_broken_record_of_one_doctor_costs_the_others_nothing() -> None:
    records = MemoryRecords()

    seen = InterceptedRecords(records, lambda _: asyncio.sleep(0))

    async def events_after(doctor_id: str, after: int, limit: int) -> list[RecordedEvent]:
        if doctor_id == "ada":
            raise BrokenRecord("somebody has been at it")
        return await records.appointments.events_after(doctor_id, after, limit)

    seen.appointments.events_after = events_after
    worker = Worker(records=records, seen=seen)
    await worker.open()
    await Worker(worker.clock, records).do(book(), book("dora", doctor="ben"))
    async with running(worker.planner.run):
        await asyncio.sleep(SOON)
        assert (await planned(worker), await planned(worker, "ben")) == ([], BOOKED)


@in_virtual_time
async def test_a_hub_that_begins_to_text_on_an_old_record_tells_nobody_of_what_is_long_past() -> None:
    worker = Worker()
    await worker.open()
    await worker.do(book(), book("dora", at=200))  # nobody planned texts then
    await asyncio.sleep(timedelta(hours=30).total_seconds())
    await worker.do(book("emil", at=201))
    newcomer = Worker(worker.clock, worker.records)
    newcomer.take_over(["ada"])
    async with running(newcomer.planner.run):
        await asyncio.sleep(SOON)
    assert [(seq, line) for seq, line, _ in await planned(worker)] == [(3, "patient")]
    assert await position(worker) == 3


@in_virtual_time
async def test_of_thousands_of_doctors_those_are_found_of_whom_something_is_not_planned() -> None:
    records = MemoryRecords()
    asked: list[str] = []

    async def before_call(call: str) -> None:
        asked.append(call)

    worker = Worker(records=records, seen=InterceptedRecords(records, before_call))
    await worker.open()
    many = [
        account("ada").model_copy(update={"id": f"doctor-{number}", "email": f"{number}@clinic.test", "phone": None})
        for number in range(2_000)
    ]
    await records.users.add(many)
    for doctor in ("doctor-3", "doctor-1234", "doctor-1999"):
        await worker.do(book(doctor=doctor, key=doctor, at=int(doctor[-1])))
    newcomer = Worker(worker.clock, records, seen=worker.seen)
    newcomer.take_over([one.id for one in many])
    asked.clear()
    async with running(newcomer.planner.run):
        await asyncio.sleep(SOON)
    texts = records.texts._stored.values()
    assert {text.doctor_id for text in texts} == {"doctor-3", "doctor-1234", "doctor-1999"}
    assert "doctors" not in asked  # whole accounts, of which it needs the ids


@in_virtual_time
async def test_while_thousands_of_doctors_are_looked_at_new_texts_wait_for_a_few_of_them_only() -> None:
    records = MemoryRecords()

    async def before_call(call: str) -> None:
        if call == "last_seq":
            await asyncio.sleep(1)

    worker = Worker(records=records, seen=InterceptedRecords(records, before_call))
    await worker.open()
    many = [
        account("ada").model_copy(update={"id": f"doctor-{n}", "email": f"{n}@b", "phone": None}) for n in range(1000)
    ]
    await records.users.add(many)
    worker.take_over(["ada", *(one.id for one in many)])
    async with running(worker.planner.run):
        await asyncio.sleep(3 * SOON)  # the own doctor has been looked at by then
        await worker.do(book())
        await asyncio.sleep(10 * SOON)
        assert await planned(worker) == BOOKED


@in_virtual_time
async def test_after_a_write_that_took_long_the_next_texts_do_not_wait_as_long_again() -> None:
    records, away = MemoryRecords(), [timedelta(seconds=30)]

    async def before_call(call: str) -> None:
        if call == "add_all" and away:
            await asyncio.sleep(away.pop().total_seconds())

    worker = Worker(records=records, seen=InterceptedRecords(records, before_call))
    await worker.open()
    async with running(worker.planner.run):
        await worker.do(book())
        await asyncio.sleep(31)
        assert away == []
        await worker.do(book(at=1))
        await asyncio.sleep(3)
        assert [seq for seq, line, _ in await planned(worker) if line == "patient"] == [1, 2]


@in_virtual_time
async def test_many_events_cost_few_writes() -> None:
    records = MemoryRecords()
    calls: list[str] = []

    async def before_call(call: str) -> None:
        calls.append(call)

    worker = Worker(records=records, seen=InterceptedRecords(records, before_call))
    await worker.open()
    async with running(worker.planner.run):
        await asyncio.sleep(SOON)
        for number in range(50):
            await worker.do(book(at=number))
            await asyncio.sleep(BATCH_WINDOW / 10)
        await asyncio.sleep(SOON)
    assert len([one for one in await planned(worker) if one[1] == "patient"]) == 50
    assert calls.count("add_all") <= 7


@in_virtual_time
async def test_many_events_are_written_in_batches_and_other_work_runs_between() -> None:
    limits = PlanningLimits(batch_events=4, max_rest=CATCH_UP_INTERVAL)  # each call takes a second here
    records = MemoryRecords()
    sizes: list[int] = []
    asked: list[str] = []

    async def before_call(call: str) -> None:
        asked.append(call)
        await asyncio.sleep(1)

    async def add_all(texts: Sequence[Text]) -> int:
        sizes.append(len({text.seq for text in texts}))
        return await records.texts.add_all(texts)

    seen = InterceptedRecords(records, before_call)
    seen.texts.add_all = add_all
    worker = Worker(records=records, seen=seen, planning=limits)
    await worker.open()
    async with running(worker.planner.run):
        await asyncio.sleep(SOON * 10)
        await worker.do(*(book(at=number) for number in range(20)))
        await asyncio.sleep(CATCH_UP_INTERVAL * 1.2)
        assert await position(worker) < 20, "it does not take long enough to be seen waiting"
        assert "events_after" not in asked, "what waits for its turn was read from the record"
        await asyncio.sleep(CATCH_UP_INTERVAL * 3)
    assert [seq for seq, line, _ in await planned(worker) if line == "patient"] == [*range(1, 21)]
    assert max(sizes) <= 4


@in_virtual_time
async def test_events_that_exceed_the_queue_are_read_from_the_record() -> None:
    worker = Worker(planning=PlanningLimits(max_queued=3))
    await worker.open()
    async with running(worker.planner.run):
        await asyncio.sleep(SOON)
        await worker.do(*(book(at=number) for number in range(20)), *(book(at=30 + n, doctor="ben") for n in (0, 1)))
        await asyncio.sleep(SOON)
    assert [seq for seq, line, _ in await planned(worker) if line == "patient"] == [*range(1, 21)]
    assert (await position(worker), await position(worker, "ben")) == (20, 2)
