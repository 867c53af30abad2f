"""An api process is asked to stop while two hundred JavaScript clients use it: nobody loses an ack or an event."""

import asyncio
from pathlib import Path
from typing import Any

from api.__main__ import STOP_WITHIN
from hub.clock import system_clock
from hub.records.mongo import connect
from hub.scheduling.values import APPOINTMENT_DURATION, rfc3339
from tests.days import day_after_tomorrow
from tests.faults.balancer import balanced
from tests.faults.js_clients import js_clients
from tests.faults.judged_run import new_people
from tests.faults.screens import Busy, Screen, due_to, faults_of, show
from tests.people import token, tokens_of
from tests.stack import Stack

DOCTORS, CLIENTS, WAVES = 4, 200, 3


async def test_clients_of_a_draining_process_lose_neither_acks_nor_events(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start(agents=1, apis=2)
        records = connect(stack.settings.mongodb_url)
        doctor_accounts, patients = new_people(stack, DOCTORS, CLIENTS)
        assert await records.users.add([*doctor_accounts, *patients]) is None
        doctors = [each.id for each in doctor_accounts]
        issuer = tokens_of(stack.settings, system_clock)
        tokens = [token(each, issuer) for each in patients]
        first_day = day_after_tomorrow()

        async with (
            balanced(stack.settings.host, [process.port for process in stack.apis]) as balancer,
            js_clients(balancer.url, tokens) as clients,
        ):

            async def book(number: int, wave: int) -> Any:
                start = first_day + APPOINTMENT_DURATION * (number // DOCTORS * WAVES + wave)
                asked = {"doctorId": doctors[number % DOCTORS], "start": rfc3339(start)}
                return await clients.ask("command", client=number, kind="book", argument=asked)

            waves = [asyncio.gather(*(book(number, wave) for number in range(CLIENTS))) for wave in range(2)]
            loop = asyncio.get_running_loop()
            began = loop.time()
            await stack.end(stack.apis[0], patience=STOP_WITHIN)
            took = loop.time() - began
            waves.append(asyncio.gather(*(book(number, 2) for number in range(CLIENTS))))
            answers = [answer for wave in waves for answer in await wave]

            assert [answer for answer in answers if not answer.get("ok")] == []
            assert took < STOP_WITHIN
            assert '"stop_timed_out"' not in stack.apis[0].written()
            record = await Busy(records, doctors, []).record(doctors)
            assert len(record) == CLIENTS * WAVES
            screens = [Screen(owner) for owner in patients]
            end = loop.time() + 20
            await show(screens, clients)
            all_due = due_to(screens, record)
            while faults_of(screens, all_due) and loop.time() < end:  # what was told last may be under way
                await asyncio.sleep(0.5)
                await show(screens, clients)
            assert faults_of(screens, all_due) == []
            assert sum(screen.cuts for screen in screens) >= CLIENTS // 3, "hardly anybody was sent elsewhere"
        await records.close()
