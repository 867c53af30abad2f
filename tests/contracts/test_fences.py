"""The fences: which writes the record refuses, and which writes it has made before the refused one."""

from datetime import timedelta

import pytest

from hub.records.ports import Fence, Records, Saved, Stale, Stopped
from hub.scheduling.appointment import Appointment
from hub.scheduling.values import Status
from tests.contracts.histories import HALF_HOUR, NINE, QUARTER, Histories


async def test_what_is_saved_is_read_back_as_it_was(records: Records, histories: Histories) -> None:
    booked = histories.book(reason="a cough")
    confirmed = histories.confirm(booked)
    moved = histories.move(confirmed, NINE + HALF_HOUR)

    assert await records.appointments.save([booked, confirmed, moved]) == Saved()

    assert await records.appointments.by_ids([booked.id, "nobody"]) == {booked.id: moved}


async def test_a_booking_without_a_reason_and_a_cancelled_one_without_a_deadline_are_read_back(
    records: Records, histories: Histories
) -> None:
    booked = histories.book()
    cancelled = histories.cancel(booked)

    await records.appointments.save([booked, cancelled])

    stored = (await records.appointments.by_ids([booked.id]))[booked.id]
    assert stored == cancelled
    assert (stored.reason, stored.due, stored.due_kind) == (None, None, None)


async def test_an_empty_save_succeeds(records: Records) -> None:
    assert await records.appointments.save([]) == Saved()


async def test_a_repeated_booking_is_refused_as_applied(records: Records, histories: Histories) -> None:
    booked = histories.book()
    await records.appointments.save([booked])

    assert await records.appointments.save([booked]) == Stopped(0, Fence.APPOINTMENT)


async def test_a_booking_repeated_after_its_cancellation_is_refused_as_applied(
    records: Records, histories: Histories
) -> None:
    booked = histories.book()
    await records.appointments.save([booked, histories.cancel(booked)])

    assert await records.appointments.save([booked]) == Stopped(0, Fence.APPOINTMENT)


async def test_a_repeated_change_is_refused_as_applied(records: Records, histories: Histories) -> None:
    booked = histories.book()
    confirmed = histories.confirm(booked)
    await records.appointments.save([booked, confirmed])

    assert await records.appointments.save([confirmed]) == Stopped(0, Fence.COMMAND)


async def test_a_command_that_changed_one_appointment_cannot_book_another(
    records: Records, histories: Histories
) -> None:
    booked = histories.book()
    await records.appointments.save([booked, histories.confirm(booked, command="once")])

    other = histories.book(patient="paul", start=NINE + HALF_HOUR, command="once")

    assert await records.appointments.save([other]) == Stopped(0, Fence.COMMAND)


async def test_a_command_is_applied_once_even_if_sent_to_two_doctors(records: Records, histories: Histories) -> None:
    await records.appointments.save([histories.book(command="once")])
    elsewhere = histories.book("dick", "paul", NINE + HALF_HOUR)
    await records.appointments.save([elsewhere])

    assert await records.appointments.save([histories.confirm(elsewhere, command="once")]) == Stopped(0, Fence.COMMAND)


async def test_a_doctor_has_one_active_appointment_at_a_time(records: Records, histories: Histories) -> None:
    await records.appointments.save([histories.book(patient="pat")])

    assert await records.appointments.save([histories.book(patient="paul")]) == Stopped(0, Fence.DOCTOR_SLOT)


async def test_a_save_with_two_bookings_of_one_slot_stops_at_the_second(records: Records, histories: Histories) -> None:
    first, second, third = (histories.book(patient=patient) for patient in ("pat", "paul", "paula"))

    assert await records.appointments.save([first, second, third]) == Stopped(1, Fence.DOCTOR_SLOT)

    assert set(await records.appointments.by_ids([first.id, second.id, third.id])) == {first.id}


async def test_a_cancelled_appointment_frees_its_slot_and_its_patient(records: Records, histories: Histories) -> None:
    booked = histories.book()
    await records.appointments.save([booked, histories.cancel(booked)])

    assert await records.appointments.save([histories.book(patient="paul")]) == Saved()
    assert await records.appointments.save([histories.book("dick", "pat")]) == Saved()


