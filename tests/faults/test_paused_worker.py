"""A worker is paused exactly between deciding and writing, until its doctors are another's; then it goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.faults.agents_pausing import TRIGGER
from tests.faults.agents_pausing_without_fences import drop_fences
from tests.faults.clinic import Clinic, Slot, broken, had_doctors, opened
from tests.stack import Stack, until

pytestmark = pytest.mark.stack

DOCTORS, PATIENTS = 4, 8


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
            (2, "a slot had two winners"),
        } <= broken(violations), violations


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
