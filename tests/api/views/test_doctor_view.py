"""A doctor's view equals the record after every event, whatever the order of reading and events."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from api.views.doctor_view import BEGINNING, DoctorView
from api.views.entries import Entry
from api.views.view_reader import WINDOW
from hub.records.appointment_filter import After, AppointmentFilter
from hub.scheduling.schedule import Schedule
from hub.scheduling.slots import slots_of
from hub.scheduling.values import HORIZON, Status
from hub.scheduling.views import view as view_of
from tests.agents.actor_fixtures import SharedStore, book, cancel, confirm, erase, hours, join, move, off, slot
from tests.api.views.clinic import done, process
from tests.people import ROUND_THE_CLOCK


@pytest.fixture
async def store() -> SharedStore:
    store = SharedStore()
    await store.open()
    return store


@pytest.mark.parametrize("seed", range(8))
async def test_a_view_equals_the_record_after_any_history(store: SharedStore, seed: int) -> None:
    chance = random.Random(seed)
    bookings = [book(chance.choice(("carl", "dora", "emil")), at=number) for number in range(0, 40, 2)]
    told = await done(store, *bookings[:10])
    async with process(store) as api:
        reading = await api.views.doctor("ada")
        assert reading is not None
        for booking in bookings[10:]:
            some = chance.choice(bookings[:10])
            others = [patient for patient in ("carl", "dora", "emil") if patient != some.patient_id]
            joined = join(some, chance.choice(others))
            moved = move(some, chance.randrange(41, 90))
            change = chance.choice((confirm(some), cancel(some), moved, joined, hours(8, 20)))
            told = await done(store, booking, change, off(at=chance.randrange(100)))
            api.receive(told)
            await _equal(store, reading.view, chance)


async def test_a_view_forgets_what_was_said_of_an_erased_patient(store: SharedStore) -> None:
    said = book("carl", at=1, reason="a rash")
    told = await done(store, said, book("dora", at=2, reason="a cough"))
    async with process(store) as api:
        reading = await api.views.doctor("ada")
        assert reading is not None
        view = reading.view
        told = await done(store, confirm(said), erase(said))
        api.receive(told[:1])
        before = view.journal.after(told[0].event.prev)
        assert before is not None
        assert b"a rash" in b"".join(each.encoded(lambda entry: entry.encoded) for each in before)
        api.receive(told[1:])
        assert view.journal.after(told[1].event.prev - 1) is None, "earlier events are read from the record"
        assert [each.type for each in view.journal.after(told[1].event.prev) or ()] == ["patient_erased"]
        entries = view.page(AppointmentFilter(), 10) or []
        assert [b"a rash" in each.encoded for each in entries] == [False, False]
        assert [b"a cough" in each.encoded for each in entries] == [False, True]
        assert view.size == sum(each.size for each in entries) + view.journal.size


async def _equal(store: SharedStore, view: DoctorView, chance: random.Random) -> None:
    """Fail unless the view gives what the record gives."""
    records = store.records.appointments
    assert view.seq == await records.last_seq("ada")
    for day in {(store.now + timedelta(days=number)).date() for number in range(3)}:
        taken = await records.taken_starts("ada", *view.schedule.day_bounds(day))
        answer = view.slots(day, store.now)
        assert answer is not None
        fresh = DoctorView(view.schedule, 0, BEGINNING, 0)
        fresh._slot_owners = dict.fromkeys(taken, "-")
        assert answer == fresh.slots(day, store.now)
    statuses = frozenset(chance.sample(list(Status), 2))
    for patient_id in (None, "carl"):
        for part in (AppointmentFilter(statuses=statuses), AppointmentFilter(start_from=slot(5), start_to=slot(60))):
            await _pages_equal(store, view, part.within(AppointmentFilter(doctor_id="ada", patient_id=patient_id)))


async def _pages_equal(store: SharedStore, view: DoctorView, wanted: AppointmentFilter) -> None:
    after = None
    while page := await store.records.appointments.page(wanted, 3, after):
        expected = [Entry.of(view_of(each), each.last.seq) for each in page]
        assert view.page(wanted, 3, after) == expected
        after = After(page[-1].start, page[-1].id)
    assert view.page(wanted, 3, after) == []


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe"])
@pytest.mark.parametrize("of_day", [timedelta(0), HORIZON], ids=["today", "at the horizon"])
def test_remembered_slots_are_those_of_the_moment(zone: str, of_day: timedelta) -> None:
    """Ask every few minutes, so that an answer that was remembered for too long would show."""
    now = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
    schedule = Schedule(id="ada", zone=zone, shifts=ROUND_THE_CLOCK)
    day = schedule.day_of(now + of_day)
    view, made = DoctorView(schedule, 0, BEGINNING, 0), set()
    for minutes in range(-60, 26 * 60, 5):
        moment = now + timedelta(minutes=minutes, milliseconds=-(minutes % 2))
        answer = view.slots(day, moment)
        assert answer == DoctorView(schedule, 0, BEGINNING, 0).slots(day, moment)
        made.add(id(answer))
        assert answer is not None
        assert answer.content.count(b'"available":true') == sum(
            each.available for each in slots_of(schedule, day, (), moment)
        )
    assert len(made) < 130  # remembered, not made 324 times


async def test_what_is_before_the_window_is_not_answered_from_the_view(store: SharedStore) -> None:
    old, new = book(at=1), book(at=2)
    await done(store, old)
    store.now += timedelta(days=60)
    new = book(at=60 * 48)
    await done(store, new)
    async with process(store) as api:
        reading = await api.views.doctor("ada")
        assert reading is not None
        view, begin = reading.view, store.now - WINDOW
        assert view.appointment(old.id) is None
        assert view.appointment(new.id) is not None
        assert view.page(AppointmentFilter(doctor_id="ada"), 10) is None
        assert view.page(AppointmentFilter(doctor_id="ada", start_from=begin - timedelta(seconds=1)), 10) is None
        found = view.page(AppointmentFilter(doctor_id="ada", start_from=begin), 10)
        assert [entry.id for entry in found or ()] == [new.id]
        assert view.slots(old.start.date(), store.now) is None
