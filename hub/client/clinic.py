"""Sign-up and log-in at a hub."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from hub.client.answers import Answer, NoResponse, Problem
from hub.client.commands import Commands, Observer, Request, Timeouts, Transport, User
from hub.client.member import Member
from hub.client.rest import API, Call, HttpClient, Reply, Tokens
from hub.client.wire import SignedIn, SignUpToConfirm, parse
from hub.clock import Clock
from hub.scheduling.values import AccountRole

_TIMEOUTS = Timeouts()


@dataclass(frozen=True)
class Unconfirmed:
    """A sign-up that waits for the code that was texted to its phone: see `Clinic.confirm_sign_up`."""

    sign_up_id: str


class Clinic:
    """Creates members. They share its HTTP session, so one is enough for all users of a test or a demo."""

    def __init__(self, http: HttpClient, clock: Clock, observer: Observer, timeouts: Timeouts) -> None:
        self._http = http
        self._clock = clock
        self._observer = observer
        self._timeouts = timeouts

    async def ready(self) -> Problem | NoResponse | None:
        """Return None when the hub and everything it needs are available, else what is wrong."""
        reply = await self._http.call(Call("GET", "/health/ready"), self._timeouts.attempt)
        return reply if isinstance(reply, NoResponse) else reply.problem

    async def sign_up(
        self, name: str, email: str, phone: str, password: str
    ) -> Member | Unconfirmed | Problem | NoResponse:
        """Create a patient's account and log in; or return what has to be confirmed first, as in production."""
        body = {"name": name, "email": email, "phone": phone, "password": password}
        reply = await self._http.call(Call("POST", f"{API}/auth/patient/signup", body=body), self._timeouts.total)
        if isinstance(reply, Reply) and reply.status == HTTPStatus.ACCEPTED:
            return Unconfirmed(parse(SignUpToConfirm, reply.body).sign_up_id)
        return self._signed_in(reply)

    async def confirm_sign_up(self, sign_up_id: str, code: str) -> Member | Problem | NoResponse:
        """Create the account of a sign-up with the code that was texted to its phone, and log in.

        Without an answer the account may be there: then `log_in` says so.
        """
        body = {"signUpId": sign_up_id, "code": code}
        return await self._sign_in(Call("POST", f"{API}/auth/patient/signup/confirm", body=body))

    async def log_in(
        self, role: AccountRole, email: str, password: str, code: str | None = None
    ) -> Member | Problem | NoResponse:
        """Log in. Each role has its own endpoint.

        `code`: that of the authenticator app, or a recovery code, for an account with a second factor; without it the
        answer is the `Problem` second_factor_required. With a first password the member can only change the password:
        see `Member.password_change_required`.
        """
        body = {"email": email, "password": password} | ({"code": code} if code else {})
        door = "staff" if role == "receptionist" else role
        return await self._sign_in(Call("POST", f"{API}/auth/{door}/login", body=body))

    def member(self, session: SignedIn) -> Member:
        """Return the member for a session that was opened elsewhere."""
        user = User(session.user.id, session.user.role, session.user.name)

        def commands_over(transport: Transport) -> Commands:
            return Commands(user, transport, self._observer, self._clock, self._timeouts)

        tokens = Tokens(self._http, session.access_token, session.refresh_token)
        return Member(
            user,
            self._http,
            tokens,
            commands_over,
            self._timeouts,
            password_change_required=session.password_change_required,
        )

    async def _sign_in(self, call: Call) -> Member | Problem | NoResponse:
        # One attempt with the total timeout: when many log in together, each waits for the password hashes of others.
        return self._signed_in(await self._http.call(call, self._timeouts.total))

    def _signed_in(self, reply: Reply | NoResponse) -> Member | Problem | NoResponse:
        if isinstance(reply, NoResponse):
            return reply
        return reply.problem or self.member(parse(SignedIn, reply.body))


class _NoObserver:
    """Does nothing."""

    def on_request(self, request: Request) -> None:
        """Do nothing."""

    def on_answer(self, request: Request, answer: Answer) -> None:
        """Do nothing."""


@asynccontextmanager
async def clinic_at(
    base_url: str, clock: Clock, observer: Observer | None = None, timeouts: Timeouts = _TIMEOUTS
) -> AsyncIterator[Clinic]:
    """Give a client of the hub at `base_url` (http://host:port) for the block; `observer` gets every command."""
    unlimited = aiohttp.TCPConnector(limit=0)  # with the default limit of 100, open sockets block all other calls
    async with aiohttp.ClientSession(connector=unlimited) as session:
        yield Clinic(HttpClient(session, base_url), clock, observer or _NoObserver(), timeouts)
