"""What Twilio posts to the hub: signed forms, about texts on their way and texts that came in."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, TCPConnector, hdrs
from twilio.request_validator import RequestValidator
from yarl import URL

from hub.ops.local.twilio_stub.message import API_VERSION, Message, MessageStatus

SIGNATURE = "X-Twilio-Signature"
_PATIENCE = ClientTimeout(total=15)  # what Twilio waits
_AT_ONCE = 16
_LONGEST_ANSWER = 64 * 1024


@dataclass(frozen=True)
class Posted:
    """What the hub answered: the HTTP status and the body; the status is 0 when no answer came."""

    status: int
    body: str


class Webhooks:
    """Posts forms to the hub, signed with the account's token. Open it inside the running loop, close it at the end."""

    def __init__(self, account: str, token: str) -> None:
        self._account = account
        self._validator = RequestValidator(token)
        self._session = ClientSession(timeout=_PATIENCE, connector=TCPConnector(limit=_AT_ONCE))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._session.close()

    async def report(self, message: Message, status: MessageStatus) -> None:
        """Tell the text's callback address, if it has one, that the text has come to `status`."""
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

    async def bring(self, url: str, message: Message, sid: str) -> Posted:
        """Bring a text from a phone to the hub, under the given SID, and return what the hub answered."""
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

    async def _post(self, url: str, form: Mapping[str, str]) -> Posted:
        """Post once more, as Twilio does, when the first try did not even get a connection."""
        try:
            return await self._post_once(url, form)
        except ClientConnectorError:
            pass
        except (ClientError, TimeoutError):
            return Posted(0, "")
        try:
            return await self._post_once(url, form)
        except (ClientError, TimeoutError):
            return Posted(0, "")

    async def _post_once(self, url: str, form: Mapping[str, str]) -> Posted:
        whole = {**form, "AccountSid": self._account, "ApiVersion": API_VERSION}
        signature = self._validator.compute_signature(url, whole)
        # encoded: what is signed is the address as it was given, so it must leave as it is
        address = URL(url, encoded=True)
        headers = {SIGNATURE: signature, hdrs.USER_AGENT: "TwilioProxy/1.1"}
        async with self._session.post(address, data=whole, headers=headers, allow_redirects=False) as answer:
            body = await answer.content.read(_LONGEST_ANSWER)
            return Posted(answer.status, body.decode(errors="replace"))
