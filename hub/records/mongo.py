"""The record in MongoDB."""

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ReadPreference
from pymongo.errors import PyMongoError

from hub.records import indexes, server
from hub.records.access_log import MongoAccessLog
from hub.records.appointments import MongoAppointments
from hub.records.attempts import MongoAttempts
from hub.records.codes import MongoCodes
from hub.records.day_plans import MongoDayPlans
from hub.records.documents import Document
from hub.records.errors import translated
from hub.records.inbound_messages import MongoInboundTexts, MongoLineHalts, MongoOptOuts
from hub.records.photos import MongoPhotos
from hub.records.presence import MongoPresence
from hub.records.sessions import MongoSessions
from hub.records.sign_ups import MongoSignUps
from hub.records.texts import MongoTextPositions, MongoTexts
from hub.records.users import MongoUsers
from hub.records.waitlist import MongoWaitlist

_PING_TIMEOUT = 2.0


def connect(url: str) -> "MongoRecords":
    """Return the record at a MongoDB URL. If the URL names no database, it is `clinic`.

    It connects at the first call. Raises ValueError if the URL is not a MongoDB URL.
    """
    try:
        return MongoRecords(
            AsyncIOMotorClient(
                url,
                appname="clinic-hub",
                tz_aware=True,
                uuidRepresentation="standard",
                # An acknowledged write survives the loss of a server, and only acknowledged data is read. Otherwise
                # a read could see a write that is rolled back later, and a command be reported as applied.
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
        # Set here, because the URL may name another one. A secondary returns old data, and refusals rely on reads.
        self._database = client.get_default_database("clinic", read_preference=ReadPreference.PRIMARY)
        self.appointments = MongoAppointments(self._database["appointments"])
        self.waitlist = MongoWaitlist(self._database["appointments"])
        self.users = MongoUsers(self._database["users"])
        self.sessions = MongoSessions(self._database["sessions"])
        self.texts = MongoTexts(self._database["texts"])
        self.text_positions = MongoTextPositions(self._database["text_positions"])
        self.inbound_texts = MongoInboundTexts(self._database["inbound_texts"])
        self.opt_outs = MongoOptOuts(self._database["opt_outs"])
        self.line_halts = MongoLineHalts(self._database["line_halts"])
        self.attempts = MongoAttempts(self._database["attempts"])
        self.access_log = MongoAccessLog(self._database["access_log"])
        self.codes = MongoCodes(self._database["codes"])
        self.sign_ups = MongoSignUps(self._database["sign_ups"])
        self.day_plans = MongoDayPlans(self._database["day_plans"])
        self.presence = MongoPresence(self._database["presence"])
        self.photos = MongoPhotos(self._database)

    async def prepare_fences(self) -> None:
        """Create the unique indexes. Raises `BrokenRecord` if the stored data violates one of them."""
        await self._make_indexes(fences_only=True)

    async def prepare(self) -> None:
        """Create all indexes."""
        await self._make_indexes(fences_only=False)

    async def _make_indexes(self, *, fences_only: bool) -> None:
        asked = await self.server()
        server.refuse_too_old(asked)
        await indexes.make(self._database, fences_only=fences_only, commit_quorum=asked.takes_commit_quorum)

    async def server(self) -> server.Server:
        """Return the properties of the server."""
        with translated(_PING_TIMEOUT):
            return await server.ask(self._client)

    async def missing_indexes(self) -> list[tuple[str, str]]:
        """Return the (collection, name) of each index that is missing or has another definition."""
        with translated():
            return await indexes.missing(self._database)

    async def ping(self) -> None:
        """Check that the database answers. Raises `StoreUnavailable`."""
        with translated(_PING_TIMEOUT):
            await self._client.admin.command("ping")

    async def close(self) -> None:
        """Close the connections."""
        self._client.close()
