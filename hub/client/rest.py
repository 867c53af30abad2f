"""One person's HTTP calls: the access token goes along, and is refreshed when it has expired."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
import orjson
from pydantic import ValidationError
from yarl import URL

from hub.client.answers import UNDECIDED, Granted, Outcome, Refusal, Silence
from hub.client.asking import Ask, Patience, Via
from hub.client.wire import read, refusal_of, written
from hub.scheduling.views import AppointmentView

API = "/api/v1"
_PAUSE = 0.5
"""Seconds between two tries of a call that the hub could not answer."""


@dataclass(frozen=True)
class Reply:
    """What the hub answered: the HTTP status, the JSON of the body (None: there is none), the path of the next page."""

    status: int
    body: Any
    retry_after: float | None
    next_page: str | None

    @property
    def refusal(self) -> Refusal | None:
        """The refusal that this is, if it is one."""
        if self.status < HTTPStatus.BAD_REQUEST:
            return None
        return refusal_of(self.body, self.status, self.retry_after)


@dataclass(frozen=True)
class Call:
    """One HTTP call; the path begins behind the hub's address, and may bring a query of its own."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None


class Web:
    """Calls to the hub at one address, by nobody in particular."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str) -> None:
        self.http = http
        self.base_url = base_url.rstrip("/")

    async def call(self, call: Call, within: float, token: str | None = None) -> Reply | Silence:
        """Make one call and return what came back within so many seconds."""
        headers = dict(call.headers or {})
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with self.http.request(
                call.method,
                f"{self.base_url}{call.path}",
                params=call.query,
                data=None if call.body is None else orjson.dumps(call.body),
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=within),
            ) as response:
                return await _reply(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Silence(f"{type(error).__name__} {error}".strip())


class Tokens:
    """A person's tokens. However many calls find the access token expired, it is refreshed once."""

    def __init__(self, web: Web, access: str, refresh: str) -> None:
        self._web = web
        self._access = access
        self._refresh = refresh
        self._refreshing = asyncio.Lock()

    @property
    def access(self) -> str:
        """The access token."""
        return self._access

    async def renew(self, expired: str, within: float) -> Refusal | Silence | None:
        """Get a new pair unless that has been done since `expired` was current; None when there is a fresh token."""
        async with self._refreshing:
            if self._access != expired:
                return None
            call = Call("POST", f"{API}/auth/refresh", body={"refreshToken": self._refresh})
            reply = await self._web.call(call, within)
            if isinstance(reply, Silence):
                return reply
            if reply.refusal is None:
                self._access, self._refresh = reply.body["accessToken"], reply.body["refreshToken"]
            return reply.refusal


class Rest:
    """The calls of one person; as a way for commands, the key goes as `Idempotency-Key`."""

    def __init__(self, web: Web, tokens: Tokens) -> None:
        self._web = web
        self._tokens = tokens

    @property
    def via(self) -> Via:
        """REST."""
        return "rest"

    async def call(self, call: Call, within: float) -> Reply | Silence:
        """Make a call; one that met an expired token is made again with a new one."""
        token = self._tokens.access
        reply = await self._web.call(call, within, token)
        if isinstance(reply, Silence) or reply.refusal is None or reply.refusal.code != "token_expired":
            return reply
        if isinstance(failed := await self._tokens.renew(token, within), Silence):
            return failed
        return reply if failed else await self._web.call(call, within, self._tokens.access)

    async def send(self, ask: Ask, within: float) -> Outcome:
        """Send a command once."""
        reply = await self.call(_call_of(ask), within)
        if isinstance(reply, Silence):
            return reply
        if reply.refusal:
            return reply.refusal
        try:
            return Granted(read(AppointmentView, reply.body), reply.status)
        except ValidationError as error:
            return Silence(f"an answer that is no appointment: {error.error_count()} errors")


async def until_decided(rest: Rest, call: Call, patience: Patience) -> Reply | Refusal | Silence:
    """Make a call until the hub decides it or patience ends. One that changes something needs an `Idempotency-Key`."""
    now = asyncio.get_running_loop().time
    give_up_at = now() + patience.in_all
    while True:
        reply = await rest.call(call, patience.each)
        if isinstance(reply, Reply) and reply.refusal is None:
            return reply
        refusal = reply if isinstance(reply, Silence) else reply.refusal or reply
        if (isinstance(refusal, Refusal) and refusal.code not in UNDECIDED) or now() + _PAUSE > give_up_at:
            return refusal
        await asyncio.sleep(_PAUSE)


def _call_of(ask: Ask) -> Call:
    body = written(ask)
    key = {"Idempotency-Key": ask.key}
    if ask.wish.kind == "book":
        return Call("POST", f"{API}/appointments", body=body, headers=key)
    path = f"{API}/appointments/{body.pop('appointmentId')}/{ask.wish.kind}"
    return Call("PATCH", path, body=body or None, headers=key)


async def _reply(response: aiohttp.ClientResponse) -> Reply:
    links: Mapping[str, Mapping[str, str | URL]] = response.links
    following = links.get("next", {}).get("url")
    return Reply(
        status=response.status,
        body=_json(await response.read()),
        retry_after=_seconds(response.headers.get("Retry-After")),
        next_page=following.raw_path_qs if isinstance(following, URL) else None,
    )


def _json(raw: bytes) -> Any:
    """Return what the body says; None for no body or what is no JSON, as a proxy's error page."""
    try:
        return orjson.loads(raw) if raw else None
    except orjson.JSONDecodeError:
        return None


def _seconds(written_out: str | None) -> float | None:
    """Return the seconds of a Retry-After; the other form, a date, is not ours."""
    try:
        seconds = float(written_out or "nan")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None
