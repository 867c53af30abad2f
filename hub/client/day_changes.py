"""Moves or cancels a doctor's whole day. The hub tells each change in a line; a request that breaks off is repeated."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import date
from typing import Any

import aiohttp
import orjson

from hub.client.answers import UNDECIDED, NoResponse, Problem
from hub.client.commands import Timeouts
from hub.client.positions import Positions
from hub.client.rest import API, HttpClient, Tokens
from hub.client.wire import problem_of
from hub.ids import derived_id, new_id

Line = Mapping[str, Any]
"""A line as the hub sends it, with its `type`."""

_PAUSE = 0.5
"""Seconds between two attempts."""


def command_key(key: str, appointment_id: str) -> str:
    """Return the key under which the hub changes one appointment of a day change with this key."""
    return derived_id("day-change", key, appointment_id)


class DayChanges:
    """The day changes of one user: a receptionist for any doctor, a doctor for the own days."""

    def __init__(self, http: HttpClient, tokens: Tokens, positions: Positions, timeouts: Timeouts) -> None:
        self._http = http
        self._tokens = tokens
        self._positions = positions
        self._timeouts = timeouts

    async def move_by(
        self, doctor_id: str, day: date, minutes: int, on_line: Callable[[Line], None], key: str | None = None
    ) -> Line | Problem | NoResponse:
        """Move the day's appointments later by these minutes; negative: earlier. See `cancel`."""
        return await self._change(f"{doctor_id}/move-day", {"date": day.isoformat(), "by": minutes}, on_line, key)

    async def move_to(
        self, doctor_id: str, day: date, to: date, on_line: Callable[[Line], None], key: str | None = None
    ) -> Line | Problem | NoResponse:
        """Move the day's appointments to the same times of another day. See `cancel`."""
        body = {"date": day.isoformat(), "to": to.isoformat()}
        return await self._change(f"{doctor_id}/move-day", body, on_line, key)

    async def cancel(
        self, doctor_id: str, day: date, reason: str, on_line: Callable[[Line], None], key: str | None = None
    ) -> Line | Problem | NoResponse:
        """Cancel the day's appointments. Calls `on_line` with each line, and returns the line `finished`.

        A request that breaks off is repeated under its key, until no further appointment has been decided for the total
        timeout. The lines then come again from the first one on.
        """
        return await self._change(f"{doctor_id}/cancel-day", {"date": day.isoformat(), "reason": reason}, on_line, key)

    async def _change(
        self, path: str, body: dict[str, Any], on_line: Callable[[Line], None], key: str | None
    ) -> Line | Problem | NoResponse:
        now = asyncio.get_running_loop().time
        headers, furthest, at = {"Idempotency-Key": key or new_id()}, 0, now()

        def told(line: Line) -> None:
            nonlocal furthest, at
            on_line(line)
            if line.get("number", 0) > furthest:
                furthest, at = line["number"], now()

        while True:
            token = self._tokens.access
            result = await self._attempt(path, body, {**headers, "Authorization": f"Bearer {token}"}, told)
            if isinstance(result, Problem) and result.code == "token_expired":
                if (refused := await self._tokens.renew(token, self._timeouts.attempt)) is not None:
                    return refused
                continue
            undecided = isinstance(result, NoResponse) or (isinstance(result, Problem) and result.code in UNDECIDED)
            if not undecided or now() + _PAUSE > at + self._timeouts.total:
                return result
            await asyncio.sleep(_PAUSE)

    async def _attempt(
        self, path: str, body: dict[str, Any], headers: dict[str, str], told: Callable[[Line], None]
    ) -> Line | Problem | NoResponse:
        """Send the request once; return the line `finished`, or why it did not come."""
        try:
            async for line in self._lines(path, body, headers):
                if isinstance(line, Problem):
                    return line
                told(line)
                if line["type"] == "finished":
                    self._positions.add(line["position"].items())
                    return line
                if line["type"] == "interrupted":
                    return Problem(line["code"], line["detail"])
        except (aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError) as error:
            return NoResponse(f"{type(error).__name__} {error}".strip())
        return NoResponse("the lines ended before the work was done")

    async def _lines(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> AsyncIterator[Line | Problem]:
        async with self._http.session.post(
            f"{self._http.base_url}{API}/doctors/{path}",
            data=orjson.dumps(body),
            headers={**headers, "Content-Type": "application/json"},
            timeout=aiohttp.ClientTimeout(total=None, sock_read=self._timeouts.attempt),
        ) as response:
            if response.status >= 400:  # noqa: PLR2004  # the first status that is an error
                raw = await response.read()
                yield problem_of(orjson.loads(raw) if raw else None, response.status)
                return
            async for line in response.content:
                yield orjson.loads(line)
