"""The statistics of a doctor's view: always as the record says, and not read again when something has happened."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from api.views.doctor_statistics import DoctorStatistics
from api.views.doctor_view import BEGINNING
from hub.records.errors import StoreUnavailable
from hub.records.schedules import schedule_record_of
from hub.scheduling.offer_figures import outcome_of
from hub.scheduling.outcomes import OutcomeCounts
from hub.scheduling.statistics import Statistics, statistics
from tests.agents.actor_fixtures import SharedStore, book, call_in, cancel, check_in, confirm, hours, miss, move, slot
from tests.agents.test_actors_waitlist import accept, decline, tend, waits
from tests.api.views.clinic import Process, done, process

MONTH = 31 * 48
"""Slots of 31 days."""
END = datetime(2900, 1, 1, tzinfo=UTC)


@pytest.fixture
async def store() -> SharedStore:
    store = SharedStore()
    await store.open()
    return store


@pytest.fixture
async def api(store: SharedStore) -> AsyncIterator[Process]:
    async with process(store) as api:
        yield api


@pytest.fixture
def figures(api: Process, store: SharedStore) -> DoctorStatistics:
    return DoctorStatistics(api.views, api.records, lambda: store.now)


async def shown(
    figures: DoctorStatistics,
    start_from: datetime | None = None,
    start_to: datetime | None = None,
    doctor: str = "ada",
) -> Statistics:
    found = await figures.of(doctor, 0, (start_from, start_to))
    assert found is not None
    return Statistics.model_validate_json(found[0].content)


async def stored(
    store: SharedStore, start_from: datetime | None = None, start_to: datetime | None = None, doctor: str = "ada"
) -> Statistics:
    """Return the statistics, counted from the record."""
    record = await schedule_record_of(store.records, doctor)
    assert record is not None
    outcomes = await store.records.appointments.outcomes(doctor, start_from, start_to)
    offered = await store.records.waitlist.offers(doctor, BEGINNING)
    offers = [offer for each in offered if (offer := outcome_of(each))]
    within = [each for each in offers if (start_from or BEGINNING) <= each.start < (start_to or END)]
    return statistics(record.current, [OutcomeCounts.of(record.current.zone, outcomes.values())], within)


@pytest.mark.parametrize("seed", range(8))
async def test_the_statistics_are_those_of_the_record_after_any_event(
    api: Process, store: SharedStore, figures: DoctorStatistics, seed: int
) -> None:
    chance = random.Random(seed)
    bookings = [book(chance.choice(("carl", "dora")), at=number * 331) for number in range(40)]
    await done(store, *bookings[:12])
    await shown(figures)
    before = api.reads["outcomes"]
    assert before > 10
    for number, booking in enumerate(bookings[12:]):
        some = chance.choice(bookings[:12])
        change = chance.choice((confirm(some), cancel(some), move(some, chance.randrange(20_000, 30_000)), hours(8)))
        api.receive(await done(store, booking, change))
        begin, end = sorted(slot(chance.randrange(-MONTH, 9 * MONTH)) for _ in range(2))
        for span in ((None, None), (begin, end), (begin, None), (None, end)):
            assert await shown(figures, *span) == await stored(store, *span), number
    assert api.reads["outcomes"] == before


async def test_a_range_reads_only_its_months(api: Process, store: SharedStore, figures: DoctorStatistics) -> None:
    bookings = [book(at=number * MONTH) for number in range(6)]
    await done(store, *bookings)
    for span, reads in (((slot(0), slot(5)), 1), ((slot(1), slot(9)), 0), ((slot(0), slot(2 * MONTH)), 2)):
        before = api.reads["outcomes"]
        assert await shown(figures, *span) == await stored(store, *span)
        assert api.reads["outcomes"] - before == reads
    api.receive(await done(store, move(bookings[0], 3 * MONTH), move(bookings[5], 1)))
    for span in ((slot(0), slot(2)), (None, None)):
        assert await shown(figures, *span) == await stored(store, *span)


async def test_a_visit_and_a_no_show_are_counted_when_they_happen(
    api: Process, store: SharedStore, figures: DoctorStatistics
) -> None:
    first, second = book(at=1), book("dora", at=2)
    await done(store, first, second)
    await shown(figures)
    store.now = slot(1)
    api.receive(await done(store, check_in(first)))
    store.now = slot(2)
    api.receive(await done(store, call_in(first)))
    store.now = slot(4)
    api.receive(await done(store, miss(second)))
    counted = await shown(figures)
    assert (counted.all.no_show, counted.waiting_times.all.count, counted.waiting_times.all.median_minutes) == (
        1,
        1,
        30,
    )
    assert counted == await stored(store)


@pytest.mark.parametrize("asked_after", range(6))
async def test_offers_are_counted_whenever_the_statistics_are_first_asked_for(
    api: Process, store: SharedStore, figures: DoctorStatistics, asked_after: int
) -> None:
    store.now = slot(-8)  # eight o'clock: offers may be texted
    await api.views.doctor("ada")
    first, second = tend(), tend()
    api.receive(await done(store, waits("carl"), waits("dora"), first))
    for number in range(6):
        if number == asked_after:
            await shown(figures)
        store.now += timedelta(minutes=4)
        offered = [await store.appointment(each.id) for each in (first, second)[: 1 + (number > 1)]]
        steps = {0: decline(offered[0]), 1: second, 2: accept(offered[-1]), 3: tend()}
        if number in steps:
            api.receive(await done(store, steps[number]))
    counted = (await shown(figures)).offers
    assert (counted.total, counted.declined, counted.taken, counted.fill_times.median_minutes) == (2, 1, 1, 12)
    assert (await shown(figures, slot(1), None)).offers.total == 0
    assert await shown(figures, slot(0), slot(1)) == await stored(store, slot(0), slot(1))


@pytest.mark.parametrize("told", [0, 2, 4])
@pytest.mark.parametrize("reads", range(5))
async def test_what_happens_while_the_outcomes_are_read_is_counted(
    api: Process, store: SharedStore, figures: DoctorStatistics, reads: int, told: int
) -> None:
    """Appointments change months between the reads of two months; some notices come at once, and the others late."""
    early, moved, called_off = book(at=1), book("dora", at=2), book("emil", at=3 * MONTH)
    await done(store, early, moved, called_off)
    await api.views.doctor("ada")
    left = reads

    async def meanwhile() -> None:
        nonlocal left
        if left:
            left -= 1
            api.before_read["outcomes"] = meanwhile
        else:
            some = await done(store, move(moved, 2 * MONTH), cancel(called_off), book("emil", at=9), confirm(early))
            api.receive(some[:told])

    api.before_read["outcomes"] = meanwhile
    assert await shown(figures) == await stored(store)
    assert "outcomes" not in api.before_read


async def test_what_was_read_later_than_a_notice_stays(
    api: Process, store: SharedStore, figures: DoctorStatistics
) -> None:
    """The notice of a move arrives during the read, after the next move was written."""
    booking = book(at=1)
    await done(store, booking)
    await api.views.doctor("ada")

    async def meanwhile() -> None:
        told = await done(store, move(booking, MONTH))
        await done(store, move(booking, 3 * MONTH))
        api.receive(told)

    api.before_read["outcomes"] = meanwhile
    assert await shown(figures) == await stored(store)


async def test_all_who_ask_wait_for_one_read(api: Process, store: SharedStore, figures: DoctorStatistics) -> None:
    await done(store, book())
    answers = await asyncio.gather(*(shown(figures) for _ in range(10)))
    assert {answer.all.total for answer in answers} == {1}
    once = api.reads["outcomes"]
    await shown(figures)
    assert api.reads["outcomes"] == once


async def test_an_answer_is_the_same_bytes_until_something_changes(
    api: Process, store: SharedStore, figures: DoctorStatistics
) -> None:
    booking = book()
    await done(store, booking)
    first, again = await figures.of("ada", 0, (None, None)), await figures.of("ada", 0, (None, None))
    assert first is not None
    assert again is not None
    assert first[0] is again[0]
    api.receive(await done(store, cancel(booking)))
    changed = await figures.of("ada", 0, (None, None))
    assert changed is not None
    assert changed[0].etag != first[0].etag


async def test_the_answer_is_after_the_event_that_the_client_knows(
    store: SharedStore, figures: DoctorStatistics
) -> None:
    await shown(figures)
    await done(store, book())  # its notice is late
    assert (await shown(figures)).all.total == 0
    found = await figures.of("ada", 1, (None, None))
    assert found is not None
    assert (Statistics.model_validate_json(found[0].content).all.total, found[1].view.seq) == (1, 1)


async def test_a_view_that_is_dropped_during_the_read_is_read_again(
    api: Process, store: SharedStore, figures: DoctorStatistics
) -> None:
    await done(store, book())
    await api.views.doctor("ada")

    async def meanwhile() -> None:
        _, last = await done(store, book(at=5), book(at=6))
        api.views.on_notice(last)  # a notice is missing before it

    api.before_read["outcomes"] = meanwhile
    assert (await shown(figures)).all.total == 3


async def test_without_the_database_known_statistics_are_answered_and_others_are_read_later(
    api: Process, store: SharedStore, figures: DoctorStatistics
) -> None:
    await done(store, book(), book("dora", at=3, doctor="ben"))
    await shown(figures)
    await api.views.doctor("ben")
    api.away = True
    api.now += 30
    found = await figures.of("ada", 0, (None, None))
    assert found is not None
    assert found[1].age == 30
    with pytest.raises(StoreUnavailable):
        await figures.of("ben", 0, (None, None))
    api.away = False
    assert (await shown(figures, doctor="ben")).all.total == 1


async def test_nobody_has_statistics_of_a_doctor_who_does_not_exist(figures: DoctorStatistics) -> None:
    assert await figures.of("nobody", 0, (None, None)) is None


async def test_appointments_outside_the_usual_months_are_counted(store: SharedStore, figures: DoctorStatistics) -> None:
    await done(store, book(at=1))
    store.now -= timedelta(days=900)  # the clock of this process is behind
    assert (await shown(figures)).all.total == 1


async def test_the_outcomes_count_in_the_size_of_the_view(
    api: Process, store: SharedStore, figures: DoctorStatistics
) -> None:
    booking, other = book(at=1), book("dora", at=2)
    await done(store, booking, other)
    reading = await api.views.doctor("ada")
    assert reading is not None
    before = reading.view.size
    found = await figures.of("ada", 0, (None, None))
    assert found is not None
    assert reading.view.size == before + 2 * 320 + len(found[0].content)
    api.receive(await done(store, move(booking, 2 * MONTH)))
    assert reading.view.outcomes is not None
    assert reading.view.outcomes.size == 2 * 320
