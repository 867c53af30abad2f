"""The only api process gets kill -9 while it moves a doctor's day; the request is repeated."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hub.clock import system_clock
from hub.ids import instance_id
from hub.records.mongo import connect
from hub.scheduling.events import AppointmentRescheduled
from hub.scheduling.values import APPOINTMENT_DURATION
from hub.settings import address
from tests.days import day_after_tomorrow
from tests.people import doctor, patient, token, tokens_of
from tests.stack import Stack

pytestmark = pytest.mark.stack

NUMBER = 24
FIRST_LINES = 4
SETTLE_WITHIN = 30.0


async def lines_of(http: aiohttp.ClientSession, url: str, body: dict[str, Any], key: str) -> AsyncIterator[Any]:
    async with http.post(url, json=body, headers={"Idempotency-Key": key}) as response:
        assert response.status == 200
        async for line in response.content:
            yield json.loads(line)


async def test_a_day_that_was_half_moved_is_moved_by_the_same_request_once_more(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start()
        records = connect(address(stack.settings, "mongodb_url"))
        name, day, began = instance_id(), day_after_tomorrow(), system_clock()
        who = doctor(f"doctor-{name}")
        patients = [patient(f"patient-{name}-{number}", phone=f"+1202555{number:04d}") for number in range(NUMBER)]
        desk = patient(f"desk-{name}", role="receptionist")
        assert await records.users.add([who, *patients, desk]) is None
        signed_in = {"Authorization": f"Bearer {token(desk, tokens_of(stack.settings, system_clock))}"}
        api = f"{stack.base_url()}/api/v1"
        url, body = f"{api}/doctors/{who.id}/move-day", {"date": day.date().isoformat()}
        body["to"] = (day + timedelta(days=1)).date().isoformat()
        ids: list[str] = []
        async with aiohttp.ClientSession(headers=signed_in) as http:
            for number, each in enumerate(patients):
                start = (day + number * APPOINTMENT_DURATION).isoformat()
                sent = {"doctorId": who.id, "patientId": each.id, "start": start}
                async with http.post(f"{api}/appointments", json=sent) as booked:
                    ids.append((await booked.json())["id"])

            first = lines_of(http, url, body, "k")
            for _ in range(FIRST_LINES):
                await anext(first)
            await stack.kill(stack.apis[0])
            with pytest.raises(aiohttp.ClientError):
                _ = [line async for line in first]
            await stack.restart(stack.apis[0])
            again = [line async for line in lines_of(http, url, body, "k")]

        assert again[-1]["type"] == "finished"
        assert (again[-1]["changed"], again[-1]["notChanged"]) == (NUMBER, [])
        replayed = [line["replayed"] for line in again[1:-1]]
        assert replayed.count(True) >= FIRST_LINES - 1
        assert not all(replayed), "the day was moved before the process died"
        stored = await records.appointments.by_ids(ids)
        for number, id_ in enumerate(ids):
            moves = [event for event in stored[id_].history if isinstance(event, AppointmentRescheduled)]
            assert [event.start for event in moves] == [day + timedelta(days=1) + number * APPOINTMENT_DURATION]
        async with asyncio.timeout(SETTLE_WITHIN):
            while True:
                texts = [await records.texts.to_person(each.id, began) for each in patients]
                told = [[text.kind for text in each] for each in texts]
                if all("rescheduled" in each for each in told):
                    break
                await asyncio.sleep(0.2)
        assert [each.count("rescheduled") for each in told] == [1] * NUMBER
        await records.close()
