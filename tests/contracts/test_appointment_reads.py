"""Reads of appointments."""

from datetime import datetime, timedelta

import pytest

from hub.records.appointment_filter import After, AppointmentFilter
from hub.records.paging import every_appointment
from hub.records.ports import LastEvent, Records, Saved
from hub.scheduling.appointment import Appointment
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule_record import unchanged_schedule
from hub.scheduling.values import Status
from tests.contracts.histories import BEFORE, HALF_HOUR, NINE, QUARTER, Histories
from tests.people import doctor


async def _saved(records: Records, *appointments: Appointment) -> None:
    assert await records.appointments.save(appointments) == Saved()


async def test_an_appointment_is_found_by_each_command_that_made_it(records: Records, histories: Histories) -> None:
    booked = histories.book(command="first")
    confirmed = histories.confirm(booked, command="second")
    await _saved(records, booked, confirmed)

    assert await records.appointments.by_command("first") == confirmed
    assert await records.appointments.by_command("second") == confirmed
    assert await records.appointments.by_command("third") is None


async def test_by_ids_leaves_out_what_does_not_exist(records: Records, histories: Histories) -> None:
    booked = histories.book()
    await _saved(records, booked)

    assert await records.appointments.by_ids(["nothing"]) == {}
    assert await records.appointments.by_ids([]) == {}
    assert await records.appointments.by_ids([booked.id, "nothing"]) == {booked.id: booked}


async def test_active_since_shows_the_active_ones_of_these_doctors_in_order_of_time(
    records: Records, histories: Histories
) -> None:
    gone = histories.book(patient="p0", start=NINE)
    late = histories.book(patient="p1", start=NINE + 3 * HALF_HOUR)
    soon = histories.book(patient="p2", start=NINE + HALF_HOUR)
    other = histories.book("dick", "p3", NINE + 2 * HALF_HOUR)
    cancelled = histories.book(patient="p4", start=NINE + 4 * HALF_HOUR)
    stranger = histories.book("derek", "p5", NINE + HALF_HOUR)
    await _saved(records, gone, late, soon, other, cancelled, stranger, histories.cancel(cancelled))
    confirmed = histories.confirm(late)
    await _saved(records, confirmed)

    since = NINE + HALF_HOUR

    assert await records.appointments.active_since({"dora", "dick", "nobody"}, since) == [soon, other, confirmed]
    assert await records.appointments.active_since((), since) == []
    of_dora = await records.appointments.starting_since("dora", since)
    assert {one.id: one.status for one in of_dora} == {
        soon.id: Status.SCHEDULED,
        confirmed.id: Status.CONFIRMED,
        cancelled.id: Status.CANCELLED,
    }
    everything = await records.appointments.starting_since("dora", None)
    assert {one.id for one in everything} == {gone.id, soon.id, confirmed.id, cancelled.id}
    held = {"dora": {soon.start: soon.id, confirmed.start: confirmed.id}, "dick": {other.start: other.id}, "nobody": {}}
    assert await records.appointments.slot_owners({"dora", "dick", "nobody"}, since) == held
    assert await records.appointments.slot_owners((), since) == {}


@pytest.mark.parametrize("days", [0.5, 5, 50, 500, 5000])
async def test_any_before_shows_whether_a_doctor_has_an_earlier_appointment_of_any_status(
    records: Records, histories: Histories, days: float
) -> None:
    early = histories.book(start=NINE - timedelta(days=days))
    await _saved(records, early, histories.book(patient="paul"), histories.book("dick", "p3"), histories.cancel(early))

    assert await records.appointments.any_before("dora", NINE)
    assert await records.appointments.any_before("dora", early.start + QUARTER)
    assert not await records.appointments.any_before("dora", early.start)
    assert not await records.appointments.any_before("dick", NINE)
    assert await records.appointments.any_before("dick", NINE + QUARTER)


async def test_taken_starts_are_those_of_active_appointments_in_the_half_open_interval(
    records: Records, histories: Histories
) -> None:
    day = [histories.book(patient=f"p{slot}", start=NINE + slot * HALF_HOUR) for slot in range(5)]
    await _saved(records, *day, histories.cancel(day[2]), histories.book("dick", "p9", NINE + 2 * HALF_HOUR))

    taken = await records.appointments.taken_starts("dora", day[1].start, day[4].start)

    assert taken == {day[1].start, day[3].start}


async def test_busy_shows_which_patients_have_an_active_appointment_that_overlaps(
    records: Records, histories: Histories
) -> None:
    held = histories.book("dora", "pat", NINE)
    freed = histories.book("dick", "paul", NINE)
    await _saved(records, held, freed, histories.cancel(freed))

    wanted = {("pat", NINE + apart) for apart in (-HALF_HOUR, -QUARTER, timedelta(0), QUARTER, HALF_HOUR)}
    wanted |= {("paul", NINE), ("pa", NINE), ("stranger", NINE)}

    assert await records.appointments.busy(wanted) == {("pat", NINE - QUARTER), ("pat", NINE), ("pat", NINE + QUARTER)}
    assert await records.appointments.busy(set()) == set()


