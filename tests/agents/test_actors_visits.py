"""The actors and the visit: a no-show that is checked in takes back its slot and the time of its patient."""

from datetime import timedelta

import pytest

from agents.actor.actors import DoctorActors
from hub.scheduling.values import Actor, Role
from tests.agents.actor_fixtures import (
    SharedStore,
    book,
    call_in,
    check_in,
    given,
    miss,
    shown,
    slot,
    told,
    undo_visit,
)

MINUTE = timedelta(minutes=1)


@pytest.fixture
def worker(store: SharedStore) -> DoctorActors:
    return store.worker()


async def test_a_visit_is_written_and_told_step_by_step(store: SharedStore, worker: DoctorActors) -> None:
    booking = book()
    await given(worker, booking)
    store.now = slot(0) - 10 * MINUTE
    answers = await worker.handle([check_in(booking), call_in(booking), undo_visit(booking), call_in(booking)])
    assert [shown(answer).visit for answer in answers] == ["arrived", "in_room", "arrived", "in_room"]
    assert told(answers) == [(2, "checked_in"), (3, "called_in"), (4, "visit_undone"), (5, "called_in")]
    assert (await store.appointment(booking.id)).visit == "in_room"


async def test_a_no_show_that_is_checked_in_holds_its_slot_again(store: SharedStore, worker: DoctorActors) -> None:
    booking = book()
    await given(worker, booking)
    store.now = slot(0) + 15 * MINUTE
    assert await given(worker, miss(booking)) == ["no_show"]
    store.now = slot(0) + 8 * timedelta(hours=1)
    assert await given(worker, check_in(booking)) == ["confirmed"]
    assert await store.records.appointments.taken_starts("ada", slot(0), slot(1)) == {slot(0)}


@pytest.mark.parametrize("hours", [0, 8], ids=["soon", "in the evening"])
async def test_a_worker_that_has_just_started_knows_who_has_the_slot_of_a_no_show(
    store: SharedStore, worker: DoctorActors, hours: int
) -> None:
    """The clock of the machine that booked the walk-in is slow; by a right one, the half hour could not be booked."""
    booking = book("carl")
    await given(worker, booking)
    store.now = slot(0) + 15 * MINUTE
    await given(worker, miss(booking))
    store.now = slot(0) + 14 * MINUTE
    doctor = Actor(id="ada", role=Role.DOCTOR, via="rest")
    walk_in = book("dora", by=doctor)
    assert await given(worker, walk_in) == ["scheduled"]
    assert await given(worker, check_in(walk_in)) == ["scheduled"]
    store.now = slot(0) + 16 * MINUTE + timedelta(hours=hours)
    assert await given(store.worker(), check_in(booking)) == ["slot_taken"]
    assert (await store.appointment(booking.id)).status == "no_show"


async def test_a_no_show_whose_patient_is_with_another_doctor_is_not_checked_in(
    store: SharedStore, worker: DoctorActors
) -> None:
    missed = book("carl")
    await given(worker, missed)
    store.now = slot(0) + 15 * MINUTE
    await given(worker, miss(missed))
    store.now = slot(0) + 14 * MINUTE  # by the clock of the other doctor's worker
    doctor = Actor(id="ben", role=Role.DOCTOR, via="rest")
    elsewhere = book("carl", doctor="ben", by=doctor)
    assert await given(store.worker(), elsewhere) == ["scheduled"]
    store.now = slot(0) + 16 * MINUTE
    assert await given(worker, check_in(missed)) == ["patient_busy"]
    assert (await store.appointment(missed.id)).status == "no_show"
    assert await store.records.appointments.last_seq("ada") == 2
