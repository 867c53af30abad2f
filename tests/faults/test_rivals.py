"""A rush for slots while agents die and arrive."""

import asyncio
from collections import Counter
from pathlib import Path

from tests.faults.clinic import opened
from tests.stack import Stack

DOCTORS, SLOTS_EACH, PATIENTS = 10, 10, 50


async def test_fifty_rivals_for_each_of_a_hundred_slots_while_agents_die_and_arrive(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start(agents=2)
        async with opened(stack, DOCTORS, PATIENTS) as clinic:
            slots = clinic.slots(SLOTS_EACH)
            asked = len(slots) * PATIENTS
            rush = asyncio.create_task(clinic.rush(slots))
            await clinic.until_answered(asked // 2)
            victim = stack.agents[0]
            await stack.kill(victim)
            await clinic.until_answered(asked * 5 // 8)
            late = await stack.add_agents()
            await rush
            record, violations = await clinic.verdict()
            for process in (victim, late):
                assert had_doctors(process.written()), f"{process.program.name} never had any doctors"
            assert max(answer.seconds for answer in clinic.answers) > 1, "nobody had to wait for another worker"
            assert violations == []
            assert len(clinic.answers) == asked
            wins = Counter((answer.appointment.doctor_id, answer.appointment.start) for answer in clinic.answers if answer.appointment)
            assert wins == Counter((slot.doctor_id, slot.start) for slot in slots)
            assert {answer.code for answer in clinic.answers} == {None, "slot_taken", "patient_busy"}
            assert len(record.appointments) == len(slots)


def had_doctors(log: str) -> bool:
    return any('"doctors_taken_over"' in line and '"partitions":[]' not in line for line in log.splitlines())
