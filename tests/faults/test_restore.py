"""The database is restored to an earlier moment; the broker keeps what it has, and clients know what is lost."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hub.accounts.account import Account
from hub.accounts.passwords import hash_password
from hub.clock import system_clock
from hub.ids import instance_id
from hub.ops.restored import end_all_log_ins
from hub.records.mongo import connect
from hub.scheduling.values import APPOINTMENT_DURATION
from hub.settings import address
from tests.days import day_after_tomorrow
from tests.people import doctor, patient
from tests.stack import Stack
from tests.tools.backup import dump, restore

pytestmark = pytest.mark.stack

PASSWORD = "Correct-horse-7"


class Rest:
    """Requests to the only api process."""

    def __init__(self, http: aiohttp.ClientSession, stack: Stack) -> None:
        self._http = http
        self._url = f"{stack.base_url()}/api/v1"

    async def log_in(self, account: Account) -> str:
        body = {"email": account.email, "password": PASSWORD}
        status, answer = await self.ask("POST", f"/auth/{account.role}/login", None, body)
        assert status == 200, answer
        return str(answer["accessToken"])

    async def ask(
        self, method: str, path: str, token: str | None, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        sent = dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        async with self._http.request(method, f"{self._url}{path}", json=body, headers=sent) as answer:
            return answer.status, await answer.json()

    async def book(self, token: str, doctor_id: str, start: datetime) -> tuple[int, Any]:
        return await self.ask("POST", "/appointments", token, {"doctorId": doctor_id, "start": start.isoformat()})


async def test_a_hub_whose_database_was_restored_says_so_and_keeps_every_promise_from_there(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack, aiohttp.ClientSession() as http:
        await stack.start()
        url, name, day = address(stack.settings, "mongodb_url"), instance_id(), day_after_tomorrow()
        records, rest = connect(url), Rest(http, stack)
        password = await hash_password(PASSWORD, 4)
        ada, carl, dora = (
            make(f"{who}-{name}", password_hash=password)
            for make, who in ((doctor, "ada"), (patient, "carl"), (patient, "dora"))
        )
        assert await records.users.add([ada, carl, dora]) is None
        first, second, third = (day + number * APPOINTMENT_DURATION for number in range(3))
        of_carl, of_dora = await rest.log_in(carl), await rest.log_in(dora)
        status, kept = await rest.book(of_carl, ada.id, first)
        assert status == 201

        await asyncio.to_thread(dump, url, tmp_path / "backup")

        since = await rest.log_in(ada)  # a log-in that the backup does not have
        assert (await rest.book(of_carl, ada.id, second))[0] == 201
        assert (await rest.book(of_dora, ada.id, third))[0] == 201
        assert (await rest.ask("PATCH", f"/appointments/{kept['id']}/cancel", of_carl, {}))[0] == 200
        assert await records.appointments.last_seq(ada.id) == 4

        for process in (*stack.apis, *stack.agents):
            await stack.end(process)
        await asyncio.to_thread(restore, url, tmp_path / "backup")
        await end_all_log_ins(records, system_clock(), timedelta(minutes=stack.settings.access_token_minutes))
        for process in (*stack.agents, *stack.apis):
            await stack.restart(process)
        assert await records.appointments.last_seq(ada.id) == 1, "the database is not that of the backup"

        # Who knows of events that are lost has to log in again, and begins anew.
        for old in (of_carl, of_dora, since):
            assert (await rest.ask("GET", "/appointments", old))[0] == 401
        of_ada, of_carl, of_dora = [await rest.log_in(each) for each in (ada, carl, dora)]
        # What is lost holds no slot, and what is there again does.
        assert (await rest.book(of_dora, ada.id, second))[0] == 201
        status, refused = await rest.book(of_dora, ada.id, first)
        assert (status, refused["code"]) == (409, "slot_taken")
        assert (await rest.ask("PATCH", f"/appointments/{kept['id']}/cancel", of_carl, {}))[0] == 200
        assert (await rest.book(of_carl, ada.id, third))[0] == 201
        assert (await rest.book(of_dora, ada.id, first))[0] == 201
        assert "record_older_than_table" in "".join(stack.logs(1000).values())

        history = [each.event for each in await records.appointments.events_after(ada.id, 0)]
        assert [event.seq for event in history] == [1, 2, 3, 4, 5]
        assert [event.prev for event in history] == [0, 1, 2, 3, 4]
        # A position that the doctor has not reached again is answered as the record is.
        status, shown = await rest.ask("GET", "/appointments", of_ada, headers={"If-Position": f"{ada.id}=400"})
        assert status == 200
        active = {each["start"]: each["patientId"] for each in shown if each["status"] == "scheduled"}
        assert list(active.values()) == [dora.id, dora.id, carl.id]
        await records.close()
