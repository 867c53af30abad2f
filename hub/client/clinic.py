"""The hub at one address: sign up and log in there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import aiohttp

from hub.client.answers import Answer, Refusal, Silence
from hub.client.asking import Ask, Commands, Patience, Way, Who, Witness
from hub.client.member import Member
from hub.client.rest import API, Call, Tokens, Web
from hub.client.wire import SignedIn, read
from hub.clock import Clock

_PATIENCE = Patience()


class Clinic:
    """Makes members. One for all the people of a test or a demo: they share its HTTP session."""

    def __init__(self, web: Web, clock: Clock, witness: Witness, patience: Patience) -> None:
        self._web = web
        self._clock = clock
        self._witness = witness
        self._patience = patience

    async def ready(self) -> Refusal | Silence | None:
        """Return None when the hub and all it needs are there, else what is wrong."""
        reply = await self._web.call(Call("GET", "/health/ready"), self._patience.each)
        return reply if isinstance(reply, Silence) else reply.refusal

    async def sign_up(self, name: str, email: str, phone: str, password: str) -> Member | Refusal | Silence:
        """Make a patient's account and sign in."""
        body = {"name": name, "email": email, "phone": phone, "password": password}
        return await self._enter(Call("POST", f"{API}/auth/patient/signup", body=body))

    async def log_in(self, role: Literal["doctor", "patient"], email: str, password: str) -> Member | Refusal | Silence:
        """Sign in at the door of the role."""
        return await self._enter(Call("POST", f"{API}/auth/{role}/login", body={"email": email, "password": password}))

    def member(self, said: SignedIn) -> Member:
        """Return somebody who has signed in elsewhere."""
        who = Who(said.user.id, said.user.role, said.user.name)

        def commands_on(way: Way) -> Commands:
            return Commands(who, way, self._witness, self._clock, self._patience)

        tokens = Tokens(self._web, said.access_token, said.refresh_token)
        return Member(who, self._web, tokens, commands_on, self._patience)

    async def _enter(self, call: Call) -> Member | Refusal | Silence:
        # All the patience at once: many who log in together wait for each other's password hashes.
        reply = await self._web.call(call, self._patience.in_all)
        if isinstance(reply, Silence):
            return reply
        return reply.refusal or self.member(read(SignedIn, reply.body))


class _NoWitness:
    """Hears and forgets."""

    def asked(self, ask: Ask) -> None:
        """Hear of a command."""

    def answered(self, ask: Ask, answer: Answer) -> None:
        """Hear of its answer."""


@asynccontextmanager
async def clinic_at(
    base_url: str, clock: Clock, witness: Witness | None = None, patience: Patience = _PATIENCE
) -> AsyncIterator[Clinic]:
    """Give the hub at `base_url` (http://host:port) for the length of the block; `witness` hears of every command."""
    everybody = aiohttp.TCPConnector(limit=0)  # by default the hundredth open socket would make all others wait
    async with aiohttp.ClientSession(connector=everybody) as http:
        yield Clinic(Web(http, base_url), clock, witness or _NoWitness(), patience)
