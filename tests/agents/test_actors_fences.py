"""The actors when another worker writes for the same doctors: a paused worker, or its successor.

`worker` has read its doctors before the test begins, so it is the one that is stale when `other` writes.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from agents.actor.actors import DoctorActors, LeaseLost
from hub.records.errors import StoreUnavailable
from tests.agents.actor_fixtures import (
    InterceptedRecords,
    SharedStore,
    book,
    cancel,
    confirm,
    given,
    move,
    shown,
    slot,
    told,
    verdicts,
)

Interruption = Callable[[], Awaitable[object]]


@pytest.fixture
async def worker(store: SharedStore) -> DoctorActors:
    worker = store.worker()
    await given(worker, book("emil", at=40, doctor="ada"), book("emil", at=41, doctor="ben"))
    return worker


@pytest.fixture
async def other(store: SharedStore, worker: DoctorActors) -> DoctorActors:  # noqa: ARG001 -- the first to read is the stale one
    return store.worker()


async def worker_interrupted_at(store: SharedStore, call: str, before_call: Interruption) -> DoctorActors:
    """Return a worker that has read its doctors. `before_call` runs before its next call of this name."""
    records = store.records
    assert any(hasattr(part, call) for part in (records.appointments, records.users)), f"the record has no {call}"
    waiting: list[Interruption] = []

    async def before(name: str) -> None:
        if name == call and waiting:
            await waiting.pop()()

    worker = store.worker(InterceptedRecords(store.records, before))
    await given(worker, book("emil", at=40, doctor="ada"), book("emil", at=41, doctor="ben"))
    waiting.append(before_call)
    return worker


def lose_table(worker: DoctorActors) -> None:
    """Empty the table of a worker, as after a loss of the broker's data. Other doctors are not touched by it."""
    worker._reader._table._entries.clear()
    worker._reader._table.index()


async def test_a_worker_that_missed_a_write_reads_again_and_goes_on_where_the_doctor_stands(
    store: SharedStore, worker: DoctorActors, other: DoctorActors
) -> None:
    theirs, ours = book("carl", at=0), book("dora", at=1)
    await given(other, theirs)
    answers = await worker.handle([ours])
    assert verdicts(answers) == ["scheduled"]
    assert told(answers) == [(3, "booked")]
    assert (await store.appointment(theirs.id)).last.seq == 2


async def test_a_worker_that_meets_a_fence_without_a_lease_does_not_decide_again(store: SharedStore) -> None:
    other, ours, lease = store.worker(), book("dora", at=1), asyncio.Event()
    lease.set()

    async def stopped_until_another_has_written() -> None:
        await given(other, book("carl", at=0))
        lease.clear()

    worker = await worker_interrupted_at(store, "save", stopped_until_another_has_written)
    with pytest.raises(LeaseLost):
        await worker.handle([ours], lease.is_set)
    assert await store.records.appointments.by_ids([ours.id]) == {}
    lease.set()
    assert verdicts(await worker.handle([ours], lease.is_set)) == ["scheduled"]


async def test_a_slot_that_another_worker_gave_away_is_not_given_again(
    worker: DoctorActors, other: DoctorActors
) -> None:
    await given(other, book("carl", at=0))
    assert await given(worker, book("dora", at=0), book("dora", at=1)) == ["slot_taken", "scheduled"]


async def test_a_slot_that_another_worker_freed_is_not_refused(worker: DoctorActors, other: DoctorActors) -> None:
    first = book("carl", at=0)
    await given(worker, first)
    await given(other, cancel(first))
    assert await given(worker, book("dora", at=0)) == ["scheduled"]


async def test_a_slot_that_another_worker_moved_away_from_is_not_refused_to_who_moves(
    worker: DoctorActors, other: DoctorActors
) -> None:
    first, second = book("carl", at=0), book("dora", at=1)
    await given(worker, first, second)
    await given(other, move(first, to=5))
    assert await given(worker, move(second, to=0), book("emil", at=5)) == ["scheduled", "slot_taken"]


async def test_a_slot_that_is_taken_in_the_same_batch_is_refused_without_doubt(
    worker: DoctorActors, other: DoctorActors
) -> None:
    await given(other, book("carl", at=3))
    batch = book("carl", at=0), book("dora", at=0), book("dora", at=3)
    assert await given(worker, *batch) == ["scheduled", "slot_taken", "slot_taken"]


async def test_a_command_that_another_worker_applied_is_answered_as_it_answered(
    worker: DoctorActors, other: DoctorActors
) -> None:
    first = book("carl", at=0)
    theirs = await other.handle([first])
    assert await worker.handle([first]) == theirs
    change = confirm(first)
    theirs = await other.handle([change])
    assert await worker.handle([change]) == theirs


async def test_a_command_that_another_worker_applied_is_applied_even_if_its_appointment_is_over(
    worker: DoctorActors, other: DoctorActors
) -> None:
    first = book("carl", at=0)
    theirs = await other.handle([first])
    await given(other, cancel(first), book("dora", at=0))
    (ours,) = await worker.handle([first])
    assert shown(ours) == shown(theirs[0])
    assert ours.notices == theirs[0].notices


async def test_a_change_between_our_read_and_our_write_is_not_overwritten(store: SharedStore) -> None:
    first = book("carl", at=0)
    other = store.worker()
    worker = await worker_interrupted_at(store, "save", lambda: given(other, cancel(first)))
    await store.worker().handle([first])
    assert await given(worker, book("dora", at=1), confirm(first), book("dora", at=2)) == [
        "scheduled",
        "wrong_status",
        "scheduled",
    ]
    stored = await store.appointment(first.id)
    assert [event.type for event in stored.history] == ["booked", "cancelled"]


