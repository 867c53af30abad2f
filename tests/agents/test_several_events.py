"""A command that causes two events, from the decision to the repeated answer. No command of the hub needs two yet."""

from datetime import datetime

import pytest

from agents.actor import actors
from agents.actor.actors import DoctorActors, Recorded
from agents.actor.doctor_table import DoctorTable
from agents.answers import Answer
from hub.bus.replay import replayed
from hub.scheduling import decide as rules
from hub.scheduling.apply import as_of
from hub.scheduling.commands import Command, RescheduleAppointment
from hub.scheduling.decision import Accepted, Decision, header
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.events import AppointmentConfirmed
from hub.scheduling.recorded_event import RecordedEvent
from tests.agents.actor_fixtures import SharedStore, book, given, move, notices, shown, slot, told, verdicts

TOLD = [(2, "rescheduled"), (3, "confirmed")]


@pytest.fixture(autouse=True)
def _moving_also_confirms(monkeypatch: pytest.MonkeyPatch) -> None:
    def decide(state: DoctorState, command: Command, now: datetime) -> Decision:
        decision = rules.decide(state, command, now)
        if not (isinstance(command, RescheduleAppointment) and isinstance(decision, Accepted)):
            return decision
        after, _ = state.apply_all(decision.aggregate_id, decision.events)
        confirmed = AppointmentConfirmed(**header(after, command, now))
        return Accepted(decision.aggregate_id, (*decision.events, confirmed))

    monkeypatch.setattr(actors, "decide", decide)


async def moved(worker: DoctorActors) -> tuple[RescheduleAppointment, Answer]:
    """Book the first slot, move to the second with two events, and return the command and its answer."""
    first = book("carl", at=0)
    await given(worker, first)
    command = move(first, to=1)
    (answer,) = await worker.handle([command])
    return command, answer


async def test_both_events_are_written_and_told_in_order(store: SharedStore, worker: DoctorActors) -> None:
    command, answer = await moved(worker)
    assert told([answer]) == TOLD
    assert [notice.event.prev for notice in answer.notices] == [1, 2]
    assert [notice.appointment.status.value for notice in answer.notices] == ["scheduled", "confirmed"]
    assert [len(notice.slots) for notice in answer.notices] == [2, 0]
    stored = await store.appointment(command.appointment_id)
    assert [event.type for event in stored.history] == ["booked", "rescheduled", "confirmed"]
    assert (shown(answer).version, shown(answer).status, shown(answer).start) == (3, "confirmed", slot(1))


async def test_later_commands_of_the_same_batch_see_both_events(worker: DoctorActors) -> None:
    first = book("carl", at=0)
    await given(worker, first)
    batch = [move(first, to=1), book("dora", at=0), book("emil", at=1)]
    answers = await worker.handle(batch)
    assert verdicts(answers) == ["confirmed", "scheduled", "slot_taken"]
    assert told(answers) == [*TOLD, (4, "booked")]


async def test_the_next_batch_goes_on_after_both_events(worker: DoctorActors) -> None:
    await moved(worker)
    answers = await worker.handle([book("dora", at=0), book("emil", at=1)])
    assert verdicts(answers) == ["scheduled", "slot_taken"]
    assert told(answers) == [(4, "booked")]


async def test_a_repeated_command_is_answered_and_told_with_both_events(
    store: SharedStore, worker: DoctorActors
) -> None:
    command, answer = await moved(worker)
    for asked in (worker, store.worker()):  # the second one has read nothing yet
        (again,) = await asked.handle([command])
        assert again == answer


async def test_a_worker_that_does_not_know_of_it_meets_the_fence_and_answers_with_both_events(
    store: SharedStore, worker: DoctorActors
) -> None:
    first = book("carl", at=0)
    await given(worker, first)
    other = store.worker()
    await given(other, book("dora", at=5))
    command = move(first, to=1)
    (theirs,) = await other.handle([command])
    (ours,) = await worker.handle([command])
    assert ours == theirs
    assert told([ours]) == [(3, "rescheduled"), (4, "confirmed")]


async def test_a_lost_pair_of_notices_is_made_anew_from_the_record(store: SharedStore, worker: DoctorActors) -> None:
    _, answer = await moved(worker)
    recorded = await store.records.appointments.events_after("ada", 1)
    assert await replayed(store.records, "ada", recorded) == list(answer.notices)
    assert await replayed(store.records, "ada", recorded[1:]) == notices([answer])[1:]


async def test_who_follows_the_writes_gets_each_event_with_what_it_left_behind(store: SharedStore) -> None:
    saved: list[Recorded] = []
    worker = DoctorActors(store.records, DoctorTable({}), lambda: store.now, on_saved=saved.append)
    command, _ = await moved(worker)
    stored = await store.appointment(command.appointment_id)
    rescheduled, confirmed = stored.history[1:]
    assert list(saved[-1]) == [RecordedEvent(rescheduled, as_of(stored, 2)), RecordedEvent(confirmed, stored)]
