"""A log-out at one api process ends the session's sockets and tokens at every other one, with or without a bus."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import ClientSession

from hub.client.callbacks import Callbacks
from hub.client.clinic import clinic_at
from hub.client.member import Member
from hub.client.reconnecting import CannotConnect
from hub.clock import system_clock
from tests.stack import Stack, until

PASSWORD = "Correct-horse-7"


async def test_a_log_out_takes_effect_everywhere_within_a_second_even_with_an_emptied_broker(
    tmp_path: Path,
) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start(agents=1, apis=2)
        here, there = stack.base_url(0), stack.base_url(1)
        async with (
            clinic_at(here, system_clock) as door,
            clinic_at(there, system_clock) as other,
            ClientSession() as http,
        ):
            signed_up = await door.sign_up("Carl", "carl@clinic.test", "+12025550123", PASSWORD)
            assert isinstance(signed_up, Member)
            logged_in = await other.log_in("patient", "carl@clinic.test", PASSWORD)
            assert isinstance(logged_in, Member)
            loop = asyncio.get_running_loop()

            async def status(member: Member) -> int:
                headers = {"Authorization": f"Bearer {member._tokens.access}"}
                async with http.get(f"{there}/api/v1/users/me", headers=headers) as response:
                    return response.status

            async def until_unknown(member: Member, within: float) -> None:
                end = loop.time() + within
                while await status(member) != 401:
                    assert loop.time() < end, "the token still opens doors"
                    await asyncio.sleep(0.02)

            at_the_other = Member(
                signed_up.user, other._http, signed_up._tokens, signed_up._commands_over, signed_up._timeouts
            )
            line = await at_the_other.line(Callbacks()).__aenter__()
            assert await status(signed_up) == 200
            await signed_up.log_out()
            await until(lambda: line.ended, "the line has ended", within=1.0)
            await until_unknown(signed_up, within=1.0)
            with pytest.raises(CannotConnect, match="session_ended"):
                await line.__aexit__()

            await stack.kill(stack.broker)
            assert await status(logged_in) == 200
            at_home = Member(
                logged_in.user, door._http, logged_in._tokens, logged_in._commands_over, logged_in._timeouts
            )
            await at_home.log_out()
            await until_unknown(logged_in, within=5.0)
            stack.empty_broker()
            await stack.restart(stack.broker)
            await stack.restart(stack.apis[1])
            assert await status(logged_in) == 401
            assert await status(signed_up) == 401
