"""The waitlist in the record: the fences of offers, and the reads of lines and offers, in both implementations."""

from hub.records.ports import Fence, Records, Saved, Stale, Stopped
from hub.scheduling.values import Status
from tests.contracts.histories import HALF_HOUR, NINE, QUARTER, Histories


async def test_an_offer_and_an_appointment_never_hold_the_same_slot(records: Records, histories: Histories) -> None:
    booked = histories.book()
    await records.appointments.save([booked])
    assert await records.appointments.save([histories.offer(patient="paul")]) == Stopped(0, Fence.DOCTOR_SLOT)
    histories.seqs["dora"] -= 1
    offer = histories.offer(patient="paul", start=NINE + HALF_HOUR)
    assert await records.appointments.save([offer]) == Saved()
    late = histories.book(patient="pia", start=NINE + HALF_HOUR)
    assert await records.appointments.save([late]) == Stopped(0, Fence.DOCTOR_SLOT)


async def test_two_offers_never_hold_the_same_slot(records: Records, histories: Histories) -> None:
    await records.appointments.save([histories.offer()])
    assert await records.appointments.save([histories.offer(patient="paul")]) == Stopped(0, Fence.DOCTOR_SLOT)


async def test_a_lapsed_offer_frees_the_slot_and_an_accepted_one_keeps_it(
    records: Records, histories: Histories
) -> None:
    offer = histories.offer()
    lapsed = histories.lapse(offer)
    again = histories.offer(patient="paul")
    accepted = histories.accept(again)
    assert await records.appointments.save([offer, lapsed, again, accepted]) == Saved()
    assert await records.appointments.save([histories.book(patient="pia")]) == Stopped(0, Fence.DOCTOR_SLOT)
    stored = await records.appointments.by_ids([offer.id, again.id])
    assert stored == {offer.id: lapsed, again.id: accepted}
    assert await records.appointments.save([histories.lapse(again)]) == Stale(0)


async def test_a_patient_has_one_open_offer_of_all_doctors(records: Records, histories: Histories) -> None:
    offer = histories.offer()
    await records.appointments.save([offer])
    other = histories.offer("dick", start=NINE + 4 * HALF_HOUR)
    assert await records.appointments.save([other]) == Stopped(0, Fence.OPEN_OFFER)
    await records.appointments.save([histories.accept(offer)])
    assert await records.appointments.save([other]) == Saved()
    assert await records.waitlist.asked(["pat", "paul"]) == {"pat"}


async def test_an_offer_holds_the_time_of_its_patient(records: Records, histories: Histories) -> None:
    await records.appointments.save([histories.offer()])
    elsewhere = histories.book("dick", "pat", NINE + QUARTER)
    assert await records.appointments.save([elsewhere]) == Stopped(0, Fence.PATIENT_TIME)
    assert await records.appointments.busy([("pat", NINE), ("paul", NINE)]) == {("pat", NINE)}


async def test_an_offer_that_was_decided_on_an_outdated_line_is_refused(records: Records, histories: Histories) -> None:
    await records.appointments.save([histories.wait()])
    histories.seqs["dora"] -= 1
    assert await records.appointments.save([histories.offer(patient="paul")]) == Stopped(0, Fence.DOCTOR_SEQ)


async def test_entries_are_read_in_the_order_of_the_line(records: Records, histories: Histories) -> None:
    first, second, elsewhere = histories.wait(), histories.wait(patient="paul"), histories.wait("dick")
    assert await records.appointments.save([first, second, elsewhere]) == Saved()
    assert await records.waitlist.line("dora") == [first, second]
    assert await records.waitlist.places(["dora", "dick"]) == {first.id: 1, second.id: 2, elsewhere.id: 1}
    assert await records.waitlist.of_patient("pat") == [first, elsewhere]
    assert await records.waitlist.awaited_doctors() == {"dora", "dick"}
    assert await records.waitlist.awaited_doctors(["paul"]) == {"dora"}
    left = histories.leave(first)
    assert await records.appointments.save([left]) == Saved()
    assert await records.waitlist.line("dora") == [second]
    assert await records.waitlist.by_ids([first.id, "nobody"]) == {first.id: left}
    assert await records.waitlist.awaited_doctors(["pat"]) == {"dick"}
    assert await records.waitlist.doctors_of(["pat", "nobody"]) == {"pat": {"dora", "dick"}}


async def test_an_entry_is_no_appointment_and_is_in_the_events_of_its_doctor(
    records: Records, histories: Histories
) -> None:
    booked, entry = histories.book(), histories.wait(patient="paul")
    await records.appointments.save([booked, entry])
    assert await records.appointments.by_ids([entry.id]) == {}
    assert await records.appointments.current([entry.id]) == {}
    assert await records.appointments.by_command(entry.last.command_id) == entry
    assert [each.event.type for each in await records.appointments.events_after("dora", 0)] == [
        "booked",
        "waitlist_joined",
    ]
    assert await records.appointments.save([entry]) == Stopped(0, Fence.APPOINTMENT)


async def test_the_offers_of_a_doctor_are_read_from_a_time_on(records: Records, histories: Histories) -> None:
    early, late = histories.offer(), histories.offer(patient="paul", start=NINE + HALF_HOUR)
    booked = histories.book(patient="pia", start=NINE + 2 * HALF_HOUR)
    await records.appointments.save([early, late, booked])
    assert await records.waitlist.offers("dora", NINE + HALF_HOUR) == [late]
    assert {each.id for each in await records.waitlist.offers("dora", NINE)} == {early.id, late.id}
    assert await records.waitlist.offers("dor", NINE) == []


async def test_an_open_offer_is_a_deadline_and_its_slot_is_taken(records: Records, histories: Histories) -> None:
    offer = histories.offer()
    await records.appointments.save([offer])
    [deadline] = await records.appointments.due(NINE)
    assert (deadline.kind, deadline.due) == ("offer", NINE - HALF_HOUR)
    assert await records.appointments.taken_starts("dora", NINE, NINE + HALF_HOUR) == {NINE}
    assert await records.appointments.slot_owners(["dora"], NINE) == {"dora": {NINE: offer.id}}
    assert offer.status is Status.OFFERED
