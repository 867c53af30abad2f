"""One command may cause several events: they are written together or not at all, and every fence holds for each."""

from hub.records.ports import Fence, Records, Saved, Stale, Stopped
from hub.scheduling.apply import as_of
from hub.scheduling.recorded_event import RecordedEvent
from tests.contracts.histories import HALF_HOUR, NINE, Histories

TEN = NINE + 2 * HALF_HOUR


async def test_two_events_of_one_command_are_written_over_the_version_they_were_decided_on(
    records: Records, histories: Histories
) -> None:
    booked = histories.book()
    changed = histories.confirm_and_move(booked, TEN)

    assert await records.appointments.save([booked, changed]) == Saved()

    assert changed.version == 3
    assert await records.appointments.by_ids([booked.id]) == {booked.id: changed}
    assert await records.appointments.events_after("dora", 0) == [
        RecordedEvent(event, as_of(changed, event.seq)) for event in changed.history
    ]
    assert await records.appointments.last_seq("dora") == 3
    assert await records.appointments.taken_starts("dora", NINE, TEN + HALF_HOUR) == {TEN}


async def test_a_later_command_continues_after_two_events(records: Records, histories: Histories) -> None:
    booked = histories.book()
    changed = histories.confirm_and_move(booked, TEN)
    again = histories.confirm_and_move(changed, NINE)

    assert await records.appointments.save([booked, changed, again]) == Saved()

    assert (await records.appointments.by_ids([booked.id]))[booked.id] == again


async def test_a_booking_of_two_events_is_inserted_and_meets_itself(records: Records, histories: Histories) -> None:
    booked = histories.book_and_confirm()

    assert await records.appointments.save([booked]) == Saved()
    assert await records.appointments.save([booked]) == Stopped(0, Fence.APPOINTMENT)

    assert await records.appointments.by_command(booked.id) == booked


async def test_two_events_that_are_written_again_are_told_as_applied(records: Records, histories: Histories) -> None:
    booked = histories.book()
    changed = histories.confirm_and_move(booked, TEN)
    await records.appointments.save([booked, changed])

    assert await records.appointments.save([changed]) == Stopped(0, Fence.COMMAND)


async def test_two_events_decided_on_an_older_version_are_stale(records: Records, histories: Histories) -> None:
    booked = histories.book()
    others = histories.confirm(booked)
    ours = histories.confirm_and_move(booked, TEN)
    await records.appointments.save([booked, others])

    assert await records.appointments.save([ours]) == Stale(0)

    assert (await records.appointments.by_ids([booked.id]))[booked.id] == others


async def test_a_change_of_the_version_between_two_events_is_stale(records: Records, histories: Histories) -> None:
    """Only the state after the whole command is stored, so no command can be decided on a state between its events."""
    booked = histories.book()
    changed = histories.confirm_and_move(booked, TEN)
    between = as_of(changed, changed.history[1].seq)
    await records.appointments.save([booked, changed])

    assert await records.appointments.save([histories.cancel(between)]) == Stale(0)


async def test_the_first_of_two_events_meets_the_seq_of_another_appointment(
    records: Records, histories: Histories
) -> None:
    booked = histories.book()
    await records.appointments.save([booked])
    behind = Histories()
    behind.seqs.update(histories.seqs)
    await records.appointments.save([histories.book(patient="paul", start=TEN)])

    assert await records.appointments.save([behind.confirm_and_move(booked, NINE + HALF_HOUR)]) == Stopped(
        0, Fence.DOCTOR_SEQ
    )


async def test_two_events_into_a_taken_slot_are_both_refused(records: Records, histories: Histories) -> None:
    booked, there = histories.book(), histories.book(patient="paul", start=TEN)
    await records.appointments.save([booked, there])

    assert await records.appointments.save([histories.confirm_and_move(booked, TEN)]) == Stopped(0, Fence.DOCTOR_SLOT)

    assert (await records.appointments.by_ids([booked.id]))[booked.id] == booked
