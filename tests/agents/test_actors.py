"""The only worker for its doctors: batches, races within a batch, repeated and refused commands."""

from datetime import timedelta
from typing import Any

import pytest

from agents.actor.actors import DoctorActors
from agents.actor.doctor_table import DoctorTable
from hub.records.errors import StoreUnavailable
from hub.records.memory import MemoryRecords
from hub.scheduling.commands import Command
from hub.scheduling.decision import RefusalCode, Refused
from hub.scheduling.values import Actor, Role
from tests.agents.actor_fixtures import (
    NOW,
    SharedStore,
    book,
    cancel,
    confirm,
    given,
    move,
    notices,
    refused,
    shown,
    slot,
    told,
    verdicts,
)


async def test_of_many_bookings_of_one_slot_the_first_is_accepted_and_the_others_are_refused_with_the_reason(
    store: SharedStore, worker: DoctorActors
) -> None:
    rivals = [book(patient, at=0) for patient in ("carl", "dora", "emil")] + [book("dora", at=1)]
    answers = await worker.handle(rivals)
    assert verdicts(answers) == ["scheduled", "slot_taken", "slot_taken", "scheduled"]
    assert told(answers) == [(1, "booked"), (2, "booked")]
    assert (await store.appointment(rivals[0].id)).patient_id == "carl"


async def test_a_batch_in_which_nobody_meets_a_fence_costs_one_write(store: SharedStore) -> None:
    records = Counting()
    store.records = records
    await store.open()
    worker = store.worker()
    await worker.handle([book("carl", at=0)])
    records.calls.clear()
    await worker.handle([book("dora", at=1), book("emil", at=2), book("carl", at=3, doctor="ada")])
    assert records.calls == ["save"]


async def test_the_next_batch_knows_what_the_one_before_it_did(worker: DoctorActors) -> None:
    assert await given(worker, book("carl")) == ["scheduled"]
    assert await given(worker, book("dora")) == ["slot_taken"]


async def test_a_slot_freed_in_a_batch_is_taken_later_in_the_same_batch(worker: DoctorActors) -> None:
    first = book("carl")
    await given(worker, first)
    assert await given(worker, book("dora"), cancel(first), book("emil")) == ["slot_taken", "cancelled", "scheduled"]


async def test_a_slot_left_by_moving_is_taken_later_in_the_same_batch_and_the_new_one_is_not(
    worker: DoctorActors,
) -> None:
    first = book("carl", at=0)
    await given(worker, first)
    batch = move(first, to=1), book("dora", at=0), book("emil", at=1)
    assert await given(worker, *batch) == ["scheduled", "scheduled", "slot_taken"]


async def test_several_changes_of_one_appointment_in_one_batch_follow_each_other(
    store: SharedStore, worker: DoctorActors
) -> None:
    first = book("carl")
    batch = first, confirm(first), move(first, to=4), confirm(first), cancel(first), cancel(first)
    seen = await given(worker, *batch)
    assert seen == ["scheduled", "confirmed", "scheduled", "confirmed", "cancelled", "wrong_status"]
    stored = await store.appointment(first.id)
    assert [event.seq for event in stored.history] == [1, 2, 3, 4, 5]
    assert stored.start == slot(4)


async def test_the_notice_of_each_change_shows_the_appointment_right_after_it(worker: DoctorActors) -> None:
    first = book("carl")
    await worker.handle([first])
    answers = await worker.handle([confirm(first), cancel(first)])
    assert [notice.appointment.status.value for notice in notices(answers)] == ["confirmed", "cancelled"]
    assert [notice.event.prev for notice in notices(answers)] == [1, 2]


async def test_doctors_in_one_batch_count_each_for_themselves(worker: DoctorActors) -> None:
    answers = await worker.handle([book("carl", doctor="ada"), book("dora", doctor="ben"), book("emil", 1, "ada")])
    assert told(answers) == [(1, "booked"), (1, "booked"), (2, "booked")]


async def test_a_patient_is_in_one_place_at_a_time_also_within_a_batch(worker: DoctorActors) -> None:
    batch = book("carl", doctor="ada"), book("carl", doctor="ben"), book("dora", doctor="ben")
    assert await given(worker, *batch) == ["scheduled", "patient_busy", "scheduled"]


