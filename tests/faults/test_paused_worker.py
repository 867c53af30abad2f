"""A worker is paused exactly between deciding and writing, until its doctors are another's; then it goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from hub.bus import topics
from hub.client.wire import OwnCalendar
from hub.clock import system_clock
from hub.scheduling.commands import BookAppointment, CommandAdapter
from hub.scheduling.values import APPOINTMENT_DURATION, Actor, Role
from tests.faults.agents_pausing import TRIGGER
from tests.faults.agents_pausing_without_fences import drop_fences
from tests.faults.clinic import Clinic, Slot, broken, had_doctors, opened
from tests.people import ROUND_THE_CLOCK
from tests.stack import Stack, until

pytestmark = pytest.mark.stack

DOCTORS, PATIENTS = 4, 8
COMMANDS = [f"late-{number}" for number in range(8)]


async def test_a_worker_that_was_paused_before_its_write_overwrites_nothing_and_gives_no_slot_twice(
    tmp_path: Path,
) -> None:
    async with scenario(tmp_path, "tests.faults.agents_pausing") as (stack, clinic, outcome):
        assert outcome in {"Stopped", "Stale"}, "its write met no fence"
        await clinic.rush(clinic.slots(6)[-2 * DOCTORS :])
        await until(lambda: had_doctors(stack.agents[0], since="went_on"), "it has doctors again", within=30)
        await clinic.rush(clinic.slots(8)[-2 * DOCTORS :])
        _, violations = await clinic.verdict()
        assert violations == []
        assert all(answer.decided for answer in clinic.answers)


async def test_without_fences_in_the_record_the_judge_says_that_a_slot_had_two_winners(tmp_path: Path) -> None:
    async with scenario(tmp_path, "tests.faults.agents_pausing_without_fences") as (_, clinic, outcome):
        assert outcome == "Saved"
        _, violations = await clinic.verdict(at_rest_within=3)
        assert {
            (1, "an acknowledged change is not in the record"),
            (2, "two appointments held the same slot"),
        } <= broken(violations), violations


async def test_a_worker_that_was_paused_books_nothing_by_the_hours_that_it_knew(tmp_path: Path) -> None:
    async with scenario_of_hours(tmp_path, "tests.faults.agents_pausing") as (clinic, late, outcome):
        assert outcome in {"Stopped", "Stale"}, "its write met no fence"
        assert await clinic.records.appointments.by_ids(late) == {}
        doctor, patient = clinic.doctors[0], clinic.patients[0]
        start = clinic.slots(1)[0].start
        assert (await patient.commands.book(doctor.id, start)).code == "outside_hours"
        assert isinstance(await doctor.member.own_hours.change(ROUND_THE_CLOCK), OwnCalendar)
        assert (await patient.commands.book(doctor.id, start + len(COMMANDS) * APPOINTMENT_DURATION)).ok
        _, violations = await clinic.verdict()
        assert violations == []


async def test_without_fences_in_the_record_the_judge_says_that_somebody_was_put_outside_the_hours(
    tmp_path: Path,
) -> None:
    async with scenario_of_hours(tmp_path, "tests.faults.agents_pausing_without_fences") as (clinic, late, outcome):
        assert outcome == "Saved"
        assert set(await clinic.records.appointments.by_ids(late)) == late
        _, violations = await clinic.verdict(at_rest_within=3)
        assert (2, "an appointment was booked outside the doctor's hours") in broken(violations)


@asynccontextmanager
async def scenario_of_hours(directory: Path, module: str) -> AsyncIterator[tuple[Clinic, set[str], str]]:
    """Let a worker with this module decide bookings, and write them when the doctor has other hours.

    Gives the ids of those bookings, and what the late write came to. They expire before another worker meets them: so
    nobody but the paused one has them.
    """
    async with Stack(directory) as stack:
        await stack.start_engines()
        paused = await stack.add_agents(module)
        await stack.add_api()
        async with opened(stack, doctors=1, patients=len(COMMANDS)) as clinic:
            (directory / TRIGGER).touch()
            await send_bookings(stack, clinic)
            await until(lambda: is_paused(paused.pid), "the worker is paused")
            # The first of them may have been a batch of its own.
            before = set(await clinic.records.appointments.by_ids(COMMANDS))
            late = set(COMMANDS) - before
            assert len(late) > 1, "nothing was under way"
            successor = await stack.add_agents()
            own = await clinic.doctors[0].member.own_hours.change(())
            assert isinstance(own, OwnCalendar), own
            assert {each.id for each in own.outside} == before
            assert had_doctors(successor), "its doctors did not move"
            if module.endswith("without_fences"):
                await drop_fences(str(stack.settings.mongodb_url))
            assert "went_on" not in paused.written()
            await stack.resume(paused)
            await until(lambda: "went_on" in paused.written(), "it goes on")
            yield clinic, late, next(word for word in ("Stopped", "Stale", "Saved") if f'"{word}"' in paused.written())


async def send_bookings(stack: Stack, clinic: Clinic) -> None:
    """Put a booking by each patient, of a slot each, on the way to the first doctor; nobody waits for the answers."""
    at, doctor_id = system_clock(), clinic.doctors[0].id
    async with AIOKafkaProducer(bootstrap_servers=str(stack.settings.kafka_bootstrap_servers)) as producer:
        for key, patient, slot in zip(COMMANDS, clinic.patients, clinic.slots(len(COMMANDS)), strict=True):
            command = BookAppointment(
                id=key,
                doctor_id=doctor_id,
                patient_id=patient.id,
                start=slot.start,
                by=Actor(id=patient.id, role=Role.PATIENT, via="rest"),
                at=at,
                expires=at + timedelta(seconds=2),
            )
            await producer.send(
                topics.COMMANDS,
                CommandAdapter.dump_json(command, by_alias=True, exclude_none=True),
                key=doctor_id.encode(),
                partition=topics.partition_of(doctor_id, stack.settings.kafka_partitions),
            )


@asynccontextmanager
async def scenario(directory: Path, module: str) -> AsyncIterator[tuple[Stack, Clinic, str]]:
    """Play it with this agents module; give what the late write of the paused worker came to."""
    async with Stack(directory) as stack:
        await stack.start_engines()
        paused = await stack.add_agents(module)
        await stack.add_api()
        async with opened(stack, DOCTORS, PATIENTS) as clinic:
            (directory / TRIGGER).touch()
            mine = [slot for slot in clinic.slots(PATIENTS) if slot.doctor_id == clinic.doctors[0].id]
            deciding = asyncio.create_task(everybody_books(clinic, mine))
            await until(lambda: is_paused(paused.pid), "the worker is paused")
            assert not (directory / TRIGGER).exists()
            before = len(clinic.answers)
            assert before < PATIENTS, "nothing was under way"
            successor = await stack.add_agents()
            await deciding
            assert had_doctors(successor), "its doctors did not move"
            await swap_slots(clinic, mine)
            if module.endswith("without_fences"):
                await drop_fences(str(stack.settings.mongodb_url))
            assert "went_on" not in paused.written()
            await stack.resume(paused)
            await until(lambda: "went_on" in paused.written(), "it goes on")
            yield stack, clinic, next(word for word in ("Stopped", "Stale", "Saved") if f'"{word}"' in paused.written())


async def everybody_books(clinic: Clinic, slots: list[Slot]) -> None:
    """Let each patient book one slot of the first doctor."""
    answers = await asyncio.gather(
        *(
            patient.commands.book(slot.doctor_id, slot.start)
            for patient, slot in zip(clinic.patients, slots, strict=True)
        )
    )
    assert all(answer.ok for answer in answers)


async def swap_slots(clinic: Clinic, slots: list[Slot]) -> None:
    """Let everybody cancel, and then book the slot that their neighbour had."""
    booked = {answer.appointment.patient_id: answer.appointment.id for answer in clinic.answers if answer.appointment}
    gone = await asyncio.gather(*(patient.commands.cancel(booked[patient.id]) for patient in clinic.patients))
    assert all(answer.ok for answer in gone)
    await everybody_books(clinic, [*slots[1:], slots[0]])


def is_paused(pid: int) -> bool:
    return "\nState:\tT" in Path(f"/proc/{pid}/status").read_text()
