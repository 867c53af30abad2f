"""Schedule records in the record: they share the fences with appointments and appear in no list of them."""

from datetime import timedelta

import pytest

from hub.records.appointment_filter import AppointmentFilter
from hub.records.ports import Fence, Records, Saved, Stale, Stopped
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule import Schedule, Shift, TimeOff
from hub.scheduling.schedule_record import unchanged_schedule
from tests.contracts.histories import HALF_HOUR, NINE, Histories

DORA = unchanged_schedule(
    Schedule(
        id="dora",
        zone="Europe/Berlin",
        shifts=(Shift(weekday=0, opens=540, closes=600),),
        time_off=(TimeOff(start=NINE, end=NINE + HALF_HOUR, note="Dentist"),),
    )
)


async def test_what_is_saved_is_read_back_as_it_was(records: Records, histories: Histories) -> None:
    changed = histories.change_hours(DORA)
    away = histories.add_time_off(changed, NINE)
    assert await records.appointments.save([changed, histories.book(), away]) == Saved()

    assert await records.appointments.schedule_records(["dora", "dick", "nobody"]) == {"dora": away}
    assert await records.appointments.schedule_records([]) == {}


async def test_an_appointment_decided_on_an_outdated_schedule_is_refused(
    records: Records, histories: Histories
) -> None:
    await records.appointments.save([histories.book()])
    stale = histories.book(patient="paul", start=NINE + HALF_HOUR)
    histories.seqs["dora"] -= 1
    await records.appointments.save([histories.change_hours(DORA)])

    assert await records.appointments.save([stale]) == Stopped(0, Fence.DOCTOR_SEQ)


async def test_a_schedule_change_decided_on_an_outdated_history_is_refused(
    records: Records, histories: Histories
) -> None:
    stale = histories.change_hours(DORA)
    histories.seqs["dora"] -= 1
    await records.appointments.save([histories.book()])

    assert await records.appointments.save([stale]) == Stopped(0, Fence.DOCTOR_SEQ)
    assert await records.appointments.schedule_records(["dora"]) == {}


async def test_one_of_two_first_schedule_changes_is_written_and_the_other_is_stale(
    records: Records, histories: Histories
) -> None:
    mine, theirs = histories.change_hours(DORA), histories.change_hours(DORA)
    await records.appointments.save([theirs])

    assert await records.appointments.save([mine]) == Stale(0)
    assert await records.appointments.schedule_records(["dora"]) == {"dora": theirs}


async def test_a_schedule_change_replaces_only_its_base_version(records: Records, histories: Histories) -> None:
    first = histories.change_hours(DORA)
    second = histories.add_time_off(first, NINE)
    await records.appointments.save([first, second])

    assert await records.appointments.save([histories.add_time_off(first, NINE + HALF_HOUR)]) == Stale(0)
    assert await records.appointments.schedule_records(["dora"]) == {"dora": second}


async def test_a_command_is_applied_once_to_an_appointment_or_a_schedule(
    records: Records, histories: Histories
) -> None:
    changed, booked = histories.change_hours(DORA, command="once"), histories.book(command="other")
    await records.appointments.save([changed, booked])

    assert await records.appointments.save([changed]) == Stopped(0, Fence.COMMAND)
    assert await records.appointments.save([histories.book(patient="paul", command="once")]) == Stopped(
        0, Fence.COMMAND
    )
    assert await records.appointments.save([histories.add_time_off(changed, NINE, command="other")]) == Stopped(
        0, Fence.COMMAND
    )
    assert await records.appointments.by_command("once") == changed
    assert await records.appointments.by_command("other") == booked


async def test_a_bulk_write_stops_at_a_schedule_that_a_fence_refuses(records: Records, histories: Histories) -> None:
    theirs = histories.change_hours(DORA)
    await records.appointments.save([theirs])
    booked, mine = histories.book(), histories.change_hours(DORA)
    later = histories.book(patient="paul", start=NINE + HALF_HOUR)

    assert await records.appointments.save([booked, mine, later]) == Stale(1)
    assert set(await records.appointments.by_ids([booked.id, later.id])) == {booked.id}


async def test_events_of_appointments_and_schedule_come_in_one_order(records: Records, histories: Histories) -> None:
    booked = histories.book()
    changed = histories.change_hours(DORA)
    confirmed = histories.confirm(booked)
    away = histories.add_time_off(changed, NINE)
    await records.appointments.save([booked, changed, confirmed, away])
    told = [
        RecordedEvent(booked.last, booked),
        RecordedEvent(changed.last, changed),
        RecordedEvent(confirmed.last, confirmed),
        RecordedEvent(away.last, away),
    ]

    assert await records.appointments.events_after("dora", after=0) == told
    assert await records.appointments.events_after("dora", after=2) == told[2:]
    assert await records.appointments.events_after("dora", after=1, limit=2) == told[1:3]
    assert await records.appointments.last_seq("dora") == 4
    assert [await records.appointments.last_seq("dora", known) for known in range(5)] == [4] * 5
    assert await records.appointments.last_seq("dick") == 0


@pytest.mark.parametrize("booked", [False, True])
async def test_no_list_and_no_count_of_appointments_contains_a_schedule(
    records: Records, histories: Histories, *, booked: bool
) -> None:
    appointments = [histories.book()] if booked else []
    await records.appointments.save([*appointments, histories.change_hours(DORA)])
    store, ids = records.appointments, [each.id for each in appointments]

    everything = (
        AppointmentFilter(),
        AppointmentFilter(doctor_id="dora"),
        AppointmentFilter(start_from=NINE - HALF_HOUR),
    )
    for wanted in everything:
        assert [one.id for one in await store.page(wanted, 10)] == ids
    assert [one.id for one in await store.page(AppointmentFilter(doctor_id="dora", patient_id="pat"), 10)] == ids
    assert len(await store.outcomes("dora", None, None)) == len(ids)
    assert len(await store.outcomes("dora", None, NINE + HALF_HOUR)) == len(ids)
    assert [one.id for one in await store.active_since(["dora"], NINE - timedelta(days=400))] == ids
    assert await store.taken_starts("dora", NINE, NINE + HALF_HOUR) == ({NINE} if booked else set())
    assert len(await store.due(NINE + timedelta(days=400))) == len(ids)
    assert await store.doctors_of(["pat", ""]) == ({"pat": {"dora"}} if booked else {})
    assert await store.have_met("dora", "pat") is booked
    assert await store.busy({("pat", NINE)}) == ({("pat", NINE)} if booked else set())
