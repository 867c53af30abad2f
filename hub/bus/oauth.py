"""Tokens for Kafka by OAuth 2.0, client credentials (RFC 6749, section 4.4)."""

import time
from typing import Any

import aiohttp
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError

_TIMEOUT = 5.0
"""Seconds for one request."""
_RENEWED_AFTER = 0.8
"""The part of a token's life after which it is fetched anew."""
_SHORTEST_LIFE = 60.0
"""Seconds that a token is taken to live whose endpoint does not say how long it does."""


class ClientCredentials(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka has no types
    """Fetches a token and keeps it for most of its life. Clients in several threads and event loops may share it."""

    def __init__(self, url: str, client_id: str, secret: str, scope: str | None) -> None:
        self._url = url
        self._auth = aiohttp.encode_basic_auth(client_id, secret)
        self._form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
        self._token, self._until = "", 0.0

    async def token(self) -> str:
        """Return a valid token. Raises `KafkaConnectionError`, which clients treat as a broker that is not there."""
        if time.monotonic() >= self._until:
            asked = time.monotonic()
            answer = await self._ask()
            life = float(answer.get("expires_in") or _SHORTEST_LIFE)
            self._token, self._until = str(answer["access_token"]), asked + life * _RENEWED_AFTER
        return self._token

    async def _ask(self) -> dict[str, Any]:
        where = f"KAFKA_TOKEN_URL {self._url}"
        timeout, headers = aiohttp.ClientTimeout(total=_TIMEOUT), {"Authorization": self._auth}
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers, trust_env=True) as client,
                client.post(self._url, data=self._form) as response,
            ):
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise KafkaConnectionError(f"{where} gave no token: {type(error).__name__} {error}") from None
        if not response.ok or not isinstance(answer, dict) or "access_token" not in answer:
            reason = answer.get("error", "") if isinstance(answer, dict) else ""
            raise KafkaConnectionError(f"{where} gave no token: status {response.status} {reason}".rstrip())
        return answer
