"""Checks whether the S3 bucket of the users' photos exists and is accessible."""

from botocore.exceptions import BotoCoreError

from hub.ops.checkup.finding import Finding
from hub.records.errors import StoreUnavailable
from hub.records.s3_photos import open_bucket


async def check_photos(url: str) -> Finding:
    """Return the finding for the bucket at `s3://bucket/prefix`; changes nothing."""
    try:
        async with open_bucket(url) as photos:
            await photos.ping()
    except (StoreUnavailable, BotoCoreError, ValueError) as error:
        why = str(error) if isinstance(error, StoreUnavailable) else type(error).__name__
        says = (
            f"PHOTO_STORE {url}: {why}. Photos cannot be uploaded. Does the bucket exist, and are AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY, AWS_REGION and, outside Amazon, AWS_ENDPOINT_URL right?"
        )
        return Finding("photos", "wrong", says)
    return Finding("photos", "fine", f"The bucket at {url} exists and is accessible.")
