"""The control API for the page and for tests: list texts, reply as a phone, inject faults."""

import asyncio
import html
import re
from typing import Annotated, Any, TypeVar

from aiohttp import hdrs, web
from pydantic import AfterValidator, Field, ValidationError

from hub.clock import Clock
from hub.ops.local.twilio_stub.carrier import Carrier
from hub.ops.local.twilio_stub.deliveries import Deliveries
from hub.ops.local.twilio_stub.error_responses import MAX_LENGTH, is_phone
from hub.ops.local.twilio_stub.faults import Fault, Faults
from hub.ops.local.twilio_stub.listener import Listener
from hub.ops.local.twilio_stub.message import Message
from hub.ops.local.twilio_stub.messages_api import MessagesApi
from hub.ops.local.twilio_stub.webhooks import Webhooks
from hub.scheduling.values import Value, rfc3339

_PHONES, _CONVERSATION, _MESSAGES = 200, 200, 10_000
"""The largest number of items in one response."""
_EVENT_INTERVAL = 0.25
"""Seconds at least between two events to a page."""
_TWIML_MESSAGE = re.compile(r"<Message[^>]*>(?:\s*<Body>)?(.*?)(?:</Body>\s*)?</Message>", re.DOTALL)

V = TypeVar("V", bound=Value)


def _phone(written: str) -> str:
    if not is_phone(written):
        raise ValueError("a phone number looks like +12025550123")
    return written


class PhoneText(Value):
    """A text from a phone to one of the hub's numbers (`line`). `message_sid`: reuse the SID of an earlier text."""

    phone: Annotated[str, AfterValidator(_phone)]
    line: str
    body: Annotated[str, Field(max_length=MAX_LENGTH)]
    message_sid: Annotated[str, Field(pattern=r"^SM[0-9a-f]{32}$")] | None = None


class Closing(Value):
    """A request to refuse new connections for this many seconds."""

    seconds: Annotated[float, Field(gt=0, le=300)]


class Control:
    """The stub's own control API, which Twilio does not have."""

    def __init__(  # noqa: PLR0913  # it reads and controls all parts
        self,
        *,
        webhook: str,
        clock: Clock,
        carrier: Carrier,
        faults: Faults,
        deliveries: Deliveries,
        webhooks: Webhooks,
        messages: MessagesApi,
        listener: Listener,
    ) -> None:
        self._webhook = webhook
        self._clock = clock
        self._carrier = carrier
        self._faults = faults
        self._deliveries = deliveries
        self._webhooks = webhooks
        self._messages = messages
        self._listener = listener

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/control/state", self._state),
            web.get("/control/messages", self._sent),
            web.get("/control/phones", self._phones),
            web.get("/control/phones/{phone}", self._conversation),
            web.get("/control/changes", self._changes),
            web.post("/control/answers", self._answer),
            web.post("/control/faults", self._add_fault),
            web.delete("/control/faults", self._clear_faults),
            web.post("/control/closed", self._close),
        ]

    async def _state(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "now": rfc3339(self._clock()),
                "change": self._carrier.change,
                "lines": self._carrier.lines,
                "posts": self._messages.posts,
                "underWay": self._deliveries.in_delivery,
                "faults": [fault.model_dump(mode="json", by_alias=True) for fault in self._faults.pending],
            },
        )

    async def _sent(self, request: web.Request) -> web.Response:
        """Show the texts accepted from the hub, in their order; `after` is the number of the last known one."""
        try:
            after = int(request.query.get("after", 0))
        except ValueError:
            raise web.HTTPUnprocessableEntity(text="after is a number") from None
        found = self._carrier.accepted_after(after, _MESSAGES)
        return web.json_response({"messages": [_shown(each) for each in found]})

    async def _phones(self, _: web.Request) -> web.Response:
        found = self._carrier.phones(_PHONES)
        return web.json_response({"phones": [{"phone": each.phone, "last": _shown(each)} for each in found]})

    async def _conversation(self, request: web.Request) -> web.Response:
        phone = request.match_info["phone"]
        return web.json_response(
            {
                "phone": phone,
                "stopped": self._carrier.stopped(phone),
                "messages": [_shown(each) for each in self._carrier.conversation(phone, _CONVERSATION)],
            },
        )

    async def _answer(self, request: web.Request) -> web.Response:
        """Post the phone's text to the hub, deliver the reply to the phone, and return the hub's response."""
        text = await _read(PhoneText, request)
        if text.line not in self._carrier.lines:
            raise web.HTTPUnprocessableEntity(text="the hub has no such number")
        message = self._carrier.receive(text.phone, text.line, text.body)
        sid = text.message_sid or message.sid
        response = await self._webhooks.post_inbound(self._webhook, message, sid)
        succeeded = _is_success(response.status)
        replies = [html.unescape(each) for each in _TWIML_MESSAGE.findall(response.body)] if succeeded else []
        for reply in replies:
            self._carrier.deliver_reply(text.phone, text.line, reply)
        answer = replies[0] if replies else None
        return web.json_response(
            {"messageSid": sid, "status": response.status, "answer": answer, "body": response.body},
        )

    async def _add_fault(self, request: web.Request) -> web.Response:
        if not self._faults.add(await _read(Fault, request)):
            raise web.HTTPConflict(text="too many faults are pending already")
        return web.Response(status=204)

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return web.Response(status=204)

    async def _close(self, request: web.Request) -> web.Response:
        closing = await _read(Closing, request)
        await self._listener.close_for(closing.seconds)
        return web.Response(status=204)

    async def _changes(self, request: web.Request) -> web.StreamResponse:
        """Send the page a server-sent event after each change."""
        stream = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/event-stream", hdrs.CACHE_CONTROL: "no-store"})
        await stream.prepare(request)
        change = -1
        while True:  # closing the page cancels this handler
            change = await self._carrier.until_changed(change)
            await stream.write(f"data: {change}\n\n".encode())
            await asyncio.sleep(_EVENT_INTERVAL)


def _shown(message: Message) -> dict[str, Any]:
    return {
        "number": message.number,
        "sid": message.sid,
        "direction": message.direction,
        "from": message.sender,
        "to": message.recipient,
        "body": message.body,
        "at": rfc3339(message.created_at),
        "status": message.status,
        "errorCode": message.error_code,
        "textId": message.text_id,
    }


async def _read(model: type[V], request: web.Request) -> V:
    # JSON only: any web page can post a form here, but not JSON, which needs a CORS preflight.
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        return model.model_validate_json(await request.read(), by_alias=True, by_name=False)
    except ValidationError as error:
        raise web.HTTPUnprocessableEntity(text=str(error)) from None


def _is_success(status: int) -> bool:
    return 200 <= status < 300  # noqa: PLR2004  # the range of success in HTTP
