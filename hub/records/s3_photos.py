"""The pictures of people in a bucket that speaks S3's protocol, instead of in the database.

Who may use it, and where it is if not at Amazon, comes from the usual variables of that protocol's clients:
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from aiohttp import ClientError as ConnectionBroken
from botocore.exceptions import BotoCoreError, ClientError

from hub.records.errors import StoreUnavailable

_MISSING = {"NoSuchKey", "404"}
_SAID = {"404": "404, there is none of this name", "403": "403, it does not let us in"}
# Two tries of at most five seconds each: somebody waits for the picture.
_PATIENCE = {"connect_timeout": 2, "read_timeout": 5, "retries": {"total_max_attempts": 2, "mode": "standard"}}


class BucketPhotos:
    """Implements `hub.records.ports.PhotoRecords`."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    async def ping(self) -> None:
        """Return when the bucket is there and lets us in. Raises `StoreUnavailable`, which says why it does not."""
        with _translated():
            await self._client.head_bucket(Bucket=self._bucket)

    async def put(self, photo_id: str, jpeg: bytes) -> None:
        """Write a new picture."""
        with _translated():
            await self._client.put_object(**self._at(photo_id), Body=jpeg, ContentType="image/jpeg")

    async def get(self, photo_id: str) -> bytes | None:
        """Return the picture."""
        with _translated():
            try:
                found = await self._client.get_object(**self._at(photo_id))
            except ClientError as error:
                if _code(error) in _MISSING:
                    return None
                raise
            async with found["Body"] as stream:
                content: bytes = await stream.read()
        return content

    async def remove(self, photo_id: str) -> None:
        """Remove the picture, if there is one."""
        with _translated():
            await self._client.delete_object(**self._at(photo_id))

    def _at(self, photo_id: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}{photo_id}.jpg"}


@asynccontextmanager
async def open_bucket(url: str) -> AsyncIterator[BucketPhotos]:
    """Give the store at `s3://bucket/prefix`. Connects at the first call, not here."""
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    async with get_session().create_client("s3", config=AioConfig(**_PATIENCE)) as client:
        yield BucketPhotos(client, bucket, f"{prefix.rstrip('/')}/" if prefix else "")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise StoreUnavailable(f"the bucket did not do it: {_SAID.get(_code(error), _code(error))}") from None
    except (BotoCoreError, ConnectionBroken, TimeoutError) as error:
        # Its type alone: texts of this library quote addresses and headers.
        raise StoreUnavailable(f"the bucket does not answer: {type(error).__name__}") from None


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
