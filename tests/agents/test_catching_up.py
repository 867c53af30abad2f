"""A worker takes over: whatever its table has, it knows each doctor as the record has them."""

import random

import pytest

from agents.actor.actors import DoctorActors
from agents.actor.catching_up import MOST_CHANGES, caught_up
from agents.actor.doctor_table import DoctorTable, Remembered
from agents.actor.state_reader import StateReader
from hub.records.ports import LastEvent
from hub.scheduling.commands import Command
from hub.scheduling.doctor_state import DoctorState
from tests.agents.actor_fixtures import PATIENTS, SharedStore, book, cancel, confirm, given, hours, move, off, slot
from tests.agents.changelog import Changelog, Entries

COMMANDS, MIXTURES = 12, 8


@pytest.mark.parametrize("seed", range(40))
async def test_with_any_mixture_of_entries_a_doctor_is_known_as_the_record_has_them(
    store: SharedStore, seed: int
) -> None:
    chance, changelog = random.Random(seed), Changelog()
    workers = [DoctorActors(store.records, DoctorTable(Entries(changelog)), lambda: store.now) for _ in range(2)]
    booked = [book(at=0)]
    for _ in range(COMMANDS):
        command = random_command(chance, booked)
        await chance.choice(workers).handle([command])
    right = await known(store, DoctorTable({}))
    for mixture in range(MIXTURES):
        entries = Entries(Changelog())
        changelog.recover(entries, 2 * (seed * MIXTURES + mixture) + 1)
        assert await known(store, DoctorTable(entries)) == right


async def known(store: SharedStore, table: DoctorTable) -> DoctorState:
    """Return what a worker that takes over with this table decides against."""
    reader = StateReader(store.records, table, lambda: store.now)
    reader.forget_all()
    return (await reader.states([hours()]))["ada"]


def random_command(chance: random.Random, booked: list[Command]) -> Command:
    at, of = chance.choice([0, 1, 2, 48, 49]), chance.choice(booked)
    match chance.randrange(8):
        case 0:
            return confirm(of)
        case 1:
            return move(of, at)
        case 2 | 3:
            return cancel(of)
        case 4:
            return off(chance.choice([5, 6]))
        case _:
            booked.append(book(chance.choice(PATIENTS), at))
            return booked[-1]


async def test_what_does_not_follow_on_what_is_remembered_is_not_used(store: SharedStore) -> None:
    first, second, third = book("carl", at=0), book("dora", at=1), book("emil", at=2)
    worker = store.worker()
    await given(worker, first, second, third)
    record, (one, two, three) = (
        store.records.appointments,
        [await store.appointment(each.id) for each in (first, second, third)],
    )
    schedule_record = (await known(store, DoctorTable({}))).schedule_record
    before = Remembered(LastEvent(1, first.id), schedule_record, {slot(0): one.id})
    after = caught_up(before, await record.changed_since("ada", 1, MOST_CHANGES))
    assert after
    assert (after.last, after.slot_owners) == (
        LastEvent(3, third.id),
        {slot(0): one.id, slot(1): two.id, slot(2): three.id},
    )
    assert caught_up(before, [one, three]) is None, "an event is missing"
    assert caught_up(before, [two, three]) is None, "the event that is remembered is missing"
    assert caught_up(before, []) is None
    another = Remembered(LastEvent(1, "another"), schedule_record, {})
    assert caught_up(another, [one, two, three]) is None, "the record has another history"


async def test_after_a_restore_the_table_is_mended_and_the_log_says_so(
    store: SharedStore, capsys: pytest.CaptureFixture[str]
) -> None:
    changelog = Changelog()
    ahead = DoctorActors(store.records, DoctorTable(Entries(changelog)), lambda: store.now)
    lost = book("dora", at=48)
    await given(ahead, book("carl", at=0), lost, book("emil", at=96))
    restored = SharedStore()  # the table is of three events, and the record of none
    await restored.open()
    entries = Entries(Changelog())
    changelog.recover(entries, 2)
    worker = DoctorActors(restored.records, DoctorTable(entries), lambda: restored.now)
    worker.forget()  # as after the rebalance in which it takes over
    await given(worker, book("fred", at=48), book("gina", at=0))
    assert "record_older_than_table" in capsys.readouterr().out
    table = DoctorTable(entries)
    table.index()
    remembered = table.remembered("ada")
    assert remembered, "the entries belong together again"
    assert remembered.last.seq == 2
    assert await known(restored, DoctorTable(entries)) == await known(restored, DoctorTable({}))


async def test_with_too_many_changes_the_doctor_is_read_as_a_whole(store: SharedStore) -> None:
    entries = Entries(Changelog())
    worker = DoctorActors(store.records, DoctorTable(entries), lambda: store.now)
    await given(worker, book("carl", at=0))
    table = DoctorTable(entries)
    table.index()
    before = table.remembered("ada")
    await given(store.worker(), *(book("dora", at=1 + number) for number in range(MOST_CHANGES)))
    changed = await store.records.appointments.changed_since("ada", 1, MOST_CHANGES + 1)
    assert before
    assert caught_up(before, changed[:MOST_CHANGES])
    assert caught_up(before, changed) is None
    assert await known(store, DoctorTable(entries)) == await known(store, DoctorTable({}))
