"""What became of appointments: always as the record says, and not read twice when nothing has happened."""

import random
from collections import Counter
from datetime import datetime, timedelta

import pytest

from api.views.statistics_cache import StatisticsCache
from hub.records.memory_appointments import MemoryAppointments
from hub.scheduling.statistics import Outcome
from tests.contracts.histories import BEFORE, NINE, Histories

MONTH = timedelta(days=31)


class Counted(MemoryAppointments):
    """Counts the reads of outcomes; `meanwhile` is written between the first of them and the next."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.meanwhile: list[object] = []

    async def outcomes(self, doctor_id: str, start_from: datetime | None, start_to: datetime | None) -> list[Outcome]:
        self.reads += 1
        found = await super().outcomes(doctor_id, start_from, start_to)
        if self.meanwhile and found:
            await self.save([self.meanwhile.pop(0)])  # type: ignore[list-item]
        return found


@pytest.fixture
def appointments() -> Counted:
    return Counted()


@pytest.fixture
def histories() -> Histories:
    return Histories()


@pytest.fixture
def cache(appointments: Counted) -> StatisticsCache:
    return StatisticsCache(appointments, lambda: NINE)


async def kept(
    cache: StatisticsCache, start_from: datetime | None = None, start_to: datetime | None = None
) -> Counter[Outcome]:
    return Counter(one for month in await cache.outcomes("dora", start_from, start_to) for one in month)


async def stored(appointments: Counted) -> Counter[Outcome]:
    return Counter(await MemoryAppointments.outcomes(appointments, "dora", None, None))


async def test_unchanged_months_are_not_read_again(
    appointments: Counted, cache: StatisticsCache, histories: Histories
) -> None:
    several = [histories.book(patient=f"p{number}", start=NINE + number * MONTH) for number in range(5)]
    await appointments.save(several)
    assert await kept(cache) == await stored(appointments)
    before = appointments.reads
    assert await kept(cache) == await stored(appointments)
    assert appointments.reads == before
    await appointments.save([histories.confirm(several[2])])
    assert (await kept(cache)) == await stored(appointments)


async def test_the_cache_agrees_with_the_record_after_any_change(
    appointments: Counted, cache: StatisticsCache, histories: Histories
) -> None:
    chance = random.Random(5)
    live = []
    for number in range(400):
        start = NINE + timedelta(days=chance.randrange(-20, 300), minutes=30 * number)
        kind = chance.choice(("book", "book", "confirm", "cancel", "move"))
        if kind == "book" or not live:
            changed = histories.book(patient=f"p{number}", start=start)
        else:
            one = live.pop(chance.randrange(len(live)))
            changed = histories.move(one, start) if kind == "move" else getattr(histories, kind)(one)
        await appointments.save([changed])
        if changed.active:
            live.append(changed)
        if chance.random() < 0.3:
            assert await kept(cache) == await stored(appointments)
    assert await kept(cache) == await stored(appointments)


async def test_an_appointment_that_moves_while_it_is_read_counts_once(
    appointments: Counted, cache: StatisticsCache, histories: Histories
) -> None:
    booked, other = histories.book(), histories.book(patient="paul", start=NINE + 3 * MONTH)
    await appointments.save([booked, other])
    appointments.meanwhile = [histories.move(booked, NINE + 2 * MONTH)]
    assert await kept(cache) == await stored(appointments)
    assert appointments.meanwhile == []


async def test_a_range_reads_the_months_that_hold_it_and_no_others(
    appointments: Counted, cache: StatisticsCache, histories: Histories
) -> None:
    await appointments.save([histories.book(patient=f"p{day}", start=NINE + timedelta(days=day)) for day in range(200)])
    assert sum((await kept(cache, NINE, NINE + timedelta(days=1))).values()) == 29
    assert appointments.reads == 1


async def test_appointments_outside_the_usual_months_are_counted_too(
    appointments: Counted, cache: StatisticsCache, histories: Histories
) -> None:
    odd = [histories.book(start=BEFORE - 400 * MONTH), histories.book(patient="paul", start=NINE + 400 * MONTH)]
    await appointments.save(odd)
    assert await kept(cache) == await stored(appointments)


async def test_a_doctor_without_appointments_has_none(cache: StatisticsCache) -> None:
    assert await kept(cache) == Counter()


async def test_the_cache_evicts_doctors_over_its_capacity(appointments: Counted, histories: Histories) -> None:
    cache = StatisticsCache(appointments, lambda: NINE, capacity=10)
    for doctor in ("dora", "dick"):
        await appointments.save([histories.book(doctor, f"{doctor}{n}", NINE + n * MONTH) for n in range(6)])
    for doctor in ("dora", "dick"):
        assert sum(map(len, await cache.outcomes(doctor, None, None))) == 6
    assert list(cache._caches) == ["dick"]
