"""A client of the Twilio stub: the texts that the hub sent, replies as a phone, and injected faults.

async with Phones(stack.phones.port) as phones:
    await phones.fault("dropped", count=3)
    ...  # texts go out
    reminder = (await phones.sent())[-1]
    told = await phones.answer(reminder.to, "1", line=reminder.sender)
"""

from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import aiohttp

from hub.ops.local.twilio_stub.faults import AnswerFault, CarrierFault


@dataclass(frozen=True)
class Arrived:
    """A text that the stub accepted from the hub; `at` is by the hub's clock."""

    number: int
    sid: str
    to: str
    sender: str
    body: str
    at: datetime
    text_id: str | None
    status: str
    error_code: int | None


@dataclass(frozen=True)
class WebhookAnswer:
    """The hub's response to a text from a phone: the HTTP status (0: no response), and the reply text if any."""

    message_sid: str
    status: int
    answer: str | None
    body: str


class Phones:
    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._client = aiohttp.ClientSession(self.url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._client.close()

    async def sent(self, after: int = 0) -> list[Arrived]:
        """Return the accepted texts in their order, from the one after the number `after`."""
        found: list[Arrived] = []
        while page := (await self._get("/control/messages", after=after))["messages"]:
            found += [
                Arrived(
                    number=each["number"],
                    sid=each["sid"],
                    to=each["to"],
                    sender=each["from"],
                    body=each["body"],
                    at=datetime.fromisoformat(each["at"]),
                    text_id=each["textId"],
                    status=each["status"],
                    error_code=each["errorCode"],
                )
                for each in page
            ]
            after = found[-1].number
        return found

    async def conversation(self, phone: str) -> list[tuple[str, str]]:
        """Return the texts of a phone, each with its direction: outbound-api, outbound-reply or inbound."""
        shown = await self._get(f"/control/phones/{phone}")
        return [(each["direction"], each["body"]) for each in shown["messages"]]

    async def state(self) -> dict[str, Any]:
        """Return the counts of posted texts and of texts in delivery, and the pending faults."""
        return await self._get("/control/state")

    async def answer(self, phone: str, body: str, *, line: str, message_sid: str | None = None) -> WebhookAnswer:
        """Send a text from a phone to one of the hub's numbers; `message_sid` repeats an earlier text."""
        more = {"messageSid": message_sid} if message_sid else {}
        answer = {"phone": phone, "line": line, "body": body, **more}
        async with self._client.post("/control/answers", json=answer) as response:
            assert response.status == 200, await response.text()
            answered = await response.json()
        return WebhookAnswer(answered["messageSid"], answered["status"], answered["answer"], answered["body"])

    async def fault(self, kind: AnswerFault | CarrierFault, count: int = 1, **more: object) -> None:
        """Inject a fault for the next `count` texts (only to `to` if given); `errorCode` is for undelivered."""
        async with self._client.post("/control/faults", json={"kind": kind, "count": count, **more}) as response:
            assert response.status == 204, await response.text()

    async def no_more_faults(self) -> None:
        async with self._client.delete("/control/faults") as response:
            assert response.status == 204

    async def close_for(self, seconds: float) -> None:
        """Refuse all new connections for this many seconds, from before this returns."""
        async with self._client.post("/control/closed", json={"seconds": seconds}) as response:
            assert response.status == 204

    async def _get(self, path: str, **query: Any) -> dict[str, Any]:
        async with self._client.get(path, params=query) as response:
            assert response.status == 200, await response.text()
            shown: dict[str, Any] = await response.json()
            return shown
