"""Profile pictures in each store: in memory, in the database, and in an S3-compatible bucket."""

from collections.abc import AsyncIterator, Iterator
from random import Random

import pytest
from moto.server import ThreadedMotoServer

from hub.records.errors import StoreUnavailable
from hub.records.memory import MemoryRecords
from hub.records.mongo import MongoRecords
from hub.records.ports import PhotoRecords
from hub.records.s3_photos import BucketPhotos, open_bucket

LARGE = Random(7).randbytes(700_000)
"""Larger than one chunk of GridFS."""


@pytest.fixture(scope="module")
def bucket_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def at_the_bucket(bucket_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Set the environment variables that S3 clients read."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", bucket_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-no-worth")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return bucket_server


@pytest.fixture
async def bucket(at_the_bucket: str) -> AsyncIterator[PhotoRecords]:
    assert at_the_bucket
    async with open_bucket("s3://clinic/photos") as photos:
        await photos._client.create_bucket(Bucket="clinic")
        yield photos


@pytest.fixture(params=["memory", "mongo", "bucket"])
def photos(request: pytest.FixtureRequest) -> PhotoRecords:
    match request.param:
        case "memory":
            return MemoryRecords().photos
        case "mongo":
            mongo = request.getfixturevalue("mongo")
            assert isinstance(mongo, MongoRecords)
            return mongo.photos
        case _:
            bucket = request.getfixturevalue("bucket")
            assert isinstance(bucket, BucketPhotos)
            return bucket


async def test_a_picture_is_read_back_as_it_was_until_it_is_removed(photos: PhotoRecords) -> None:
    await photos.put("first", b"jpeg")
    await photos.put("second", LARGE)

    assert await photos.get("first") == b"jpeg"
    assert await photos.get("second") == LARGE

    await photos.remove("second")

    assert await photos.get("second") is None
    assert await photos.get("first") == b"jpeg"


async def test_a_missing_picture_is_none_and_may_be_deleted(photos: PhotoRecords) -> None:
    assert await photos.get("nothing") is None
    await photos.remove("nothing")


async def test_a_bucket_holds_them_under_its_prefix_as_pictures(at_the_bucket: str) -> None:
    assert at_the_bucket
    async with open_bucket("s3://elsewhere/of/photos/") as photos:
        await photos._client.create_bucket(Bucket="elsewhere")
        await photos.put("first", b"jpeg")
        kept = await photos._client.get_object(Bucket="elsewhere", Key="of/photos/first.jpg")
        assert kept["ContentType"] == "image/jpeg"


async def test_a_bucket_that_is_missing_or_does_not_answer_is_an_unavailable_store(
    at_the_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert at_the_bucket
    async with open_bucket("s3://nobodys") as photos:
        with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
            await photos.put("first", b"jpeg")
        with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
            await photos.get("first")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    async with open_bucket("s3://clinic") as photos:
        with pytest.raises(StoreUnavailable, match="EndpointConnectionError"):
            await photos.get("first")