async def test_two_appointments_of_a_patient_never_have_one_place(records: Records, histories: Histories) -> None:
    first = _placed(histories.book(), 0)
    assert (
        await records.appointments.save([first, _placed(histories.book("dick", start=NINE + HALF_HOUR), 2)]) == Saved()
    )
    assert (await records.appointments.by_ids([first.id]))[first.id] == first

    for place, outcome in [(0, Stopped(0, Fence.PATIENT_PLACE)), (1, Saved())]:
        histories.seqs["dan"] = 0
        assert (
            await records.appointments.save([_placed(histories.book("dan", start=NINE + 2 * HALF_HOUR), place)])
            == outcome
        )
    assert await records.appointments.save([_placed(histories.book("dina", "paul"), 0)]) == Saved()
    assert await records.appointments.places_taken({"pat", "paul", "nobody"}, 2) == {
        "pat": {0, 1},
        "paul": {0},
        "nobody": set(),
    }


async def test_a_place_stays_with_its_appointment_until_that_is_over_or_the_patient_arrives(
    records: Records, histories: Histories
) -> None:
    booked = _placed(histories.book(), 0)
    confirmed = histories.confirm(booked)
    arriving = _placed(histories.book("dick", start=NINE + HALF_HOUR), 1)
    assert await records.appointments.save([booked, confirmed, arriving]) == Saved()
    assert (await records.appointments.by_ids([confirmed.id]))[confirmed.id].place == 0
    assert await records.appointments.places_taken({"pat"}, 8) == {"pat": {0, 1}}
    assert await records.appointments.save([histories.check_in(arriving), histories.cancel(confirmed)]) == Saved()
    assert await records.appointments.places_taken({"pat"}, 8) == {"pat": set()}


async def test_a_visit_is_read_back_as_it_was(records: Records, histories: Histories) -> None:
    booked = histories.book()
    arrived = histories.check_in(booked)
    in_room = histories.call_in(arrived)
    done = histories.complete(in_room)

    await records.appointments.save([booked, arrived])
    assert (await records.appointments.by_ids([booked.id]))[booked.id] == arrived
    assert await records.appointments.due(NINE + 8 * HALF_HOUR) == []

    await records.appointments.save([in_room, done])
    assert (await records.appointments.by_ids([booked.id]))[booked.id] == done


async def test_a_no_show_that_is_checked_in_takes_back_its_slot_and_its_patients_time(
    records: Records, histories: Histories
) -> None:
    booked = histories.book()
    missed = histories.miss(booked)
    await records.appointments.save([booked, missed, histories.check_in(missed)])

    assert await records.appointments.save([histories.book(patient="paul")]) == Stopped(0, Fence.DOCTOR_SLOT)
    assert await records.appointments.save([histories.book("dick", "pat")]) == Stopped(0, Fence.PATIENT_TIME)


async def test_an_appointment_that_is_given_to_another_patient_takes_that_ones_time_and_frees_the_firsts(
    records: Records, histories: Histories
) -> None:
    booked, other = histories.book(patient="pat"), histories.book("dick", "paul", NINE + HALF_HOUR)
    joined = histories.join(booked, "paul")
    assert await records.appointments.save([booked, other, joined]) == Saved()
    assert (await records.appointments.by_ids([booked.id]))[booked.id] == joined
    assert await records.appointments.save([histories.book("dan", "pat")]) == Saved()
    assert await records.appointments.save([histories.book("dina", "paul")]) == Stopped(0, Fence.PATIENT_TIME)
    assert await records.appointments.doctors_of(["paul"]) == {"paul": {"dora", "dick"}}


async def test_a_patient_who_is_busy_is_not_given_another_appointment_unless_it_is_over(
    records: Records, histories: Histories
) -> None:
    booked, other = histories.book(patient="pat"), histories.book("dick", "paul")
    assert await records.appointments.save([booked, other]) == Saved()
    assert await records.appointments.save([histories.join(booked, "paul")]) == Stopped(0, Fence.PATIENT_TIME)
    histories.seqs["dora"] -= 1
    cancelled = histories.cancel(booked)
    assert await records.appointments.save([cancelled, histories.join(cancelled, "paul")]) == Saved()


