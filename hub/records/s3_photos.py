"""Profile pictures in an S3-compatible bucket, instead of in the database.

The credentials and the endpoint come from the usual environment variables of S3 clients: AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL.
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
_EXPLANATIONS = {"404": "404, the bucket does not exist", "403": "403, access denied"}
# Two attempts of at most 5 seconds each, because a user waits for the picture.
_TIMEOUTS = {"connect_timeout": 2, "read_timeout": 5, "retries": {"total_max_attempts": 2, "mode": "standard"}}


class BucketPhotos:
    """Implements `hub.records.ports.PhotoRecords`."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    async def ping(self) -> None:
        """Check that the bucket exists and is accessible. Raises `StoreUnavailable` with the reason if not."""
        with _translated():
            await self._client.head_bucket(Bucket=self._bucket)

    async def put(self, photo_id: str, jpeg: bytes) -> None:
        """Store a new picture."""
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
        """Delete the picture, if it exists."""
        with _translated():
            await self._client.delete_object(**self._at(photo_id))

    def _at(self, photo_id: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}{photo_id}.jpg"}


@asynccontextmanager
async def open_bucket(url: str) -> AsyncIterator[BucketPhotos]:
    """Yield the picture store at `s3://bucket/prefix`. It connects at the first call."""
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    async with get_session().create_client("s3", config=AioConfig(**_TIMEOUTS)) as client:
        yield BucketPhotos(client, bucket, f"{prefix.rstrip('/')}/" if prefix else "")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise StoreUnavailable(
            f"the bucket refused the request: {_EXPLANATIONS.get(_code(error), _code(error))}"
        ) from None
    except (BotoCoreError, ConnectionBroken, TimeoutError) as error:
        # Only the error's type: messages of this library quote addresses and headers.
        raise StoreUnavailable(f"the bucket does not answer: {type(error).__name__}") from None


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
