"""A day of a doctor empties while many wait for it, and agents processes get kill -9 meanwhile."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest

from hub.accounts.account import Account
from hub.bus.requests import RequestTimeouts
from hub.client.clinic import Clinic, clinic_at
from hub.clock import system_clock
from hub.ids import instance_id
from hub.ops.judge import consistency, unoffered, waitlist
from hub.ops.judge.reading import read_record
from hub.ops.judge.tolerance import Tolerance
from hub.records.appointment_filter import AppointmentFilter
from hub.records.mongo import MongoRecords, connect
from hub.records.paging import every_appointment
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import SlotOffered
from hub.scheduling.values import APPOINTMENT_DURATION, Status
from hub.settings import Settings, address, offer_policy
from tests.days import day_after_tomorrow
from tests.people import CREATED_AT, doctor, patient, receptionist, signed_in, tokens_of, weekly
from tests.stack import Stack

pytestmark = pytest.mark.stack

ALL_DAY = {"waitlist_hours": "00:00-24:00", "texts_per_second": 1000.0}
DECLINES = 5
"""Every so many-th patient passes."""


async def test_each_slot_of_a_day_that_empties_is_booked_by_the_right_patient_although_agents_are_killed(
    tmp_path: Path,
) -> None:
    await _day_empties(tmp_path, waiting=30, slots=12)


@pytest.mark.slow
async def test_two_hundred_wait_for_a_day_that_empties_while_agents_are_killed(tmp_path: Path) -> None:
    await _day_empties(tmp_path, waiting=200, slots=48)


async def test_joins_and_answers_whose_reply_is_lost_are_done_once_and_answered_with_success(tmp_path: Path) -> None:
    async with Stack(tmp_path, **ALL_DAY) as stack:
        await stack.start_engines()
        await stack.start_phones()
        agents = await stack.add_agents("tests.faults.agents_losing_replies")
        await stack.add_api()
        records = connect(address(stack.settings, "mongodb_url"))
        name, day = instance_id(), day_after_tomorrow()
        who = doctor(f"doctor-{name}", shifts=weekly(0, 4))
        takes, passes = people = [patient(f"{each}-{name}", phone=f"+1202557000{at}") for at, each in enumerate("tp")]
        assert await records.users.add([who, *people]) is None
        tokens = tokens_of(stack.settings, system_clock)
        async with clinic_at(stack.base_url(), system_clock) as clinic:
            members = [clinic.member(signed_in(one, tokens)) for one in people]
            for member in members:
                began = monotonic()
                entry = await member.waitlist.join(who.id, day.date(), day.date())
                assert getattr(entry, "status", None) == "waiting", entry
                assert monotonic() - began > RequestTimeouts().resend_after, "nothing was repeated"
            offers: dict[str, Appointment] = {}
            async with asyncio.timeout(30):
                while len(offers) < len(people):
                    offers = {each.patient_id: each for each in await _all(records, who.id, Status.OFFERED)}
                    await asyncio.sleep(0.05)
            accepted = await members[0].commands.accept(offers[takes.id].id)
            declined = await members[1].commands.decline(offers[passes.id].id)
        for answer in (accepted, declined):
            assert (answer.ok, answer.attempts) == (True, 1), answer
            assert answer.seconds > RequestTimeouts().resend_after, "nothing was repeated"
        assert agents.written().count('"reply_lost"') >= 2 * len(people)
        found = {each.id: (each.status, each.version) for each in await _all(records, who.id)}
        assert found[offers[takes.id].id] == (Status.SCHEDULED, 2)
        assert found[offers[passes.id].id] == (Status.LAPSED, 2)
        entries = [await records.waitlist.of_patient(each.id) for each in people]
        assert [[each.status for each in own] for own in entries] == [["booked"], ["waiting"]]
        await records.close()


async def _day_empties(folder: Path, *, waiting: int, slots: int) -> None:
    async with Stack(folder, **ALL_DAY) as stack:
        await stack.start(agents=2)
        records = connect(address(stack.settings, "mongodb_url"))
        name, day = instance_id(), day_after_tomorrow()
        who, desk = doctor(f"doctor-{name}", shifts=weekly(0, slots // 2)), receptionist(f"desk-{name}")
        people = [patient(f"p{number:03d}-{name}", phone=f"+1202556{number:04d}") for number in range(waiting + slots)]
        assert await records.users.add([who, desk, *people]) is None
        starts = [day + number * APPOINTMENT_DURATION for number in range(slots)]
        first = people[:waiting]
        async with clinic_at(stack.base_url(), system_clock) as clinic:
            at_desk = clinic.member(signed_in(desk, tokens_of(stack.settings, system_clock)))
            booked = [
                (await at_desk.commands.book(who.id, start, patient_id=one.id)).appointment
                for start, one in zip(starts, people[waiting:], strict=True)
            ]
            for one in first:  # one after the other: the order in the line is known then
                entry = await at_desk.waitlist.join(who.id, day.date(), day.date(), patient_id=one.id)
                assert getattr(entry, "status", None) == "waiting", entry
            answering = asyncio.create_task(_answer(clinic, stack.settings, records, who.id, first))
            kills = asyncio.create_task(_kill(stack, records, who.id, slots))
            await asyncio.gather(*(at_desk.commands.cancel(each.id) for each in booked if each))
            async with asyncio.timeout(240):
                await kills
                while await _taken(records, who.id) < slots:  # noqa: ASYNC110 -- the record has no event for it
                    await asyncio.sleep(0.2)
            answering.cancel()
        await _judge(stack, records, who.id, starts, first)
        await records.close()


async def _answer(
    clinic: Clinic, settings: Settings, records: MongoRecords, doctor_id: str, people: list[Account]
) -> None:
    """Answer each offer once, as its patient: every `DECLINES`-th patient passes."""
    tokens = tokens_of(settings, system_clock)
    by_id = {each.id: number for number, each in enumerate(people)}
    answered: set[str] = set()

    async def answer(offer: Appointment) -> None:
        number = by_id[offer.patient_id]
        commands = clinic.member(signed_in(people[number], tokens)).commands
        passes = number % DECLINES == DECLINES - 1
        result = await (commands.decline(offer.id) if passes else commands.accept(offer.id))
        assert result.ok, result

    async with asyncio.TaskGroup() as group:
        while True:
            for offer in await _all(records, doctor_id, Status.OFFERED):
                if offer.id not in answered:
                    answered.add(offer.id)
                    group.create_task(answer(offer))
            await asyncio.sleep(0.05)


async def _kill(stack: Stack, records: MongoRecords, doctor_id: str, slots: int) -> None:
    """Kill each agents process once, when a part of the slots has been taken, and start it again."""
    for number, share in enumerate((0.2, 0.5)):
        while await _taken(records, doctor_id) < share * slots:  # noqa: ASYNC110 -- the record has no event for it
            await asyncio.sleep(0.02)
        await stack.kill(stack.agents[number])
        await stack.restart(stack.agents[number])


async def _taken(records: MongoRecords, doctor_id: str) -> int:
    """Return how many offers have been accepted."""
    return sum(each.entry_id is not None for each in await _all(records, doctor_id, Status.SCHEDULED))


async def _all(records: MongoRecords, doctor_id: str, *statuses: Status) -> list[Appointment]:
    wanted = AppointmentFilter(doctor_id=doctor_id, statuses=frozenset(statuses) or None)
    return await every_appointment(records.appointments, wanted)


async def _judge(
    stack: Stack, records: MongoRecords, doctor_id: str, starts: list[datetime], first: list[Account]
) -> None:
    async with asyncio.timeout(30):
        while len(await records.waitlist.line(doctor_id)) > len(first) - len(starts):  # noqa: ASYNC110 -- no event
            await asyncio.sleep(0.1)
    everything = await _all(records, doctor_id)
    taken = [each for each in everything if each.status is Status.SCHEDULED]
    assert sorted(each.start for each in taken) == starts
    passed = [each.id for number, each in enumerate(first) if number % DECLINES == DECLINES - 1]
    wanted = [each.id for each in first if each.id not in passed]
    assert {each.patient_id for each in taken} == set(wanted[: len(starts)]), "first come, first served"
    offers = [each for each in everything if isinstance(each.history[0], SlotOffered)]
    texts = {each.id: await records.texts.of_appointment(each.id) for each in offers}
    twice = {id_: found for id_, found in texts.items() if len([one for one in found if one.kind == "offer"]) != 1}
    assert twice == {}, "each offer is texted once"
    record = await read_record(records, system_clock)
    tolerance = Tolerance(offers=offer_policy(stack.settings), lapsing=timedelta(seconds=10))
    since = record.read_at - tolerance.offering  # before, the agents were killed
    found = [
        *consistency.overlaps_of_doctors(record),
        *consistency.overlaps_of_patients(record, tolerance.writing),
        *consistency.numbering(record),
        *consistency.states(record),
        *waitlist.offers(record, tolerance.writing),
        *waitlist.rules(record, tolerance.offers, CREATED_AT),
        *waitlist.lapses(record, tolerance.lapsing, CREATED_AT),
        *unoffered.unoffered(record, tolerance, since),
    ]
    assert found == []