@pytest.mark.parametrize(
    ("doctor", "patient", "fence"), [("dora", "paul", Fence.DOCTOR_SLOT), ("dick", "pat", Fence.PATIENT_TIME)]
)
async def test_a_no_show_does_not_take_back_what_another_appointment_has(
    records: Records, histories: Histories, doctor: str, patient: str, fence: Fence
) -> None:
    booked = histories.book()
    missed = histories.miss(booked)
    await records.appointments.save([booked, missed, histories.book(doctor, patient)])

    assert await records.appointments.save([histories.check_in(missed)]) == Stopped(0, fence)
    assert (await records.appointments.by_ids([booked.id]))[booked.id] == missed


async def test_a_moved_appointment_frees_the_old_time_and_holds_the_new_one(
    records: Records, histories: Histories
) -> None:
    booked = histories.book()
    await records.appointments.save([booked, histories.move(booked, NINE + HALF_HOUR)])

    assert await records.appointments.save([histories.book(patient="paul")]) == Saved()
    assert await records.appointments.save([histories.book("dick", "pat")]) == Saved()
    taken = histories.book(patient="paula", start=NINE + HALF_HOUR)
    assert await records.appointments.save([taken]) == Stopped(0, Fence.DOCTOR_SLOT)


async def test_an_appointment_cannot_move_into_a_taken_slot(records: Records, histories: Histories) -> None:
    there = histories.book(patient="paul", start=NINE + HALF_HOUR)
    booked = histories.book()
    await records.appointments.save([there, booked])

    assert await records.appointments.save([histories.move(booked, NINE + HALF_HOUR)]) == Stopped(0, Fence.DOCTOR_SLOT)

    assert await records.appointments.by_ids([booked.id]) == {booked.id: booked}


@pytest.mark.parametrize("apart", [-QUARTER, timedelta(0), QUARTER])
async def test_appointments_of_a_patient_may_not_overlap_even_if_the_zones_differ_by_a_quarter_hour(
    records: Records, histories: Histories, apart: timedelta
) -> None:
    await records.appointments.save([histories.book("dora", "pat", NINE)])

    overlapping = histories.book("kiran", "pat", NINE + apart)

    assert await records.appointments.save([overlapping]) == Stopped(0, Fence.PATIENT_TIME)


@pytest.mark.parametrize("apart", [-HALF_HOUR, HALF_HOUR])
async def test_appointments_of_a_patient_may_be_adjacent(
    records: Records, histories: Histories, apart: timedelta
) -> None:
    await records.appointments.save([histories.book("dora", "pat", NINE)])

    assert await records.appointments.save([histories.book("kiran", "pat", NINE + apart)]) == Saved()


async def test_a_seq_of_a_doctor_is_used_once(records: Records, histories: Histories) -> None:
    await records.appointments.save([histories.book()])
    histories.seqs.clear()

    behind = histories.book(patient="paul", start=NINE + HALF_HOUR)

    assert await records.appointments.save([behind]) == Stopped(0, Fence.DOCTOR_SEQ)


async def test_a_change_with_a_used_seq_is_refused(records: Records, histories: Histories) -> None:
    one, other = histories.book(), histories.book(patient="paul", start=NINE + HALF_HOUR)
    await records.appointments.save([one, other, histories.confirm(one)])
    histories.seqs["dora"] -= 1

    assert await records.appointments.save([histories.confirm(other)]) == Stopped(0, Fence.DOCTOR_SEQ)


async def test_a_change_with_a_seq_of_its_own_appointment_is_refused(records: Records, histories: Histories) -> None:
    """A worker with an outdated `seq` may have read the current version of the appointment."""
    booked = histories.book()
    confirmed = histories.confirm(booked)
    await records.appointments.save([booked, confirmed])
    histories.seqs["dora"] = 1

    assert await records.appointments.save([histories.cancel(confirmed)]) == Stopped(0, Fence.DOCTOR_SEQ)

    assert await records.appointments.by_ids([booked.id]) == {booked.id: confirmed}


async def test_an_applied_command_is_not_applied_to_a_later_version(records: Records, histories: Histories) -> None:
    booked = histories.book(command="once")
    await records.appointments.save([booked])

    assert await records.appointments.save([histories.confirm(booked, command="once")]) == Stopped(0, Fence.COMMAND)

    assert await records.appointments.by_ids([booked.id]) == {booked.id: booked}


