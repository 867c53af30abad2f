"""The reply is lost after the write, and the command is repeated."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.bus.requests import RequestTimeouts
from hub.client.answers import Answer
from tests.faults.judged_run import JudgedRun, broken, judged_run
from tests.stack import Stack

pytestmark = pytest.mark.stack

DOCTORS, PATIENTS = 2, 6


async def test_a_command_whose_reply_is_lost_is_applied_once_and_answered_with_success(
    tmp_path: Path,
) -> None:
    async with scenario(tmp_path, api="api") as (stack, run):
        answers = [*await everybody_books(run), *await everybody_moves(run)]
        assert stack.agents[0].written().count('"reply_lost"') == len(answers) == 2 * PATIENTS, "no reply was lost"
        assert all(answer.seconds > RequestTimeouts().resend_after for answer in answers), "nothing was repeated"
        assert all(answer.ok and answer.attempts == 1 for answer in answers), "a client had to see to it"
        record, violations = await run.verdict()
        assert violations == []
        assert [each.version for each in record.appointments.values()] == [2] * PATIENTS


async def test_with_a_new_id_at_each_repetition_the_judge_reports_refused_commands_that_were_applied(
    tmp_path: Path,
) -> None:
    async with scenario(tmp_path, api="tests.faults.api_with_fresh_ids") as (_, run):
        answers = await everybody_books(run)
        assert {answer.code for answer in answers} == {"slot_taken"}
        _, violations = await run.verdict(at_rest_within=3)
        assert (3, "a refused command was applied") in broken(violations)


@asynccontextmanager
async def scenario(directory: Path, api: str) -> AsyncIterator[tuple[Stack, JudgedRun]]:
    async with Stack(directory) as stack:
        await stack.start_engines()
        await stack.add_agents("tests.faults.agents_losing_replies")
        await stack.add_api(api)
        async with judged_run(stack, DOCTORS, PATIENTS) as run:
            yield stack, run


async def everybody_books(run: JudgedRun) -> list[Answer]:
    """Every patient books a different slot."""
    slots = run.slots(PATIENTS)
    return await asyncio.gather(
        *(
            patient.commands.book(slots[number].doctor_id, slots[number].start)
            for number, patient in enumerate(run.patients)
        )
    )


async def everybody_moves(run: JudgedRun) -> list[Answer]:
    """Every patient moves to a different later slot of the same doctor."""
    booked = {answer.appointment.patient_id: answer.appointment.id for answer in run.answers if answer.appointment}
    slots = run.slots(PATIENTS)
    return await asyncio.gather(
        *(
            patient.commands.reschedule(booked[patient.id], slots[number + PATIENTS].start)
            for number, patient in enumerate(run.patients)
        )
    )