async def test_what_was_decided_after_a_busy_patient_is_decided_again(store: SharedStore, worker: DoctorActors) -> None:
    await given(worker, book("carl", doctor="ben"))
    rivals = book("carl"), book("dora"), book("emil")
    answers = await worker.handle(rivals)
    assert verdicts(answers) == ["patient_busy", "scheduled", "slot_taken"]
    assert told(answers) == [(1, "booked")]
    assert (await store.records.appointments.last_seq("ada")) == 1


async def test_a_patient_who_is_freed_in_the_batch_is_not_busy_any_more(worker: DoctorActors) -> None:
    held, other = book("carl", doctor="ben"), book("dora", at=1)
    await given(worker, held, other)
    # Decided in this order: inserts of both doctors, replacements of both, and the last insert.
    batch = book("carl"), book("eve", at=1, doctor="ben"), cancel(held), confirm(other), book("carl")
    assert await given(worker, *batch) == ["patient_busy", "scheduled", "cancelled", "confirmed", "scheduled"]


async def test_many_busy_patients_in_a_batch_cost_one_read(store: SharedStore) -> None:
    records = Counting()
    store.records = records
    await store.open()
    worker = store.worker()
    await given(worker, *(book("carl", at=number, doctor="ben") for number in range(20)))
    await given(worker, book("dora", at=30))
    records.calls.clear()
    assert await given(worker, *(book("carl", at=number) for number in range(20))) == ["patient_busy"] * 20
    assert records.calls.count("busy") == 1
    assert records.calls.count("save") <= 2


async def test_moving_to_a_time_when_the_patient_is_elsewhere_changes_nothing(
    store: SharedStore, worker: DoctorActors
) -> None:
    mine = book("carl", at=0)
    await given(worker, mine, book("carl", at=1, doctor="ben"))
    assert await given(worker, move(mine, to=1), book("dora", at=1)) == ["patient_busy", "scheduled"]
    assert (await store.appointment(mine.id)).start == slot(0)


async def test_a_repeated_booking_is_answered_and_published_again_but_not_applied_again(
    store: SharedStore, worker: DoctorActors
) -> None:
    first = book("carl")
    once = await worker.handle([first])
    again = await worker.handle([first])
    assert again == once
    assert len((await store.appointment(first.id)).history) == 1


async def test_a_command_twice_in_one_batch_is_applied_once(store: SharedStore, worker: DoctorActors) -> None:
    first = book("carl")
    answers = await worker.handle([first, first])
    assert answers[0] == answers[1]
    both = confirm(first)
    answers = await worker.handle([both, both])
    assert answers[0] == answers[1]
    assert len((await store.appointment(first.id)).history) == 2


def repeated(command: Command) -> Command:
    """Return the command as a client sends it again, a second later."""
    return command.model_copy(update={"at": NOW + timedelta(seconds=1)})


async def test_a_repeated_command_is_answered_with_what_it_did_then_and_as_a_repetition(worker: DoctorActors) -> None:
    first = book("carl")
    moves = move(first, to=3), move(first, to=5)
    (booked,) = await worker.handle([first])
    (moved,) = await worker.handle([moves[0]])
    await worker.handle([moves[1]])
    confirmed = confirm(first)
    (then,) = await worker.handle([confirmed])
    await worker.handle([cancel(first)])
    for command, original in ((first, booked), (moves[0], moved), (confirmed, then)):
        (again,) = await worker.handle([repeated(command)])
        assert again.notices == original.notices
        assert shown(again) == shown(original)
        assert (original.reply.replayed, again.reply.replayed) == (False, True)


async def test_a_copy_that_the_bus_sent_twice_is_no_repetition_by_the_client(worker: DoctorActors) -> None:
    first = book("carl")
    await worker.handle([first])
    await worker.handle([cancel(first)])
    (copy,) = await worker.handle([first])
    assert not copy.reply.replayed
    assert shown(copy).status == "scheduled"


async def test_of_two_requests_with_one_key_in_a_batch_the_second_is_the_repetition(worker: DoctorActors) -> None:
    first = book("carl")
    one, two = await worker.handle([first, repeated(first)])
    assert (one.reply.replayed, two.reply.replayed) == (False, True)
    assert shown(one) == shown(two)


