"""Changes of a doctor's hours: in one order with the bookings, and with the same fences.

`worker` has read its doctors before the test begins, so it is the one that is stale when `other` writes.
"""

import pytest

from agents.actor.actors import DoctorActors
from hub.bus.messages import ScheduleNotice
from hub.ops.doctor_accounts import disable, enable
from hub.records.schedules import schedule_of, schedule_record_of
from hub.scheduling.commands import Command
from hub.scheduling.schedule import Schedule
from tests.agents.actor_fixtures import (
    InterceptedRecords,
    SharedStore,
    back,
    book,
    cancel,
    confirm,
    given,
    hours,
    leave,
    move,
    notices,
    off,
    slot,
    told,
    verdicts,
)

MORNING, ROUND_THE_CLOCK = (8, 12), (0, 24)
NOON, EARLY = 0, -4
"""Slots: the first one after the morning, and one in the morning."""


@pytest.fixture
async def worker(store: SharedStore) -> DoctorActors:
    worker = store.worker()
    await given(worker, book("emil", at=20, doctor="ada"), book("emil", at=21, doctor="ben"))
    return worker


@pytest.fixture
async def other(store: SharedStore, worker: DoctorActors) -> DoctorActors:  # noqa: ARG001 -- the first to read is the stale one
    return store.worker()


async def test_a_batch_is_decided_by_the_hours_that_it_changes_on_its_way(
    store: SharedStore, worker: DoctorActors
) -> None:
    before, late, early, after = book("carl", at=NOON), book("dora", at=1), book("dora", at=EARLY), book("emil")
    batch = before, hours(*MORNING), late, early, hours(), after
    answers = await worker.handle(batch)
    assert verdicts(answers) == ["scheduled", "arranged", "outside_hours", "scheduled", "arranged", "slot_taken"]
    assert told(answers) == [(2, "booked"), (3, "hours_changed"), (4, "booked"), (5, "hours_changed")]
    assert [notice.event.prev for notice in notices(answers)] == [1, 2, 3, 4]
    assert (await schedule_record_of(store.records, "ada")).version == 2
    assert (await store.appointment(before.id)).active


async def test_a_change_is_told_with_the_hours_before_and_after_it_and_who_holds_what(worker: DoctorActors) -> None:
    kept, other_doctors = book("carl", at=NOON), book("dora", at=NOON, doctor="ben")
    await given(worker, kept, other_doctors, book("dora", at=EARLY))
    (answer,) = await worker.handle([hours(*MORNING)])
    assert isinstance(answer.reply.result, Schedule)
    (notice,) = answer.notices
    assert isinstance(notice, ScheduleNotice)
    assert notice.after == answer.reply.result
    assert not notice.after.works_at(slot(NOON))
    assert notice.before.works_at(slot(NOON))
    assert notice.taken == (slot(NOON), slot(20))


async def test_the_same_command_again_is_answered_and_told_as_it_was(worker: DoctorActors) -> None:
    change = hours(*MORNING)
    first = await worker.handle([change])
    assert await worker.handle([change]) == first
    later = await worker.handle([off(at=EARLY), change])
    assert verdicts(later) == ["arranged", "arranged"]
    assert later[1].notices == first[0].notices
    assert later[1].reply == first[0].reply, "it says what the command did then"


@pytest.mark.parametrize("again", [hours(key="once"), off(key="once"), book(at=EARLY, key="once"), leave(key="once")])
async def test_the_id_of_a_change_serves_for_nothing_else(
    worker: DoctorActors, other: DoctorActors, again: Command
) -> None:
    assert await given(worker, hours(*MORNING, key="once")) == ["arranged"]
    assert await given(worker, again) == ["idempotency_key_reused"]
    assert await given(other, again) == ["idempotency_key_reused"]


async def test_the_id_of_a_booking_does_not_change_hours(worker: DoctorActors, other: DoctorActors) -> None:
    await given(worker, book("carl", key="once"))
    assert await given(worker, hours(key="once")) == ["idempotency_key_reused"]
    assert await given(other, hours(key="once")) == ["idempotency_key_reused"]


async def test_a_stale_worker_books_nothing_outside_the_new_hours(
    store: SharedStore, worker: DoctorActors, other: DoctorActors
) -> None:
    await given(other, hours(*MORNING))
    assert await given(worker, book("carl", at=NOON), book("dora", at=EARLY)) == ["outside_hours", "scheduled"]
    assert await store.records.appointments.last_seq("ada") == 3


