"""A worker is stopped exactly between deciding and writing, and resumed when another worker has its doctors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from hub.bus import topics
from hub.bus.broker_config import signatures
from hub.bus.signatures import SIGNATURE
from hub.client.wire import OwnCalendar
from hub.clock import system_clock
from hub.scheduling.commands import BookAppointment, CommandAdapter
from hub.scheduling.values import APPOINTMENT_DURATION, Actor, Role
from tests.faults.agents_pausing import TRIGGER
from tests.faults.agents_pausing_without_fences import drop_fences
from tests.faults.judged_run import JudgedRun, Slot, broken, had_doctors, judged_run
from tests.people import ROUND_THE_CLOCK
from tests.stack import Stack, until

pytestmark = pytest.mark.stack

DOCTORS, PATIENTS = 4, 8
COMMANDS = [f"late-{number}" for number in range(8)]


async def test_a_worker_paused_before_its_write_overwrites_nothing_and_books_no_slot_twice(
    tmp_path: Path,
) -> None:
    async with scenario(tmp_path, "tests.faults.agents_pausing") as (stack, run, outcome):
        assert outcome in {"Stopped", "Stale"}, "its write met no fence"
        await run.rush(run.slots(6)[-2 * DOCTORS :])
        await until(lambda: had_doctors(stack.agents[0], since="went_on"), "it has doctors again", within=30)
        await run.rush(run.slots(8)[-2 * DOCTORS :])
        _, violations = await run.verdict()
        assert violations == []
        assert all(answer.decided for answer in run.answers)


@pytest.mark.slow
async def test_without_fences_the_judge_reports_a_slot_with_two_winners(tmp_path: Path) -> None:
    async with scenario(tmp_path, "tests.faults.agents_pausing_without_fences") as (_, run, outcome):
        assert outcome == "Saved"
        _, violations = await run.verdict(at_rest_within=3)
        assert {
            (1, "an acknowledged change is not in the record"),
            (2, "two appointments held the same slot"),
        } <= broken(violations), violations


async def test_a_paused_worker_books_nothing_by_outdated_hours(tmp_path: Path) -> None:
    async with scenario_of_hours(tmp_path, "tests.faults.agents_pausing") as (run, late, outcome):
        assert outcome in {"Stopped", "Stale"}, "its write met no fence"
        assert await run.records.appointments.by_ids(late) == {}
        doctor, patient = run.doctors[0], run.patients[0]
        start = run.slots(1)[0].start
        assert (await patient.commands.book(doctor.id, start)).code == "outside_hours"
        assert isinstance(await doctor.member.own_hours.change(ROUND_THE_CLOCK), OwnCalendar)
        assert (await patient.commands.book(doctor.id, start + len(COMMANDS) * APPOINTMENT_DURATION)).ok
        _, violations = await run.verdict()
        assert violations == []


@pytest.mark.slow
async def test_without_fences_the_judge_reports_a_booking_outside_the_hours(
    tmp_path: Path,
) -> None:
    async with scenario_of_hours(tmp_path, "tests.faults.agents_pausing_without_fences") as (run, late, outcome):
        assert outcome == "Saved"
        assert set(await run.records.appointments.by_ids(late)) == late
        _, violations = await run.verdict(at_rest_within=3)
        assert (2, "an appointment was booked outside the doctor's hours") in broken(violations)


@asynccontextmanager
async def scenario_of_hours(directory: Path, module: str) -> AsyncIterator[tuple[JudgedRun, set[str], str]]:
    """A worker with this module decides bookings, and writes them after the doctor has changed the hours.

    Gives the ids of those bookings, and what the late write came to. They expire before another worker meets them: so
    nobody but the paused one has them.
    """
    async with Stack(directory) as stack:
        await stack.start_engines()
        paused = await stack.add_agents(module)
        await stack.add_api()
        async with judged_run(stack, doctors=1, patients=len(COMMANDS)) as run:
            (directory / TRIGGER).touch()
            await send_bookings(stack, run)
            await until(lambda: is_paused(paused.pid), "the worker is paused")
            # The first of them may have been a batch of its own.
            before = set(await run.records.appointments.by_ids(COMMANDS))
            late = set(COMMANDS) - before
            assert len(late) > 1, "nothing was under way"
            successor = await stack.add_agents()
            own = await run.doctors[0].member.own_hours.change(())
            assert isinstance(own, OwnCalendar), own
            assert {each.id for each in own.outside} == before
            assert had_doctors(successor), "its doctors did not move"
            if module.endswith("without_fences"):
                await drop_fences(str(stack.settings.mongodb_url))
            assert "went_on" not in paused.written()
            await stack.resume(paused)
            await until(lambda: "went_on" in paused.written(), "it goes on")
            yield run, late, next(word for word in ("Stopped", "Stale", "Saved") if f'"{word}"' in paused.written())


async def send_bookings(stack: Stack, run: JudgedRun) -> None:
    """Send a booking of each patient to the first doctor, for different slots, without waiting for answers."""
    at, doctor_id = system_clock(), run.doctors[0].id
    async with AIOKafkaProducer(bootstrap_servers=str(stack.settings.kafka_bootstrap_servers)) as producer:
        for key, patient, slot in zip(COMMANDS, run.patients, run.slots(len(COMMANDS)), strict=True):
            command = BookAppointment(
                id=key,
                doctor_id=doctor_id,
                patient_id=patient.id,
                start=slot.start,
                by=Actor(id=patient.id, role=Role.PATIENT, via="rest"),
                at=at,
                expires=at + timedelta(seconds=2),
            )
            encoded = CommandAdapter.dump_json(command, by_alias=True, exclude_none=True)
            await producer.send(
                topics.COMMANDS,
                encoded,
                key=doctor_id.encode(),
                partition=topics.partition_of(doctor_id, stack.settings.kafka_partitions),
                headers=[(SIGNATURE, signatures(stack.settings).sign(encoded))],
            )


@asynccontextmanager
async def scenario(directory: Path, module: str) -> AsyncIterator[tuple[Stack, JudgedRun, str]]:
    """Run the scenario with this agents module. Yields the outcome of the paused worker's late write."""
    async with Stack(directory) as stack:
        await stack.start_engines()
        paused = await stack.add_agents(module)
        await stack.add_api()
        async with judged_run(stack, DOCTORS, PATIENTS) as run:
            (directory / TRIGGER).touch()
            mine = [slot for slot in run.slots(PATIENTS) if slot.doctor_id == run.doctors[0].id]
            deciding = asyncio.create_task(everybody_books(run, mine))
            await until(lambda: is_paused(paused.pid), "the worker is paused")
            assert not (directory / TRIGGER).exists()
            before = len(run.answers)
            assert before < PATIENTS, "nothing was under way"
            successor = await stack.add_agents()
            await deciding
            assert had_doctors(successor), "its doctors did not move"
            await swap_slots(run, mine)
            if module.endswith("without_fences"):
                await drop_fences(str(stack.settings.mongodb_url))
            assert "went_on" not in paused.written()
            await stack.resume(paused)
            await until(lambda: "went_on" in paused.written(), "it goes on")
            yield stack, run, next(word for word in ("Stopped", "Stale", "Saved") if f'"{word}"' in paused.written())


async def everybody_books(run: JudgedRun, slots: list[Slot]) -> None:
    """Every patient books one slot of the first doctor."""
    answers = await asyncio.gather(
        *(patient.commands.book(slot.doctor_id, slot.start) for patient, slot in zip(run.patients, slots, strict=True))
    )
    assert all(answer.ok for answer in answers)


async def swap_slots(run: JudgedRun, slots: list[Slot]) -> None:
    """Every patient cancels, and then books the slot that another patient had."""
    booked = {answer.appointment.patient_id: answer.appointment.id for answer in run.answers if answer.appointment}
    gone = await asyncio.gather(*(patient.commands.cancel(booked[patient.id]) for patient in run.patients))
    assert all(answer.ok for answer in gone)
    await everybody_books(run, [*slots[1:], slots[0]])


def is_paused(pid: int) -> bool:
    return "\nState:\tT" in Path(f"/proc/{pid}/status").read_text()
