"""The way to Twilio: its SDK over a session of our own, which keeps time limits and never repeats a POST.

Of an error only its type, HTTP status and code leave this module: Twilio's own words quote phone numbers.
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

_OFFICIAL = "https://api.twilio.com"
_ANSWER_WITHIN = 15.0
_CONNECT_WITHIN = 4.0
"""Seconds. Less than the whole, so that a connection that was never made is told from an answer that never came."""
_AT_ONCE = 40
"""Connections: more than the sender's two lines ever wait on, else one that hangs would hold up the other."""
_LONGEST_VALIDITY = 36_000
_LOOKED_THROUGH = 50
"""How many messages to one number are looked through, which is more than anybody gets in a day."""
_CLOCKS_DIFFER = timedelta(seconds=5)
_NEVER_WENT_OUT = frozenset({"failed", "canceled"})
"""Since 2024 Twilio also lists POSTs that it refused, as failed."""


class TwilioUnreachable(Exception):
    """Twilio could not be asked; the message says which kind of error it was and nothing private."""


class Twilio:
    """One account at Twilio. Make it inside the running loop, and `close` it."""

    def __init__(self, account_sid: str, auth_token: str, base_url: str) -> None:
        self._session = ClientSession(
            timeout=ClientTimeout(total=_ANSWER_WITHIN, sock_connect=_CONNECT_WITHIN),
            # A kept connection may be cut just as the next POST goes out, and its fate would be unknown.
            connector=TCPConnector(limit=_AT_ONCE, force_close=True),
        )
        self._client = Client(
            account_sid,
            auth_token,
            http_client=_OneSession(self._session, base_url),
            environment={
                "_": ""
            },  # an empty one would make the SDK read the real one, where TWILIO_EDGE moves its host
        )
        self._messages = self._client.messages  # loads a good part of the SDK: at start, not at the first text

    async def send(self, to: str, body: str, sender: str, callback: str, valid_for: float) -> Outcome:
        """Ask Twilio once to send a text that is of use for `valid_for` seconds, and say what that came to.

        `to` and `sender` are E.164; the text must be stored as `sending` before. `callback` is where Twilio reports.
        """
        try:
            message = await self._messages.create_async(
                to=to,
                body=body,
                from_=sender,
                status_callback=callback,
                validity_period=max(1, min(int(valid_for), _LONGEST_VALIDITY)),
            )
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            return Outcome(SendResult.LATER, sid=None, code=0, cause=type(error).__name__)  # not one byte left us
        except TwilioException as error:
            status, code = _status_and_code(error)
            return Outcome(classify_http_error(status, code), sid=None, code=code, cause=_cause(error))
        except (ClientError, TimeoutError, ValueError) as error:  # ValueError: an answer cut short
            return Outcome(SendResult.UNKNOWN, sid=None, code=0, cause=type(error).__name__)
        if not message.sid:
            return Outcome(SendResult.UNKNOWN, sid=None, code=0, cause="no SID")
        return Outcome(SendResult.SENT, sid=message.sid, code=0, cause="accepted")

    async def find(self, to: str, body: str, sender: str, since: datetime) -> list[str]:
        """Return the SIDs of messages with these words between these numbers since then, as Twilio lists them.

        Settles a text whose fate is unknown; a SID that another text has already is not its own. The list may lag
        behind by seconds: only its absence after a wait says that Twilio never had it. Raises `TwilioUnreachable`.
        """
        try:
            listed = await self._messages.list_async(to=to, from_=sender, limit=_LOOKED_THROUGH)
        except TwilioException as error:
            raise TwilioUnreachable(_cause(error)) from None
        except (ClientError, TimeoutError, ValueError) as error:
            raise TwilioUnreachable(type(error).__name__) from None
        # Twilio's dates are of whole seconds; that of sending is missing while a message waits in the queue.
        earliest = since - _CLOCKS_DIFFER
        return [
            str(message.sid)
            for message in listed
            if message.direction != "inbound"
            and message.status not in _NEVER_WENT_OUT
            and body in (message.body or "")
            and message.date_created >= earliest
        ]

    async def fetch(self, sid: str) -> Report | None:
        """Return what Twilio says now of a message; None when it does not know it. Raises `TwilioUnreachable`."""
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
        """Let go of the connections."""
        await self._session.close()


class _OneSession(AsyncHttpClient):  # type: ignore[misc]  # published without types
    """The SDK's way out. Its own one drops time-outs, and re-sends POSTs when told to retry."""

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
        timeout: float | None = None,  # noqa: ARG002, ASYNC109  # the session's holds
        allow_redirects: bool = False,  # noqa: ARG002, FBT001, FBT002
    ) -> Response:
        """Make one request, once."""
        login = b64encode(":".join(auth or ()).encode()).decode()
        async with self._session.request(
            method,
            uri.replace(_OFFICIAL, self._base_url, 1),
            params=params,
            data=data,
            headers={**(headers or {}), "Authorization": f"Basic {login}"},
            allow_redirects=False,
        ) as response:
            return Response(response.status, await response.text(), response.headers)


def _cause(error: TwilioException) -> str:
    """Return what may be logged: the HTTP status, which the SDK drops from the answer to a list."""
    status, _ = _status_and_code(error)
    return f"HTTP {status}" if status else type(error).__name__


def _status_and_code(error: TwilioException) -> tuple[int, int]:
    """Return the HTTP status and Twilio's code, 0 where there is none; there the SDK gives the status again."""
    status, code = getattr(error, "status", None) or 0, getattr(error, "code", None) or 0
    return status, 0 if code == status else code