async def test_an_outdated_seq_is_reported_before_a_taken_slot(records: Records, histories: Histories) -> None:
    await records.appointments.save([histories.book()])
    histories.seqs.clear()

    assert await records.appointments.save([histories.book(patient="paul")]) == Stopped(0, Fence.DOCTOR_SEQ)


async def test_a_change_of_an_old_version_is_stale_and_changes_nothing(records: Records, histories: Histories) -> None:
    booked = histories.book()
    cancelled = histories.cancel(booked)
    await records.appointments.save([booked, cancelled])

    assert await records.appointments.save([histories.confirm(booked)]) == Stale(0)

    assert await records.appointments.by_ids([booked.id]) == {booked.id: cancelled}


async def test_a_save_that_stops_at_a_stale_change_reports_the_number_of_writes(
    records: Records, histories: Histories
) -> None:
    booked = histories.book()
    await records.appointments.save([booked, histories.cancel(booked)])
    elsewhere = histories.book("dick", "paul")

    assert await records.appointments.save([elsewhere, histories.confirm(booked)]) == Stale(1)

    assert await records.appointments.by_ids([elsewhere.id]) == {elsewhere.id: elsewhere}


async def test_nothing_is_written_after_a_stale_change_so_the_history_has_no_gap(
    records: Records, histories: Histories
) -> None:
    booked = histories.book()
    confirmed = histories.confirm(booked)
    ours = [confirmed, histories.move(confirmed, NINE + HALF_HOUR), histories.book(patient="paul")]
    histories.seqs["dora"] = 1
    await records.appointments.save([booked, histories.cancel(booked)])

    assert await records.appointments.save(ours) == Stale(0)

    assert await records.appointments.last_seq("dora") == 2


async def test_the_second_of_two_stale_changes_does_not_replace_another_writers_version(
    records: Records, histories: Histories
) -> None:
    """The stored version has the number that the second change expects, but another writer wrote it."""
    booked = histories.book()
    ours = [confirmed := histories.confirm(booked), histories.move(confirmed, NINE + HALF_HOUR)]
    histories.seqs["dora"] = 1
    theirs = histories.cancel(booked)
    await records.appointments.save([booked, theirs])

    assert await records.appointments.save(ours) == Stale(0)
    assert await records.appointments.save(ours[1:]) == Stale(0)

    assert await records.appointments.by_ids([booked.id]) == {booked.id: theirs}


async def test_one_appointment_may_be_written_more_than_once_in_one_save(
    records: Records, histories: Histories
) -> None:
    booked = histories.book()
    confirmed = histories.confirm(booked)
    between = histories.book(patient="paul", start=NINE + HALF_HOUR)
    cancelled = histories.cancel(confirmed)
    again = histories.book(patient="paula")

    assert await records.appointments.save([booked, confirmed, between, cancelled, again]) == Saved()

    stored = await records.appointments.by_ids([booked.id, between.id, again.id])
    assert stored == {booked.id: cancelled, between.id: between, again.id: again}
    assert stored[booked.id].status is Status.CANCELLED


async def test_a_save_that_stops_reports_the_number_of_writes_of_any_kind(
    records: Records, histories: Histories
) -> None:
    booked = histories.book()
    other = histories.book(patient="paul", start=NINE + HALF_HOUR)
    confirmed = histories.confirm(booked)
    double = histories.book(patient="paula")
    late = histories.book(patient="petra", start=NINE + 2 * HALF_HOUR)

    assert await records.appointments.save([booked, other, confirmed, double, late]) == Stopped(3, Fence.DOCTOR_SLOT)

    stored = await records.appointments.by_ids([booked.id, other.id, double.id, late.id])
    assert stored == {booked.id: confirmed, other.id: other}


async def test_a_change_restores_an_appointment_that_the_store_has_lost(records: Records, histories: Histories) -> None:
    confirmed = histories.confirm(histories.book())

    assert await records.appointments.save([confirmed]) == Saved()

    assert await records.appointments.by_ids([confirmed.id]) == {confirmed.id: confirmed}


def _placed(appointment: Appointment, place: int) -> Appointment:
    return appointment.model_copy(update={"place": place})
