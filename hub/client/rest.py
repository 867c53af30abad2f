"""HTTP calls to the hub, with the user's access token, which is renewed when it has expired."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import aiohttp
import orjson
from pydantic import ValidationError
from yarl import URL

from hub.client.answers import UNDECIDED, Granted, NoResponse, Outcome, Problem
from hub.client.appointment import NamedAppointment
from hub.client.commands import Request, Timeouts, Via
from hub.client.positions import Positions
from hub.client.wire import parse, problem_of, request_body
from hub.ids import new_id

API = "/api/v1"
_PAUSE = 0.5
"""Seconds between two attempts of a call that the hub could not answer."""


@dataclass(frozen=True)
class Reply:
    """The hub's response: the HTTP status, the JSON of the body (None: no JSON), and the path of the next page.

    `replayed`: the hub had carried out the command before this request, under the same key.
    """

    status: int
    body: Any
    retry_after: float | None
    next_page: str | None
    replayed: bool = False
    position: str = ""
    """The `Position` header."""

    @property
    def problem(self) -> Problem | None:
        """The problem, if the status is an error."""
        if self.status < HTTPStatus.BAD_REQUEST:
            return None
        return problem_of(self.body, self.status, self.retry_after)


@dataclass(frozen=True)
class Call:
    """One HTTP call. The path is relative to the hub's address and may contain a query."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None


class HttpClient:
    """Makes calls to the hub at one address, for any user."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str) -> None:
        self.session = session
        self.base_url = base_url.rstrip("/")

    async def call(self, call: Call, within: float, token: str | None = None) -> Reply | NoResponse:
        """Make one call and return the response, after at most `within` seconds."""
        headers = dict(call.headers or {})
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with self.session.request(
                call.method,
                f"{self.base_url}{call.path}",
                params=call.query,
                data=None if call.body is None else orjson.dumps(call.body),
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=within),
            ) as response:
                return await _reply(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return NoResponse(f"{type(error).__name__} {error}".strip())


class Tokens:
    """A user's tokens. When several calls find the access token expired, it is renewed once."""

    def __init__(self, http: HttpClient, access: str, refresh: str) -> None:
        self._http = http
        self._access = access
        self._refresh = refresh
        self._refreshing = asyncio.Lock()
        self._key: str | None = None

    @property
    def access(self) -> str:
        """The access token."""
        return self._access

    async def renew(self, expired: str, within: float) -> Problem | NoResponse | None:
        """Replace the access token `expired`, unless another call already has. Returns None on success.

        A lost answer does not end the session: the call is repeated under one `Idempotency-Key`, and the hub gives the
        same tokens for 30 seconds. The key is kept until the hub has decided, also for the next call of this method.
        """
        async with self._refreshing:
            if self._access != expired:
                return None
            give_up_at = asyncio.get_running_loop().time() + within
            self._key = self._key or new_id()
            while True:
                failed = await self._renew(within / 3)
                undecided = isinstance(failed, NoResponse) or (failed is not None and failed.code in UNDECIDED)
                if not undecided:
                    self._key = None
                if not undecided or asyncio.get_running_loop().time() + _PAUSE > give_up_at - within / 3:
                    return failed
                await asyncio.sleep(_PAUSE)

    async def _renew(self, within: float) -> Problem | NoResponse | None:
        call = Call(
            "POST",
            f"{API}/auth/refresh",
            body={"refreshToken": self._refresh},
            headers={"Idempotency-Key": self._key or ""},
        )
        reply = await self._http.call(call, within)
        if isinstance(reply, NoResponse):
            return reply
        if reply.problem is None:
            self._access, self._refresh = reply.body["accessToken"], reply.body["refreshToken"]
        return reply.problem


class RestTransport:
    """Makes the calls of one user. A command's key is sent as `Idempotency-Key`.

    Reads are sent with the positions of earlier answers: none is answered from before what this user has seen or done.
    """

    def __init__(self, http: HttpClient, tokens: Tokens, positions: Positions) -> None:
        self._http = http
        self._tokens = tokens
        self._positions = positions

    @property
    def via(self) -> Via:
        """REST."""
        return "rest"

    async def call(self, call: Call, within: float) -> Reply | NoResponse:
        """Make a call. If the access token has expired, renew it and make the call again."""
        if call.method == "GET":
            call = replace(call, headers={**(call.headers or {}), **self._positions.headers})
        reply = await self._call(call, within)
        if isinstance(reply, Reply):
            self._positions.note(reply.position)
        return reply

    async def _call(self, call: Call, within: float) -> Reply | NoResponse:
        token = self._tokens.access
        reply = await self._http.call(call, within, token)
        if isinstance(reply, NoResponse) or reply.problem is None or reply.problem.code != "token_expired":
            return reply
        if isinstance(failed := await self._tokens.renew(token, within), NoResponse):
            return failed
        return reply if failed else await self._http.call(call, within, self._tokens.access)

    async def send(self, request: Request, within: float) -> Outcome:
        """Send a command once."""
        reply = await self.call(_call_of(request), within)
        if isinstance(reply, NoResponse):
            return reply
        if reply.problem:
            return reply.problem
        try:
            return Granted(parse(NamedAppointment, reply.body), reply.status, reply.replayed)
        except ValidationError as error:
            return NoResponse(f"an answer that is no appointment: {error.error_count()} errors")


async def until_decided(rest: RestTransport, call: Call, timeouts: Timeouts) -> Reply | Problem | NoResponse:
    """Repeat a call until the hub decides it or the total timeout ends. A change needs an `Idempotency-Key`."""
    now = asyncio.get_running_loop().time
    give_up_at = now() + timeouts.total
    while True:
        reply = await rest.call(call, timeouts.attempt)
        if isinstance(reply, Reply) and reply.problem is None:
            return reply
        failed = reply if isinstance(reply, NoResponse) else reply.problem or reply
        if (isinstance(failed, Problem) and failed.code not in UNDECIDED) or now() + _PAUSE > give_up_at:
            return failed
        await asyncio.sleep(_PAUSE)


def _call_of(request: Request) -> Call:
    body = request_body(request)
    key = {"Idempotency-Key": request.key}
    if request.command.kind == "book":
        return Call("POST", f"{API}/appointments", body=body, headers=key)
    path = f"{API}/appointments/{body.pop('appointmentId')}/{request.command.kind.replace('_', '-')}"
    return Call("PATCH", path, body=body or None, headers=key)


async def _reply(response: aiohttp.ClientResponse) -> Reply:
    links: Mapping[str, Mapping[str, str | URL]] = response.links
    next_url = links.get("next", {}).get("url")
    return Reply(
        status=response.status,
        body=_json(await response.read()),
        retry_after=_seconds(response.headers.get("Retry-After")),
        next_page=next_url.raw_path_qs if isinstance(next_url, URL) else None,
        replayed=response.headers.get("Idempotency-Replayed") == "true",
        position=response.headers.get("Position", ""),
    )


def _json(raw: bytes) -> Any:
    """Return the JSON of the body; None when it is empty or not JSON, as a proxy's error page."""
    try:
        return orjson.loads(raw) if raw else None
    except orjson.JSONDecodeError:
        return None


def _seconds(retry_after: str | None) -> float | None:
    """Return the seconds of a Retry-After header; None when it is a date, a form that the hub does not use."""
    try:
        seconds = float(retry_after or "nan")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None
