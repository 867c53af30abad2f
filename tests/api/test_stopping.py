import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import aiohttp
import pytest
from aiohttp import web

from api import __main__ as main
from api.app import Api, build
from api.commands.appointments import AppointmentCommands
from api.commands.command_client import CommandClient
from api.http.runner import Runner
from api.sockets.assembly import assemble as assemble_gateway
from api.sockets.limits import Limits
from hub.bus.messages import Reply
from hub.clock import Clock
from hub.records.ports import Records
from hub.scheduling.commands import Command
from tests.api.direct_commands import DirectCommands
from tests.api.rest_clinic import make_services, open_clinic, opening


class HeldCommands(DirectCommands):
    """Answers when it is let go."""

    def __init__(self, records: Records, clock: Clock) -> None:
        super().__init__(records, clock)
        self.arrived = asyncio.Event()
        self.let_go = asyncio.Event()

    async def ask(self, command: Command) -> Reply:
        self.arrived.set()
        await self.let_go.wait()
        return await super().ask(command)


@dataclass(frozen=True)
class Busy:
    """An api that works on a booking."""

    api: Api
    site: web.TCPSite
    runner: Runner
    commands: HeldCommands
    booking: asyncio.Task[aiohttp.ClientResponse]

    async def stop(self, within: float = main.STOP_WITHIN) -> None:
        await main.stop(self.api, self.site, self.runner, within)

    async def nobody_listens(self, port: int) -> None:
        """Return when new connections are refused."""
        async with asyncio.timeout(5):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except ConnectionRefusedError:
                    return
                except ConnectionResetError:  # it closed between the system's yes and ours
                    continue
                writer.close()


@pytest.fixture
async def busy() -> AsyncIterator[Busy]:
    services = await make_services()
    commands = HeldCommands(services.records, services.clock)
    client = CommandClient(commands, services.clock, services.timeouts.command, services.views.on_reply)
    services = replace(
        services,
        commands=commands,
        appointment_commands=AppointmentCommands(services.records, client, services.views.entry),
    )
    clinic = await open_clinic(services)
    api = Api(build(services), assemble_gateway(services, services.authenticator.identity_of, Limits()))
    runner = Runner(api.application, access_log=None, handle_signals=False, shutdown_timeout=main.ANSWER_WITHIN)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1/appointments"
    body = {"doctorId": "doctor-ada", "start": opening(1).isoformat()}
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {clinic.token('carl')}"}) as session:
        booking = asyncio.create_task(session.post(url, json=body))
        await commands.arrived.wait()
        yield Busy(api, site, runner, commands, booking)
        commands.let_go.set()
        await asyncio.wait([booking])
    await runner.cleanup()
    await clinic.client.close()


async def test_stopping_answers_requests_in_progress_and_accepts_no_new_ones(busy: Busy) -> None:
    port = busy.runner.addresses[0][1]
    stopping = asyncio.create_task(busy.stop())
    await busy.nobody_listens(port)
    assert not stopping.done()
    busy.commands.let_go.set()
    answer = await busy.booking
    assert answer.status == 201
    assert (await answer.json())["status"] == "scheduled"
    async with asyncio.timeout(5):
        await stopping


async def test_stopping_ends_in_time_although_a_request_hangs(busy: Busy) -> None:
    async with asyncio.timeout(5):
        await busy.stop(within=0.2)
    assert not busy.commands.let_go.is_set()