async def test_the_last_seq_of_a_doctor_without_a_history_is_zero(records: Records, histories: Histories) -> None:
    await _saved(records, histories.book("dick"))

    assert await records.appointments.last_seq("dora") == 0
    assert await records.appointments.last_seq("dora", known=7) == 0
    assert await records.appointments.last_event("dora") is None
    assert await records.appointments.changed_since("dora", 1, 10) == []


@pytest.mark.parametrize("known", range(8))
async def test_the_last_seq_is_found_from_every_known_seq(records: Records, histories: Histories, known: int) -> None:
    first = histories.book()
    second = histories.book(patient="paul", start=NINE + HALF_HOUR)
    confirmed = histories.confirm(second)
    third = histories.book(patient="petra", start=NINE + 2 * HALF_HOUR)
    await _saved(records, first, second, confirmed, third, histories.cancel(confirmed))

    assert await records.appointments.last_seq("dora", known) == 5


async def test_what_has_changed_since_an_event_is_found_with_the_last_event(
    records: Records, histories: Histories
) -> None:
    first, second = histories.book(), histories.book(patient="paul", start=NINE + HALF_HOUR)
    confirmed = histories.confirm(first, command="confirmed")
    third = histories.book(patient="petra", start=NINE + 2 * HALF_HOUR)
    await _saved(records, first, second, confirmed, third, histories.book("dick", "pia"))
    changed = histories.change_hours(unchanged_schedule(doctor("dora").schedule))
    await _saved(records, changed)
    appointments = records.appointments

    assert await appointments.last_event("dora") == LastEvent(5, changed.last.command_id)
    for seq, expected in enumerate(
        [{first.id, second.id, third.id}] * 2 + [{first.id, third.id}, {third.id}, set()], 1
    ):
        found = {each.id: each for each in await appointments.changed_since("dora", seq, 10)}
        assert found.keys() == {*expected, changed.id}
        assert found.get(first.id, confirmed) == confirmed
        assert found[changed.id] == changed
    assert len(await appointments.changed_since("dora", 1, 2)) == 2


async def test_events_come_in_order_with_the_appointment_right_after_each(
    records: Records, histories: Histories
) -> None:
    one = histories.book()
    other = histories.book(patient="paul", start=NINE + HALF_HOUR)
    confirmed = histories.confirm(one)
    cancelled = histories.cancel(other)
    moved = histories.move(confirmed, NINE + HALF_HOUR)
    steps = [one, other, confirmed, cancelled, moved]
    await _saved(records, *steps, histories.book("dick", "pia"))

    told = [RecordedEvent(step.last, step) for step in steps]

    assert [past.event.seq for past in told] == [1, 2, 3, 4, 5]
    assert await records.appointments.events_after("dora", after=0) == told
    assert await records.appointments.events_after("dora", after=2) == told[2:]
    assert await records.appointments.events_after("dora", after=1, limit=2) == told[1:3]
    assert await records.appointments.events_after("dora", after=5) == []
    assert await records.appointments.events_after("nobody", after=0) == []


async def test_a_page_shows_the_matching_appointments_ordered_by_start(records: Records, histories: Histories) -> None:
    late = histories.book(patient="pat", start=NINE + 2 * HALF_HOUR)
    soon = histories.book(patient="paul", start=NINE)
    other = histories.book("dick", "pat", NINE + HALF_HOUR)
    confirmed = histories.confirm(late)
    cancelled = histories.cancel(soon)
    again = histories.book(patient="pia", start=NINE)
    await _saved(records, late, soon, other, confirmed, cancelled, again)
    page = records.appointments.page

    same_start = sorted((cancelled, again), key=lambda one: one.id)
    assert await page(AppointmentFilter(), 10) == [*same_start, other, confirmed]
    assert await page(AppointmentFilter(doctor_id="dora"), 10) == [*same_start, confirmed]
    assert await page(AppointmentFilter(patient_id="pat"), 10) == [other, confirmed]
    assert await page(AppointmentFilter(doctor_id="dora", patient_id="pat"), 10) == [confirmed]
    statuses = frozenset({Status.CONFIRMED, Status.CANCELLED})
    assert await page(AppointmentFilter(doctor_id="dora", statuses=statuses), 10) == [cancelled, confirmed]
    assert await page(AppointmentFilter(statuses=frozenset()), 10) == []
    bounds = AppointmentFilter(start_from=NINE + HALF_HOUR, start_to=NINE + 2 * HALF_HOUR)
    assert await page(bounds, 10) == [other]
    assert await page(AppointmentFilter(), 2) == same_start