@pytest.mark.parametrize("cold", [True, False], ids=["a new worker", "the same worker"])
async def test_a_slot_that_is_the_patients_own_is_refused_with_its_appointment(
    store: SharedStore, worker: DoctorActors, *, cold: bool
) -> None:
    first = book("carl")
    await worker.handle([first])
    worker = store.worker() if cold else worker
    (again, other) = await worker.handle([book("carl"), book("dora")])
    assert refused(again) == Refused(RefusalCode.SLOT_TAKEN, "You have this slot already.", first.id)
    assert refused(other) == Refused(RefusalCode.SLOT_TAKEN, "This slot is taken.")


async def test_two_clicks_in_one_batch_are_one_appointment_and_the_second_is_told_its_id(worker: DoctorActors) -> None:
    first = book("carl")
    (one, two) = await worker.handle([first, book("carl")])
    assert shown(one).id == first.id
    assert refused(two).appointment_id == first.id


async def test_a_move_to_a_slot_that_is_the_patients_own_is_refused_with_its_appointment(worker: DoctorActors) -> None:
    first, second = book("carl"), book("carl", at=3)
    third = book("dora", at=5)
    await given(worker, first, second, third)
    (own, others) = await worker.handle([move(second, to=0), move(third, to=0)])
    assert refused(own).appointment_id == first.id
    assert refused(others).appointment_id is None


async def test_a_booking_whose_appointment_is_over_is_not_applied_again(
    store: SharedStore, worker: DoctorActors
) -> None:
    first = book("carl")
    (then,) = await worker.handle([first])
    await worker.handle([cancel(first)])
    (again,) = await worker.handle([first])
    assert shown(again) == shown(then)
    assert again.notices == then.notices
    assert len((await store.appointment(first.id)).history) == 2


@pytest.mark.parametrize("freed_by", [cancel, lambda first: move(first, to=7)], ids=["cancelled", "moved"])
async def test_a_repeated_booking_is_answered_with_success_even_when_another_patient_has_the_slot_now(
    worker: DoctorActors, freed_by: object
) -> None:
    first = book("carl")
    (then,) = await worker.handle([first])
    await worker.handle([freed_by(first), book("dora")])
    (again,) = await worker.handle([first])
    assert shown(again).id == first.id
    assert again.notices == then.notices


async def test_a_repeated_booking_is_answered_with_success_even_when_the_repetition_has_expired(
    store: SharedStore, worker: DoctorActors
) -> None:
    first = book("carl", expires=NOW + timedelta(seconds=15))
    (then,) = await worker.handle([first])
    await worker.handle([cancel(first)])
    store.now += timedelta(seconds=16)
    (again,) = await worker.handle([first])
    assert shown(again) == shown(then)


async def test_a_reused_id_with_other_content_is_refused(worker: DoctorActors) -> None:
    first = book("carl", key="mine")
    await given(worker, first)
    assert await given(worker, book("carl", at=5, key="mine")) == ["idempotency_key_reused"]
    assert await given(worker, book("carl", key="mine", reason="a cough")) == ["idempotency_key_reused"]
    assert await given(worker, confirm(first, key="mine")) == ["idempotency_key_reused"]


async def test_a_reused_id_for_another_doctor_is_refused_and_the_rest_of_the_batch_is_handled(
    store: SharedStore, worker: DoctorActors
) -> None:
    await given(worker, book("carl", key="mine"))
    batch = book("dora", at=1, doctor="ben"), book("carl", at=2, doctor="ben", key="mine"), book("emil", 3, "ben")
    assert await given(worker, *batch) == ["scheduled", "idempotency_key_reused", "scheduled"]
    assert await store.records.appointments.last_seq("ben") == 2


async def test_a_reused_id_for_another_appointment_is_refused(worker: DoctorActors) -> None:
    first, second = book("carl", at=0), book("carl", at=1, doctor="ben")
    await given(worker, first, second, confirm(first, key="mine"))
    assert await given(worker, cancel(second, key="mine")) == ["idempotency_key_reused"]


async def test_nobody_gets_the_answer_to_the_command_of_another(worker: DoctorActors) -> None:
    await given(worker, book("carl", key="mine"))
    (answer,) = await worker.handle([book("dora", key="mine")])
    assert refused(answer).code == "idempotency_key_reused"


