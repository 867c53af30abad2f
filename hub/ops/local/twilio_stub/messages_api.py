"""Twilio's Messages resource (create, list and fetch), and the account and its numbers, with Basic auth."""

import asyncio
import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import hdrs, web

from hub.ops.local.twilio_stub.carrier import Carrier, SendRequest
from hub.ops.local.twilio_stub.deliveries import MAX_IN_DELIVERY, Deliveries
from hub.ops.local.twilio_stub.error_responses import (
    NOT_AUTHENTICATED,
    NOT_FOUND,
    SERVER_ERROR,
    TOO_MANY_REQUESTS,
    ErrorResponse,
)
from hub.ops.local.twilio_stub.faults import AnswerFault, Faults
from hub.ops.local.twilio_stub.message import API_VERSION, Message, resource
from hub.texting.callback_urls import TEXT

_LIST: Final = f"/{API_VERSION}/Accounts/{{account}}/Messages.json"
_ONE: Final = f"/{API_VERSION}/Accounts/{{account}}/Messages/{{sid}}.json"
_ACCOUNT: Final = f"/{API_VERSION}/Accounts/{{account}}.json"
_NUMBERS: Final = f"/{API_VERSION}/Accounts/{{account}}/IncomingPhoneNumbers.json"
_HOLD_FOR = 60.0
"""Seconds for which a POST with the fault `time_out` is held before its connection is cut."""
_PAGE, _LARGEST_PAGE = 50, 1000
_BAD_GATEWAY = ErrorResponse(502, SERVER_ERROR.code)
_ERROR_OF: Mapping[AnswerFault, ErrorResponse] = {
    "too_many_requests": TOO_MANY_REQUESTS,
    "server_error": SERVER_ERROR,
    "server_error_but_accepted": _BAD_GATEWAY,
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class MessagesApi:
    """The Messages resource of one account. `posts` counts all POSTs, accepted or not."""

    def __init__(self, account: str, token: str, carrier: Carrier, faults: Faults, deliveries: Deliveries) -> None:
        self._account = account
        self._token = token
        self._carrier = carrier
        self._faults = faults
        self._deliveries = deliveries
        self.posts = 0

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.post(_LIST, self._guarded(self._create)),
            web.get(_LIST, self._guarded(self._list)),
            web.get(_ONE, self._guarded(self._fetch)),
            web.get(_ACCOUNT, self._guarded(self._show_account)),
            web.get(_NUMBERS, self._guarded(self._list_numbers)),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            known = self._knows(request.headers.get(hdrs.AUTHORIZATION, ""))
            ours = request.match_info["account"] == self._account
            answer = await handler(request) if known and ours else _error(NOT_AUTHENTICATED)
            answer.force_close()  # a kept-alive connection would still work while `Listener.close_for` refuses new ones
            return answer

        return guarded

    def _knows(self, authorization: str) -> bool:
        scheme, _, encoded = authorization.partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return False
        wanted = f"{self._account}:{self._token}".encode()
        return scheme.lower() == "basic" and hmac.compare_digest(given, wanted)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        self.posts += 1
        given = {name: value for name, value in form.items() if isinstance(value, str)}
        to = given.get("To", "")
        fault = self._faults.take_answer(to)
        if fault in {"too_many_requests", "server_error"}:
            return _error(_ERROR_OF[fault])
        if fault == "time_out":
            await asyncio.sleep(_HOLD_FOR)
            return _cut(request)
        if self._deliveries.in_delivery >= MAX_IN_DELIVERY:
            return _error(TOO_MANY_REQUESTS)
        answer = self._accept(given)
        if fault == "dropped":
            return _cut(request)
        return _error(_BAD_GATEWAY) if fault == "server_error_but_accepted" else answer

    def _accept(self, given: Mapping[str, str]) -> web.Response:
        callback = given.get("StatusCallback") or None
        accepted = self._carrier.accept(
            SendRequest(
                to=given.get("To", ""),
                sender=given.get("From", ""),
                body=given.get("Body", ""),
                callback=callback,
                text_id=_text_id(callback),
            ),
        )
        if isinstance(accepted, ErrorResponse):
            return _error(accepted)
        answer = web.json_response(resource(accepted, self._account), status=201)
        self._deliveries.begin(accepted, self._faults.take_carrier(accepted.recipient))
        return answer

    async def _show_account(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"sid": self._account, "status": "active", "type": "Trial"})

    async def _list_numbers(self, request: web.Request) -> web.StreamResponse:
        wanted = request.query.get("PhoneNumber")
        numbers = [{"phone_number": line} for line in self._carrier.lines if wanted in {None, line}]
        return web.json_response({"incoming_phone_numbers": numbers})

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        message = self._carrier.by_sid(request.match_info["sid"])
        return _error(NOT_FOUND) if message is None else web.json_response(resource(message, self._account))

    async def _list(self, request: web.Request) -> web.StreamResponse:
        try:
            found = [each for each in self._candidates(request.query) if _wanted(each, request.query)]
            size = min(max(int(request.query.get("PageSize", _PAGE)), 1), _LARGEST_PAGE)
            page = max(int(request.query.get("Page", 0)), 0)
        except ValueError:
            return _error(ErrorResponse(400, NOT_FOUND.code))
        shown = found[page * size : (page + 1) * size]
        more = len(found) > (page + 1) * size
        return web.json_response(
            {
                "messages": [resource(each, self._account) for each in shown],
                "page": page,
                "page_size": size,
                "start": page * size,
                "end": page * size + max(len(shown) - 1, 0),
                "uri": request.path_qs,
                "first_page_uri": _page_uri(request, 0),
                "next_page_uri": _page_uri(request, page + 1) if more else None,
                "previous_page_uri": _page_uri(request, page - 1) if page else None,
            },
        )

    def _candidates(self, query: Mapping[str, str]) -> list[Message]:
        to = query.get("To")
        return self._carrier.latest_first(None if to in self._carrier.lines else to)


def _wanted(message: Message, query: Mapping[str, str]) -> bool:
    """Return whether a message passes the filters of a list request. They compare days. Raises ValueError."""
    day = (message.sent_at or message.created_at).date()
    return (
        query.get("To", message.recipient) == message.recipient
        and query.get("From", message.sender) == message.sender
        and ("DateSent" not in query or day == _day(query["DateSent"]))
        and ("DateSent<" not in query or day <= _day(query["DateSent<"]))
        and ("DateSent>" not in query or day >= _day(query["DateSent>"]))
    )


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])


def _page_uri(request: web.Request, page: int) -> str:
    return f"{request.path}?{urlencode({**request.query, 'Page': str(page)})}"


def _text_id(callback: str | None) -> str | None:
    """Return the hub's id of the text, which is part of its callback URL."""
    values = parse_qs(urlsplit(callback).query).get(TEXT, []) if callback else []
    return values[0] if values else None


def _error(error: ErrorResponse) -> web.Response:
    return web.json_response(error.document(), status=error.status)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # never sent: the connection is gone
