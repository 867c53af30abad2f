"""The webhooks that Twilio posts to the hub, as signed forms: status callbacks and inbound texts."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, TCPConnector, hdrs
from twilio.request_validator import RequestValidator
from yarl import URL

from hub.ops.local.twilio_stub.message import API_VERSION, Message, MessageStatus

SIGNATURE = "X-Twilio-Signature"
_TIMEOUT = ClientTimeout(total=15)  # as Twilio's
_MAX_CONNECTIONS = 16
_MAX_BODY = 64 * 1024


@dataclass(frozen=True)
class WebhookResponse:
    """The hub's response: the HTTP status, 0 when no response came, and the body."""

    status: int
    body: str


class Webhooks:
    """Posts forms to the hub, signed with the account's token. Create it inside the running event loop; close it."""

    def __init__(self, account: str, token: str) -> None:
        self._account = account
        self._validator = RequestValidator(token)
        self._session = ClientSession(timeout=_TIMEOUT, connector=TCPConnector(limit=_MAX_CONNECTIONS))

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def report(self, message: Message, status: MessageStatus) -> None:
        """Post the new status of a text to its callback URL, if it has one."""
        if message.callback is None:
            return
        error = {} if message.error_code is None or status == "sent" else {"ErrorCode": str(message.error_code)}
        await self._post(
            message.callback,
            {
                "MessageSid": message.sid,
                "SmsSid": message.sid,
                "MessageStatus": status,
                "SmsStatus": status,
                "From": message.sender,
                "To": message.recipient,
                **error,
            },
        )

    async def post_inbound(self, url: str, message: Message, sid: str) -> WebhookResponse:
        """Post a text from a phone to the hub, under the given SID, and return the response."""
        return await self._post(
            url,
            {
                "MessageSid": sid,
                "SmsSid": sid,
                "SmsMessageSid": sid,
                "SmsStatus": "received",
                "From": message.sender,
                "To": message.recipient,
                "Body": message.body,
                "NumMedia": "0",
                "NumSegments": "1",
                "FromCountry": "US",
                "ToCountry": "US",
            },
        )

    async def _post(self, url: str, form: Mapping[str, str]) -> WebhookResponse:
        """Post a form. When the connection fails, try a second time, as Twilio does."""
        try:
            return await self._post_once(url, form)
        except ClientConnectorError:
            pass
        except (ClientError, TimeoutError):
            return WebhookResponse(0, "")
        try:
            return await self._post_once(url, form)
        except (ClientError, TimeoutError):
            return WebhookResponse(0, "")

    async def _post_once(self, url: str, form: Mapping[str, str]) -> WebhookResponse:
        whole = {**form, "AccountSid": self._account, "ApiVersion": API_VERSION}
        signature = self._validator.compute_signature(url, whole)
        # encoded=True: the signature covers the URL as it was given, so yarl must not change it
        address = URL(url, encoded=True)
        headers = {SIGNATURE: signature, hdrs.USER_AGENT: "TwilioProxy/1.1"}
        async with self._session.post(address, data=whole, headers=headers, allow_redirects=False) as answer:
            body = await answer.content.read(_MAX_BODY)
            return WebhookResponse(answer.status, body.decode(errors="replace"))
