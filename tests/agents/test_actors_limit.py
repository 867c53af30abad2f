"""The most appointments to come that a patient may have: over all doctors, workers and races."""

import asyncio
from datetime import timedelta

import pytest

from agents.actor.actors import DoctorActors
from agents.actor.doctor_table import DoctorTable
from hub.scheduling.values import Actor, Role
from tests.agents.actor_fixtures import (
    InterceptedRecords,
    SharedStore,
    book,
    cancel,
    check_in,
    confirm,
    given,
    join,
    miss,
    move,
    refused,
    slot,
    undo_visit,
    verdicts,
)

MOST = 3
DESK = Actor(id="robin", role=Role.RECEPTIONIST, via="rest")


def limited(store: SharedStore, records: object = None) -> DoctorActors:
    """Return the actors of a worker that allows a patient three appointments to come."""
    return DoctorActors(records or store.records, DoctorTable({}), lambda: store.now, most_active=MOST)  # type: ignore[arg-type]  # as the fixtures do


async def test_a_patient_books_up_to_the_limit_over_all_doctors_and_workers(store: SharedStore) -> None:
    ada, ben = limited(store), limited(store)
    assert await given(ada, book(at=0), book(at=1)) == ["scheduled"] * 2
    assert await given(ben, book(at=2, doctor="ben"), book(at=3, doctor="ben")) == [
        "scheduled",
        "too_many_appointments",
    ]
    (answer,) = await ada.handle([book(at=4)])
    assert refused(answer).detail.startswith("You have 3 appointments to come")
    assert await given(ada, book("dora", at=4)) == ["scheduled"]


async def test_of_many_bookings_in_one_batch_as_many_are_accepted_as_are_allowed(store: SharedStore) -> None:
    seen = await given(limited(store), *(book(at=number) for number in range(12)))
    assert sorted(seen) == ["scheduled"] * MOST + ["too_many_appointments"] * 9


async def test_workers_that_race_for_one_patient_accept_as_many_as_are_allowed(store: SharedStore) -> None:
    async def others_go_on(_: str) -> None:
        await asyncio.sleep(0)

    workers = [limited(store, InterceptedRecords(store.records, others_go_on)) for _ in range(2)]
    batches = [workers[number % 2].handle([book(at=number, doctor=("ada", "ben")[number % 2])]) for number in range(10)]
    seen = [verdicts(answers)[0] for answers in await asyncio.gather(*batches)]
    assert sorted(seen) == ["scheduled"] * MOST + ["too_many_appointments"] * 7


async def test_a_repeated_booking_is_answered_as_the_first_time_also_at_the_limit(store: SharedStore) -> None:
    worker = limited(store)
    batch = [book(at=number) for number in range(MOST)]
    assert await given(worker, *batch) == ["scheduled"] * MOST
    assert await given(worker, *batch) == ["scheduled"] * MOST
    assert await given(limited(store), batch[0], book(at=8)) == ["scheduled", "too_many_appointments"]


async def test_a_booking_that_is_refused_for_another_reason_takes_no_place(store: SharedStore) -> None:
    worker = limited(store)
    await given(worker, book("dora", at=5), book(at=0), book(at=1))
    assert await given(worker, book(at=5), book(at=2)) == ["slot_taken", "scheduled"]


@pytest.mark.parametrize("way", ["cancel", "check in", "miss"])
async def test_what_is_over_or_has_begun_does_not_count(store: SharedStore, way: str) -> None:
    worker = limited(store)
    first = book(at=0)
    await given(worker, first, book(at=10), book(at=11))
    store.now = slot(0) + (timedelta(minutes=15) if way == "miss" else -timedelta(hours=1))
    ends = {"cancel": cancel, "check in": check_in, "miss": miss}[way](first)
    assert await given(worker, ends, book(at=12), book(at=13)) == [
        {"cancel": "cancelled", "check in": "scheduled", "miss": "no-show"}[way].replace("-", "_"),
        "scheduled",
        "too_many_appointments",
    ]


async def test_confirming_and_moving_keep_the_place_and_need_no_other(store: SharedStore) -> None:
    worker = limited(store)
    bookings = [book(at=number) for number in range(MOST)]
    await given(worker, *bookings)
    changed = await given(worker, confirm(bookings[0]), move(bookings[0], to=8), move(bookings[1], to=9))
    assert changed == ["confirmed", "scheduled", "scheduled"]
    assert await given(limited(store), book(at=15)) == ["too_many_appointments"]


async def test_the_clinic_books_beyond_the_limit_and_what_it_books_within_counts(store: SharedStore) -> None:
    worker = limited(store)
    assert await given(worker, *(book(at=number, by=DESK) for number in range(5))) == ["scheduled"] * 5
    assert await given(worker, book(at=6)) == ["too_many_appointments"]


async def test_what_is_joined_or_taken_back_needs_no_place(store: SharedStore) -> None:
    worker = limited(store)
    theirs, mine = book("dora", at=9), [book(at=number) for number in range(MOST)]
    await given(worker, theirs, *mine)
    assert await given(worker, join(theirs, "carl")) == ["scheduled"]
    store.now = slot(0) - timedelta(hours=1)
    assert await given(worker, check_in(mine[0]), book(at=12), undo_visit(mine[0])) == ["scheduled"] * 3
    assert await given(worker, book(at=13)) == ["too_many_appointments"]


async def test_without_a_limit_a_patient_books_as_many_as_there_are_slots(
    store: SharedStore, worker: DoctorActors
) -> None:
    assert await given(worker, *(book(at=number) for number in range(20))) == ["scheduled"] * 20
    assert {one.place for one in await store.records.appointments.starting_since("ada", None)} == {None}
