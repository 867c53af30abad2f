"""Profile pictures in GridFS: the collections `photos.files` and `photos.chunks`."""

from gridfs.errors import NoFile
from motor.motor_asyncio import AsyncIOMotorDatabase, AsyncIOMotorGridFSBucket

from hub.records.documents import Document
from hub.records.errors import translated


class MongoPhotos:
    """Implements `hub.records.ports.PhotoRecords`."""

    def __init__(self, database: AsyncIOMotorDatabase[Document]) -> None:
        self._bucket = AsyncIOMotorGridFSBucket(database, bucket_name="photos")

    async def put(self, photo_id: str, jpeg: bytes) -> None:
        """Store a new picture."""
        with translated():
            await self._bucket.upload_from_stream_with_id(photo_id, photo_id, jpeg)

    async def get(self, photo_id: str) -> bytes | None:
        """Return the picture."""
        with translated():
            try:
                stream = await self._bucket.open_download_stream(photo_id)
                content: bytes = await stream.read()
            except NoFile:
                return None
        return content

    async def remove(self, photo_id: str) -> None:
        """Delete the picture, if it exists."""
        with translated():
            try:
                await self._bucket.delete(photo_id)
            except NoFile:
                return