async def test_a_stale_worker_moves_nothing_into_time_off(worker: DoctorActors, other: DoctorActors) -> None:
    first = book("carl", at=NOON)
    await given(worker, first)
    await given(other, off(at=EARLY))
    assert await given(worker, move(first, to=EARLY), confirm(first)) == ["outside_hours", "confirmed"]


async def test_a_stale_worker_refuses_nothing_by_hours_that_are_over(worker: DoctorActors, other: DoctorActors) -> None:
    """A refusal meets no fence."""
    await given(worker, hours(*MORNING))
    await given(other, hours())
    assert await given(worker, book("carl", at=NOON)) == ["scheduled"]


async def test_a_stale_worker_overwrites_no_change_of_hours(
    store: SharedStore, worker: DoctorActors, other: DoctorActors
) -> None:
    theirs, ours = off(at=NOON), off(at=NOON + 1)
    await given(other, theirs)
    assert await given(worker, ours) == ["arranged"]
    doctor = await schedule_of(store.records, "ada")
    assert {each.id for each in doctor.time_off} == {theirs.id, ours.id}
    assert await given(worker, back(theirs)) == ["arranged"]
    assert await given(other, back(theirs)) == ["not_found"]
    assert [each.id for each in (await schedule_of(store.records, "ada")).time_off] == [ours.id]


async def test_a_stale_worker_finds_time_off_that_another_one_entered(
    worker: DoctorActors, other: DoctorActors
) -> None:
    theirs = off(at=NOON)
    await given(other, theirs)
    assert await given(worker, back(theirs)) == ["arranged"]


async def test_a_change_between_our_read_and_our_write_is_not_overwritten_nor_overlooked(store: SharedStore) -> None:
    waiting = []

    async def before(name: str) -> None:
        if name == "save" and waiting:
            await waiting.pop()()

    worker = store.worker(InterceptedRecords(store.records, before))
    other = store.worker()
    await given(worker, book("emil", at=20))
    waiting.append(lambda: given(other, hours(*MORNING)))
    batch = book("carl", at=NOON), off(at=EARLY), book("dora", at=EARLY + 1)
    assert await given(worker, *batch) == ["outside_hours", "arranged", "scheduled"]
    schedule_record = await schedule_record_of(store.records, "ada")
    assert [event.type for event in schedule_record.history] == ["hours_changed", "time_off_added"]


async def test_what_another_worker_applied_is_answered_as_it_answered(
    worker: DoctorActors, other: DoctorActors
) -> None:
    """A paused worker resumes with a batch that its successor has applied meanwhile."""
    first = book("carl", at=NOON)
    batch = hours(*MORNING), off(at=EARLY), cancel(first), book("dora", at=EARLY + 1)
    await given(worker, first)
    theirs, ours = await other.handle(batch), await worker.handle(batch)
    assert verdicts(ours) == verdicts(theirs) == ["arranged", "arranged", "cancelled", "scheduled"]
    assert ours[2:] == theirs[2:]
    for mine, successors in zip(ours[:2], theirs[:2], strict=True):
        # Who holds what is said as of now: what has happened to a slot since is told by later notices.
        (notice,), (expected,) = mine.notices, successors.notices
        assert notice.model_copy(update={"taken": expected.taken}) == expected


async def test_a_booking_costs_no_read_for_the_hours(store: SharedStore) -> None:
    calls: list[str] = []

    async def note(name: str) -> None:
        calls.append(name)

    worker = store.worker(InterceptedRecords(store.records, note))
    await given(worker, book("emil", at=20), hours(*MORNING))
    for batch, asked in (
        ([book("carl", at=EARLY), book("dora", at=EARLY + 1)], ["save"]),
        ([book("emil", at=EARLY)], ["current", "moved_on", "save"]),  # refused: looked at twice
        ([book("emil", at=NOON)], ["current", "moved_on", "save"]),
        ([off(at=EARLY)], ["save"]),
    ):
        calls.clear()
        await given(worker, *batch)
        assert calls == asked


async def test_who_is_disabled_in_the_record_is_disabled_for_the_actor_at_once(
    store: SharedStore, worker: DoctorActors
) -> None:
    kept = book("carl", at=NOON)
    await given(worker, kept)
    left = await disable(store.records, "ada", lambda: store.now)
    assert [appointment.id for appointment in left.appointments][:1] == [kept.id]
    assert await given(worker, book("dora", at=NOON + 1), confirm(kept), book("dora", at=2, doctor="ben")) == [
        "doctor_unavailable",
        "confirmed",
        "scheduled",
    ]
    assert await enable(store.records, "ada", lambda: store.now) is None
    assert await given(worker, book("dora", at=NOON + 1)) == ["scheduled"]
