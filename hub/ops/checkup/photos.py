"""A look at the bucket of people's pictures, where there is one: whether it is there and lets us in."""

from botocore.exceptions import BotoCoreError

from hub.ops.checkup.finding import Finding
from hub.records.errors import StoreUnavailable
from hub.records.s3_photos import open_bucket


async def check_photos(url: str) -> Finding:
    """Return what there is to say of the bucket at `s3://bucket/prefix`; changes nothing."""
    try:
        async with open_bucket(url) as photos:
            await photos.ping()
    except (StoreUnavailable, BotoCoreError, ValueError) as error:
        why = str(error) if isinstance(error, StoreUnavailable) else type(error).__name__
        says = (
            f"PHOTO_STORE {url}: {why}. Nobody can upload a picture. Is there such a bucket, and do AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY, AWS_REGION and, if it is not Amazon's, AWS_ENDPOINT_URL lead to it?"
        )
        return Finding("photos", "wrong", says)
    return Finding("photos", "fine", f"The bucket at {url} is there and lets us in.")
