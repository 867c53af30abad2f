"""What the page and tests ask for: who was sent what, answer as a phone, and let something go wrong."""

import asyncio
import html
import re
from typing import Annotated, Any, TypeVar

from aiohttp import hdrs, web
from pydantic import AfterValidator, Field, ValidationError

from hub.clock import Clock
from hub.ops.local.twilio_stub.carrier import Carrier
from hub.ops.local.twilio_stub.deliveries import Deliveries
from hub.ops.local.twilio_stub.faults import Fault, Faults
from hub.ops.local.twilio_stub.listener import Doors
from hub.ops.local.twilio_stub.message import Message
from hub.ops.local.twilio_stub.messages_api import MessagesApi
from hub.ops.local.twilio_stub.refusals import LONGEST, is_phone
from hub.ops.local.twilio_stub.webhooks import Webhooks
from hub.scheduling.values import Value, rfc3339

_PHONES, _CONVERSATION, _MESSAGES = 200, 200, 10_000
"""How much one answer shows at most."""
_CALM = 0.25
"""Seconds between two changes that a page is told of."""
_TWIML_MESSAGE = re.compile(r"<Message[^>]*>(?:\s*<Body>)?(.*?)(?:</Body>\s*)?</Message>", re.DOTALL)

V = TypeVar("V", bound=Value)


def _phone(written: str) -> str:
    if not is_phone(written):
        raise ValueError("a phone number looks like +12025550123")
    return written


class Answer(Value):
    """A text from a phone to one of our lines. `message_sid` brings it under a SID that was used before."""

    phone: Annotated[str, AfterValidator(_phone)]
    line: str
    body: Annotated[str, Field(max_length=LONGEST)]
    message_sid: Annotated[str, Field(pattern=r"^SM[0-9a-f]{32}$")] | None = None


class Closing(Value):
    """For how many seconds nobody can connect."""

    seconds: Annotated[float, Field(gt=0, le=300)]


class Control:
    """The stand-in's own interface; it is nothing of Twilio's."""

    def __init__(  # noqa: PLR0913  # it shows and steers all parts
        self,
        *,
        webhook: str,
        clock: Clock,
        carrier: Carrier,
        faults: Faults,
        deliveries: Deliveries,
        webhooks: Webhooks,
        messages: MessagesApi,
        doors: Doors,
    ) -> None:
        self._webhook = webhook
        self._clock = clock
        self._carrier = carrier
        self._faults = faults
        self._deliveries = deliveries
        self._webhooks = webhooks
        self._messages = messages
        self._doors = doors

    def routes(self) -> list[web.RouteDef]:
        """Return where it answers."""
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
                "underWay": self._deliveries.under_way,
                "faults": [fault.model_dump(mode="json", by_alias=True) for fault in self._faults.coming],
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
        """Bring the phone's text to the hub; say what the hub answered, and put its words into the conversation."""
        answer = await _read(Answer, request)
        if answer.line not in self._carrier.lines:
            raise web.HTTPUnprocessableEntity(text="there is no such line")
        message = self._carrier.receive(answer.phone, answer.line, answer.body)
        sid = answer.message_sid or message.sid
        posted = await self._webhooks.bring(self._webhook, message, sid)
        said = [html.unescape(each) for each in _TWIML_MESSAGE.findall(posted.body)] if _is_good(posted.status) else []
        for each in said:
            self._carrier.answered(answer.phone, answer.line, each)
        return web.json_response(
            {"messageSid": sid, "status": posted.status, "answer": said[0] if said else None, "body": posted.body},
        )

    async def _add_fault(self, request: web.Request) -> web.Response:
        if not self._faults.add(await _read(Fault, request)):
            raise web.HTTPConflict(text="so much is to go wrong already")
        return web.Response(status=204)

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return web.Response(status=204)

    async def _close(self, request: web.Request) -> web.Response:
        closing = await _read(Closing, request)
        await self._doors.close_for(closing.seconds)
        return web.Response(status=204)

    async def _changes(self, request: web.Request) -> web.StreamResponse:
        """Tell a page, as server-sent events, each time something has happened."""
        stream = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/event-stream", hdrs.CACHE_CONTROL: "no-store"})
        await stream.prepare(request)
        change = -1
        while True:  # until the page is closed: that cancels this handler
            change = await self._carrier.until_changed(change)
            await stream.write(f"data: {change}\n\n".encode())
            await asyncio.sleep(_CALM)


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
    # JSON only: a form of any web page could be posted here, and JSON from another origin cannot.
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        return model.model_validate_json(await request.read(), by_alias=True, by_name=False)
    except ValidationError as error:
        raise web.HTTPUnprocessableEntity(text=str(error)) from None


def _is_good(status: int) -> bool:
    return 200 <= status < 300  # noqa: PLR2004  # what HTTP calls successful
