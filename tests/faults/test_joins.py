"""The only api process gets kill -9 while it joins a patient with an account; the request is repeated."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from hub.client.clinic import clinic_at
from hub.clock import system_clock
from hub.ids import instance_id
from hub.records.appointment_filter import AppointmentFilter
from hub.records.mongo import connect
from hub.scheduling.events import PatientJoined
from hub.scheduling.values import APPOINTMENT_DURATION
from hub.settings import address
from tests.days import day_after_tomorrow
from tests.people import doctor, patient, receptionist, signed_in, tokens_of
from tests.stack import Stack

pytestmark = pytest.mark.stack

NUMBER = 30


async def test_a_join_that_was_half_done_is_finished_by_the_same_request_once_more(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start()
        records = connect(address(stack.settings, "mongodb_url"))
        name, day = instance_id(), day_after_tomorrow()
        who, desk = doctor(f"doctor-{name}"), receptionist(f"desk-{name}")
        lea, carl = patient(f"lea-{name}", email=None, password_hash=None), patient(f"carl-{name}")
        assert await records.users.add([who, desk, lea, carl]) is None
        tokens = tokens_of(stack.settings, system_clock)
        async with clinic_at(stack.base_url(), system_clock) as clinic:
            member = clinic.member(signed_in(desk, tokens))
            starts = [day + number * APPOINTMENT_DURATION for number in range(NUMBER)]
            for start in starts:
                assert (await member.commands.book(who.id, start, patient_id=lea.id)).ok

            async def moved() -> int:
                return len(await records.appointments.page(AppointmentFilter(patient_id=carl.id), NUMBER + 1))

            async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {member._tokens.access}"}) as http:
                url = f"{stack.base_url()}/api/v1/patients/{lea.id}/join"
                request = asyncio.create_task(http.post(url, json={"into": carl.id}).__aenter__())
                async with asyncio.timeout(60):
                    while not await moved():  # noqa: ASYNC110 -- the record has no event for it
                        await asyncio.sleep(0)
                await stack.kill(stack.apis[0])
                with pytest.raises(aiohttp.ClientError):
                    await request
            half = await moved()
            assert 0 < half < NUMBER, "the process did not die half-way"
            await stack.restart(stack.apis[0])

            answer = await member.join_patient(lea.id, carl.id)

            assert answer.conflicts == ()
            found = await records.appointments.page(AppointmentFilter(patient_id=carl.id), NUMBER + 1)
            assert [each.start for each in found] == starts
            for each in found:
                joins = [event for event in each.history if isinstance(event, PatientJoined)]
                assert [(event.by.id, event.previous_patient_id) for event in joins] == [(desk.id, lea.id)]
            late = await member.commands.book(who.id, starts[-1] + APPOINTMENT_DURATION, patient_id=lea.id)
            assert late.appointment
            assert late.appointment.patient_id == carl.id
        await records.close()
