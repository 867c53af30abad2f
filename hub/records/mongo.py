"""MongoDB, the real store."""

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ReadPreference
from pymongo.errors import PyMongoError

from hub.records import indexes, server
from hub.records.appointments import MongoAppointments
from hub.records.attempts import MongoAttempts
from hub.records.documents import Document
from hub.records.errors import translated
from hub.records.inbound_messages import MongoInboundTexts, MongoLineHalts, MongoOptOuts
from hub.records.photos import MongoPhotos
from hub.records.sessions import MongoSessions
from hub.records.texts import MongoTextPositions, MongoTexts
from hub.records.users import MongoUsers

_PING_WITHIN = 2.0


def connect(url: str) -> "MongoRecords":
    """Return the store at a MongoDB URL; the database is the one that the URL names, else `clinic`.

    Connects at the first call, not here. Raises ValueError when the URL cannot be one of MongoDB.
    """
    try:
        return MongoRecords(
            AsyncIOMotorClient(
                url,
                appname="clinic-hub",
                tz_aware=True,
                uuidRepresentation="standard",
                # What has been acknowledged survives the loss of a server, and what is read has been acknowledged:
                # an answer "applied already" from a write that is rolled back later would be a promise broken.
                w="majority",
                journal=True,
                readConcernLevel="majority",
                serverSelectionTimeoutMS=3000,
                connectTimeoutMS=2000,
            )
        )
    except (PyMongoError, ValueError) as error:
        raise ValueError(f"this is not the URL of a MongoDB database: {error}") from None


class MongoRecords:
    """Implements `hub.records.ports.Records`."""

    def __init__(self, client: AsyncIOMotorClient[Document]) -> None:
        self._client = client
        # Named here, for a URL may say another one: what is read from a secondary is old, and refusals lean on reads.
        self._database = client.get_default_database("clinic", read_preference=ReadPreference.PRIMARY)
        self.appointments = MongoAppointments(self._database["appointments"])
        self.users = MongoUsers(self._database["users"])
        self.sessions = MongoSessions(self._database["sessions"])
        self.texts = MongoTexts(self._database["texts"])
        self.text_positions = MongoTextPositions(self._database["text_positions"])
        self.inbound_texts = MongoInboundTexts(self._database["inbound_texts"])
        self.opt_outs = MongoOptOuts(self._database["opt_outs"])
        self.line_halts = MongoLineHalts(self._database["line_halts"])
        self.attempts = MongoAttempts(self._database["attempts"])
        self.photos = MongoPhotos(self._database)

    async def prepare_fences(self) -> None:
        """Make the unique indexes. Raises `BrokenRecord` when what is stored breaks a rule that one of them keeps."""
        await self._make_indexes(fences_only=True)

    async def prepare(self) -> None:
        """Make all indexes."""
        await self._make_indexes(fences_only=False)

    async def _make_indexes(self, *, fences_only: bool) -> None:
        asked = await self.server()
        server.refuse_too_old(asked)
        await indexes.make(self._database, fences_only=fences_only, commit_quorum=asked.takes_commit_quorum)

    async def server(self) -> server.Server:
        """Return what the server says of itself."""
        with translated(_PING_WITHIN):
            return await server.ask(self._client)

    async def missing_indexes(self) -> list[tuple[str, str]]:
        """Return the (collection, name) of each index of ours that is not there, or is another than ours."""
        with translated():
            return await indexes.missing(self._database)

    async def ping(self) -> None:
        """Return when the database answers."""
        with translated(_PING_WITHIN):
            await self._client.admin.command("ping")

    async def close(self) -> None:
        """Let go of the connections."""
        self._client.close()