async def test_pages_show_each_appointment_once_while_bookings_come_in(records: Records, histories: Histories) -> None:
    at_nine = []
    for number in range(4):  # one slot is booked and cancelled repeatedly: many ids with the same start
        booked = histories.book(patient=f"p{number}", start=NINE)
        at_nine += [histories.cancel(booked)]
        await _saved(records, booked, at_nine[-1])
    later = [histories.book(patient="late", start=NINE + slot * HALF_HOUR) for slot in range(1, 6)]
    await _saved(records, *later)
    expected = [one.id for one in sorted([*at_nine, *later], key=lambda one: (one.start, one.id))]

    seen: list[str] = []
    after = None
    for turn in range(1, 6):
        page = await records.appointments.page(AppointmentFilter(doctor_id="dora"), 2, after)
        seen += [one.id for one in page]
        after = After(page[-1].start, page[-1].id)
        await _saved(records, histories.book(patient=f"new{turn}", start=NINE - turn * HALF_HOUR))  # already read past

    assert seen == expected
    assert await records.appointments.page(AppointmentFilter(doctor_id="dora"), 2, after) == []


async def test_a_page_after_a_position_before_start_from_begins_at_start_from(
    records: Records, histories: Histories
) -> None:
    soon = histories.book(start=NINE)
    late = histories.book(start=NINE + HALF_HOUR)
    await _saved(records, soon, late)

    wanted = AppointmentFilter(doctor_id="dora", start_from=NINE + HALF_HOUR)

    assert await records.appointments.page(wanted, 10, After(NINE - HALF_HOUR, "a")) == [late]


async def test_the_doctors_of_patients_are_those_they_ever_had_an_appointment_with(
    records: Records, histories: Histories
) -> None:
    booked = histories.book("ben", "pat")
    others = histories.book("ada", "pat", NINE + HALF_HOUR), histories.book("ada", "paul", NINE + 2 * HALF_HOUR)
    await _saved(records, booked, *others, histories.cancel(booked))

    found = await records.appointments.doctors_of(["pat", "paul", "nobody"])

    assert found == {"pat": {"ada", "ben"}, "paul": {"ada"}}
    assert await records.appointments.doctors_of([]) == {}


async def test_outcomes_are_those_of_one_doctor_in_the_half_open_interval(
    records: Records, histories: Histories
) -> None:
    day = [histories.book(patient=f"p{slot}", start=NINE + slot * HALF_HOUR) for slot in range(4)]
    cancelled = histories.cancel(day[1])
    await _saved(records, *day, cancelled, histories.book("dick", "p9", NINE + HALF_HOUR))

    async def outcomes(start_from: datetime | None, start_to: datetime | None) -> list[tuple[datetime, Status]]:
        found = (await records.appointments.outcomes("dora", start_from, start_to)).values()
        assert {one.created_at for one in found} <= {BEFORE}
        return sorted((one.start, one.status) for one in found)

    everything = [(one.start, one.status) for one in (day[0], cancelled, day[2], day[3])]
    assert await outcomes(None, None) == everything
    assert await outcomes(day[1].start, day[3].start) == everything[1:3]
    assert await outcomes(day[3].start, None) == everything[3:]
    assert await outcomes(None, day[1].start) == everything[:1]
    assert await records.appointments.outcomes("nobody", None, None) == {}


async def test_an_outcome_has_the_wait_of_a_patient_who_was_called_in(records: Records, histories: Histories) -> None:
    booked, waiting = histories.book(), histories.book(patient="paul", start=NINE + HALF_HOUR)
    arrived, still_waiting = histories.check_in(booked), histories.check_in(waiting)
    await _saved(records, booked, waiting, arrived, still_waiting, histories.call_in(arrived, after=HALF_HOUR))

    found = await records.appointments.outcomes("dora", None, None)
    assert {id_: one.waited for id_, one in found.items()} == {booked.id: HALF_HOUR, waiting.id: None}


async def test_a_doctor_and_a_patient_have_met_if_they_had_an_appointment_of_any_status(
    records: Records, histories: Histories
) -> None:
    booked, other = histories.book("dora", "pat"), histories.book("dick", "paul")
    await _saved(records, booked, histories.cancel(booked), other)

    assert await records.appointments.have_met("dora", "pat")
    assert not await records.appointments.have_met("dora", "paul")
    assert not await records.appointments.have_met("dick", "pat")
    assert not await records.appointments.have_met("nobody", "nobody")


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6])
async def test_every_appointment_is_read_whatever_the_size_of_a_page(
    records: Records, histories: Histories, size: int
) -> None:
    appointments = [histories.book("dora", f"p{number}", NINE + number * HALF_HOUR) for number in range(5)]
    await _saved(records, *appointments, histories.book("dick", "p9"))

    found = await every_appointment(records.appointments, AppointmentFilter(doctor_id="dora"), size)
    assert found == appointments