async def test_a_booking_between_our_read_and_our_write_keeps_its_slot(store: SharedStore) -> None:
    other = store.worker()
    theirs = book("carl", at=0)
    worker = await worker_interrupted_at(store, "save", lambda: given(other, theirs))
    batch = book("dora", at=1), book("dora", at=0), book("emil", at=0), book("emil", at=2, doctor="ben")
    assert await given(worker, *batch) == ["scheduled", "slot_taken", "slot_taken", "scheduled"]
    assert (await store.appointment(theirs.id)).patient_id == "carl"


async def test_our_own_command_between_our_read_and_our_write_is_found_to_be_applied(store: SharedStore) -> None:
    """A paused worker resumes just before a write that its successor has made meanwhile."""
    other = store.worker()
    batch = book("carl", at=0), book("dora", at=0), book("dora", at=1)
    theirs = []

    async def do_it_all() -> None:
        theirs.extend(await other.handle(batch))

    worker = await worker_interrupted_at(store, "save", do_it_all)
    assert await worker.handle(batch) == theirs
    assert await store.records.appointments.last_seq("ada") == 3


async def test_a_patient_is_not_said_to_be_busy_with_the_very_appointment_that_is_booked(store: SharedStore) -> None:
    """Another worker has applied the booking. This worker finds busy patients before it finds that."""
    other = store.worker()
    mine = book("dora", at=0, doctor="ada")

    async def do_it() -> None:
        await given(other, book("carl", at=7, doctor="ada"), mine)

    worker = await worker_interrupted_at(store, "save", do_it)
    assert await given(worker, book("carl", at=7, doctor="ben"), mine) == ["patient_busy", "scheduled"]


async def test_a_patient_whom_the_other_doctor_books_in_between_is_busy(store: SharedStore) -> None:
    other = store.worker()
    worker = await worker_interrupted_at(store, "save", lambda: given(other, book("carl", at=0, doctor="ben")))
    batch = book("carl", at=0), book("dora", at=0), book("carl", at=1)
    assert await given(worker, *batch) == ["patient_busy", "scheduled", "scheduled"]


async def test_a_move_is_not_refused_because_of_the_slot_that_it_has_got_itself(store: SharedStore) -> None:
    """Another worker applies it while this worker rereads an outdated doctor."""
    first = book("carl", at=0)
    change = move(first, to=1)
    other = store.worker()
    theirs = []

    async def do_it() -> None:
        theirs.extend(await other.handle([change]))

    worker = await worker_interrupted_at(store, "changed_since", do_it)
    await given(other, first)
    assert await worker.handle([change]) == theirs
    assert verdicts(theirs) == ["scheduled"]


@pytest.mark.parametrize(("call", "with_table"), [("slot_owners", False), ("changed_since", True)])
async def test_a_write_while_a_doctor_is_read_shows_itself(store: SharedStore, call: str, *, with_table: bool) -> None:
    other = store.worker()
    worker = await worker_interrupted_at(store, call, lambda: given(other, book("carl", at=0)))
    if not with_table:
        lose_table(worker)
    worker.forget()
    assert await given(worker, book("dora", at=0), book("dora", at=1)) == ["slot_taken", "scheduled"]
    assert await store.records.appointments.last_seq("ada") == 3


@pytest.mark.parametrize("with_table", [True, False])
@pytest.mark.parametrize(
    "call", ["by_ids", "changed_since", "last_event", "slot_owners", "current", "moved_on", "save"]
)
async def test_a_rebalance_in_the_middle_of_a_batch_makes_no_answer_untrue(
    store: SharedStore, call: str, *, with_table: bool
) -> None:
    first = book("carl", at=0)
    workers: list[DoctorActors] = []

    async def rebalance() -> None:
        workers[0].forget()

    worker = await worker_interrupted_at(store, call, rebalance)
    workers.append(worker)
    if not with_table:
        lose_table(worker)
    store.now = slot(0).replace(hour=6)
    await store.worker().handle([first])
    batch = confirm(first), book("dora", at=0), book("dora", at=1), cancel(first), book("emil", at=0)
    assert await given(worker, *batch) == ["confirmed", "slot_taken", "scheduled", "cancelled", "scheduled"]
    assert await given(worker, book("carl", at=0), book("carl", at=2)) == ["slot_taken", "scheduled"]


async def test_a_store_that_fails_for_ever_fails_the_batch_and_not_the_command(store: SharedStore) -> None:
    async def fail() -> None:
        raise StoreUnavailable("away")

    worker = await worker_interrupted_at(store, "moved_on", fail)
    first = book("dora", at=40)
    with pytest.raises(StoreUnavailable):
        await worker.handle([first])
    assert await given(worker, first) == ["slot_taken"]


async def test_after_a_rebalance_a_table_that_says_otherwise_is_not_believed(
    store: SharedStore, worker: DoctorActors
) -> None:
    first = book("carl", at=0)
    await given(worker, first)
    other = store.worker()
    await given(other, cancel(first), book("dora", at=1))
    worker.forget()  # its table still says that slot 0 is taken and slot 1 is free
    assert await given(worker, book("emil", at=0), book("emil", at=1)) == ["scheduled", "slot_taken"]