async def test_an_expired_command_is_not_applied(store: SharedStore, worker: DoctorActors) -> None:
    late, free = book("carl", expires=NOW + timedelta(seconds=15)), book("dora", expires=NOW + timedelta(seconds=30))
    store.now += timedelta(seconds=16)
    assert await given(worker, late, free) == ["expired", "scheduled"]


async def test_a_command_for_an_unknown_doctor_is_refused_and_delays_no_other(worker: DoctorActors) -> None:
    nobody = Actor(id="carl", role=Role.PATIENT, via="rest")
    batch = book("carl", doctor="zoe", by=nobody), book("dora"), book("emil", doctor="carl")
    assert await given(worker, *batch) == ["not_found", "scheduled", "not_found"]


async def test_an_appointment_is_not_found_at_another_doctor(worker: DoctorActors) -> None:
    first = book("carl", doctor="ada")
    await given(worker, first)
    assert await given(worker, confirm(first.model_copy(update={"doctor_id": "ben"}))) == ["not_found"]


async def test_an_empty_batch_has_no_answers(worker: DoctorActors) -> None:
    assert await worker.handle([]) == []


async def test_when_the_database_does_not_answer_there_are_no_answers_and_the_batch_can_be_retried(
    store: SharedStore,
) -> None:
    records = Failing()
    store.records = records
    await store.open()
    worker = store.worker()
    first = book("carl")
    await worker.handle([first])
    for after_the_write in (False, True):
        second = confirm(first), book("dora", at=2 + after_the_write)
        records.fail_next_save = True
        records.after_the_write = after_the_write
        with pytest.raises(StoreUnavailable):
            await worker.handle(second)
        assert verdicts(await worker.handle(second))[1] == "scheduled"
    assert [event.seq for event in (await store.appointment(first.id)).history] == [1, 2]
    assert await store.records.appointments.last_seq("ada") == 4


async def test_the_first_command_after_a_rebalance_reads_one_thing_of_its_doctor(store: SharedStore) -> None:
    records = Counting()
    store.records = records
    await store.open()
    worker = store.worker()
    first = book("carl", at=0)
    await given(worker, first, book("dora", at=0, doctor="ben"))
    for change in (book("emil", at=1), confirm(first), cancel(first)):
        worker.forget()
        records.calls.clear()
        await given(worker, change)
        named = ["by_ids"] if change.kind != "book" else []
        assert records.calls == ["changed_since", *named, "save"]


async def test_days_that_are_over_leave_the_table_at_the_first_command_of_a_later_day(store: SharedStore) -> None:
    table: dict[bytes, dict[str, Any]] = {}
    worker = DoctorActors(store.records, DoctorTable(table), lambda: store.now)
    later = 2 * 48
    await given(worker, book("carl", at=0), book("dora", at=later, key="kept"))
    assert set(table) == {b"ada|2026-06-01", b"ada|2026-06-03", b"ada|schedule"}
    store.now += timedelta(days=2)
    assert await given(worker, book("emil", at=later), book("emil", at=0)) == ["slot_taken", "in_the_past"]
    assert set(table) == {b"ada|2026-06-03", b"ada|schedule"}
    assert table[b"ada|2026-06-03"]["slots"] == {"12:00": "kept"}


class Counting(MemoryRecords):
    """Records the calls of the appointments' store."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.appointments = _Spy(self.appointments, self.calls)


class _Spy:
    def __init__(self, real: object, calls: list[str]) -> None:
        self._real = real
        self._calls = calls

    def __getattr__(self, name: str) -> object:
        self._calls.append(name)
        return getattr(self._real, name)


class Failing(MemoryRecords):
    """Fails a save, before or after it has written."""

    def __init__(self) -> None:
        super().__init__()
        self.fail_next_save = False
        self.after_the_write = False
        self._save = self.appointments.save
        self.appointments.save = self._fail_or_save

    async def _fail_or_save(self, appointments: object) -> object:
        if not self.fail_next_save:
            return await self._save(appointments)
        self.fail_next_save = False
        if self.after_the_write:
            await self._save(appointments)
        raise StoreUnavailable("away")
