"""`clinic-hub check` and the bucket of photos: existing, missing, unreachable, and without credentials."""

import pytest

from hub.ops.checkup.check import check
from hub.ops.checkup.photos import check_photos
from hub.records.s3_photos import open_bucket
from tests.contracts.test_photos import at_the_bucket, bucket_server

__all__ = ["at_the_bucket", "bucket_server"]


@pytest.mark.usefixtures("at_the_bucket")
async def test_an_existing_bucket_is_fine_and_a_missing_one_is_reported() -> None:
    async with open_bucket("s3://checked") as photos:
        await photos._client.create_bucket(Bucket="checked")
    assert (await check_photos("s3://checked/photos")).grade == "fine"
    missing = await check_photos("s3://not-there/photos")
    assert missing.grade == "wrong"
    assert "the bucket does not exist" in missing.says


@pytest.mark.usefixtures("at_the_bucket")
async def test_the_whole_check_includes_the_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTO_STORE", "s3://not-there")
    (said,) = [finding for finding in await check() if finding.part == "photos"]
    assert (said.grade, "PHOTO_STORE" in said.says) == ("wrong", True)


async def test_a_missing_server_or_missing_credentials_are_reported_without_a_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    nowhere = await check_photos("s3://clinic")
    assert (nowhere.grade, "does not answer" in nowhere.says, "hunter2" in nowhere.says) == ("wrong", True, False)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    nobody = await check_photos("s3://clinic")
    assert (nobody.grade, "AWS_ACCESS_KEY_ID" in nobody.says) == ("wrong", True)
