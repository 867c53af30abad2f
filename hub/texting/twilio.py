"""Client of Twilio's API. It runs the SDK over an HTTP session of ours, which keeps timeouts and never repeats a POST.

Only the type, HTTP status and code of an error leave this module, because Twilio's error messages quote phone numbers.
"""

import logging
from base64 import b64encode
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    TCPConnector,
)
from twilio.base.exceptions import TwilioException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from hub.texting.outcomes import Outcome, SendResult, classify_http_error
from hub.texting.reports import Report

_OFFICIAL_URL = "https://api.twilio.com"
_TOTAL_TIMEOUT = 15.0
"""Seconds for one request."""
_CONNECT_TIMEOUT = 4.0
"""Seconds to connect. Shorter than the total, so that a failed connect (nothing sent) differs from a missing answer."""
_MAX_CONNECTIONS = 40
"""More than both lines of the sender use together. Otherwise a line that hangs would block the other one."""
_MAX_VALIDITY = 36_000
"""Twilio's limit of `validity_period`, in seconds."""
_LIST_LIMIT = 50
"""Messages to one number that `find` reads: more than anybody gets in a day."""
_CLOCK_SKEW = timedelta(seconds=5)
"""Assumed maximum difference between Twilio's clock and ours."""
_NOT_SENT = frozenset({"failed", "canceled"})
"""Statuses of messages that were not sent. Since 2024 Twilio lists a POST that it refused as `failed`."""


class TwilioUnreachable(Exception):
    """The request to Twilio failed. The message names the kind of error and contains nothing private."""


class Twilio:
    """Client of one Twilio account. Create it inside the running event loop and `close` it."""

    def __init__(self, account_sid: str, auth_token: str, base_url: str) -> None:
        self._session = ClientSession(
            timeout=ClientTimeout(total=_TOTAL_TIMEOUT, sock_connect=_CONNECT_TIMEOUT),
            # Twilio may close a kept-alive connection while the next POST is being sent. The outcome would be unknown.
            connector=TCPConnector(limit=_MAX_CONNECTIONS, force_close=True),
        )
        self._client = Client(
            account_sid,
            auth_token,
            http_client=_SessionHttpClient(self._session, base_url),
            # Not empty: for an empty mapping the SDK reads the real environment, where TWILIO_EDGE changes the host.
            environment={"_": ""},
        )
        # Loads a large part of the SDK. Do it at start, not at the first text.
        self._messages = self._client.messages

    async def send(self, to: str, body: str, sender: str, callback: str, valid_for: float) -> Outcome:
        """Post a text to Twilio once and return the outcome. Twilio drops the text if it waits for `valid_for` seconds.

        `to` and `sender` are E.164. The text must have been stored as `sending` before. Twilio posts status reports to
        the URL `callback`.
        """
        try:
            message = await self._messages.create_async(
                to=to,
                body=body,
                from_=sender,
                status_callback=callback,
                validity_period=max(1, min(int(valid_for), _MAX_VALIDITY)),
            )
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            return Outcome(SendResult.LATER, sid=None, code=0, cause=type(error).__name__)  # nothing was sent
        except TwilioException as error:
            status, code = _status_and_code(error)
            return Outcome(classify_http_error(status, code), sid=None, code=code, cause=_cause(error))
        except (ClientError, TimeoutError, ValueError) as error:  # ValueError: a truncated answer
            return Outcome(SendResult.UNKNOWN, sid=None, code=0, cause=type(error).__name__)
        if not message.sid:
            return Outcome(SendResult.UNKNOWN, sid=None, code=0, cause="no SID")
        return Outcome(SendResult.SENT, sid=message.sid, code=0, cause="accepted")

    async def find(self, to: str, body: str, sender: str, since: datetime) -> list[str]:
        """Return the SIDs that Twilio lists for this body, recipient and sender since the given instant.

        It tells whether a text of unknown outcome was accepted. The caller must ignore a SID that belongs to another
        text. The list may lag by seconds, so a missing text proves something only after a wait. Raises
        `TwilioUnreachable`.
        """
        try:
            listed = await self._messages.list_async(to=to, from_=sender, limit=_LIST_LIMIT)
        except TwilioException as error:
            raise TwilioUnreachable(_cause(error)) from None
        except (ClientError, TimeoutError, ValueError) as error:
            raise TwilioUnreachable(type(error).__name__) from None
        # Use date_created: date_sent is missing while a message is queued. Twilio's dates have whole seconds.
        earliest = since - _CLOCK_SKEW
        return [
            str(message.sid)
            for message in listed
            if message.direction != "inbound"
            and message.status not in _NOT_SENT
            and body in (message.body or "")
            and message.date_created >= earliest
        ]

    async def fetch(self, sid: str) -> Report | None:
        """Return Twilio's current report of a message, or None if Twilio lacks it. Raises `TwilioUnreachable`."""
        try:
            message = await self._messages.get(sid).fetch_async()
        except TwilioException as error:
            status, _ = _status_and_code(error)
            if status == HTTPStatus.NOT_FOUND:
                return None
            raise TwilioUnreachable(_cause(error)) from None
        except (ClientError, TimeoutError, ValueError) as error:
            raise TwilioUnreachable(type(error).__name__) from None
        return Report(
            sid=sid,
            status=str(message.status),
            error_code=int(message.error_code or 0),
            phone=message.to,
            our_number=message.from_,
        )

    async def close(self) -> None:
        """Close the HTTP session."""
        await self._session.close()


class _SessionHttpClient(AsyncHttpClient):  # type: ignore[misc]  # published without types
    """HTTP client for the SDK. The SDK's own client drops timeouts and repeats POSTs if retries are on."""

    def __init__(self, session: ClientSession, base_url: str) -> None:
        super().__init__(logging.getLogger("twilio"), is_async=True)
        self._session = session
        self._base_url = base_url

    async def request(  # noqa: PLR0913, PLR0917  # the SDK's signature
        self,
        method: str,
        uri: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109  # the session's timeout applies
        allow_redirects: bool = False,  # noqa: ARG002, FBT001, FBT002
    ) -> Response:
        """Send one request, without retries."""
        login = b64encode(":".join(auth or ()).encode()).decode()
        async with self._session.request(
            method,
            uri.replace(_OFFICIAL_URL, self._base_url, 1),
            params=params,
            data=data,
            headers={**(headers or {}), "Authorization": f"Basic {login}"},
            allow_redirects=False,
        ) as response:
            return Response(response.status, await response.text(), response.headers)


def _cause(error: TwilioException) -> str:
    """Return a description that may be logged: the HTTP status if there is one, otherwise the error's type."""
    status, _ = _status_and_code(error)
    return f"HTTP {status}" if status else type(error).__name__


def _status_and_code(error: TwilioException) -> tuple[int, int]:
    """Return the HTTP status and Twilio's error code, 0 if missing. The SDK repeats the status as a missing code."""
    status, code = getattr(error, "status", None) or 0, getattr(error, "code", None) or 0
    return status, 0 if code == status else code
