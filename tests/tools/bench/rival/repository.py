"""The database, by Motor. Collections: `users`, `appointments`, and the `jobs` of `jobs.py`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from hub.clock import system_clock
from tests.tools.bench.rival.models import ACTIVE, Appointment, Filter, Status
from tests.tools.bench.rival.problems import Problem

Document = dict[str, Any]

_SLOT = [("doctorId", ASCENDING), ("start", ASCENDING)]


class Repository:
    """Reads and writes accounts and appointments."""

    def __init__(self, url: str) -> None:
        self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(url, tz_aware=True)
        database = self._client.get_default_database()
        self.users = database["users"]
        self.appointments = database["appointments"]

    async def prepare(self) -> None:
        """Create the indexes that are missing."""
        await self.users.create_indexes([IndexModel([("email", ASCENDING)], unique=True)])
        await self.appointments.create_indexes(
            [
                IndexModel(
                    _SLOT,
                    name="one_active_per_slot",
                    unique=True,
                    partialFilterExpression={"status": {"$in": list(ACTIVE)}},
                ),
                IndexModel(_SLOT, name="of_doctor"),
                IndexModel([("patientId", ASCENDING), ("start", ASCENDING)], name="of_patient"),
            ]
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    async def user_by_email(self, email: str) -> Document | None:
        """Return the account with this e-mail address."""
        return await self.users.find_one({"email": email})

    async def user(self, user_id: str) -> Document | None:
        """Return an account."""
        return await self.users.find_one({"_id": user_id})

    async def doctors(self) -> list[Document]:
        """Return all doctors by name."""
        return await self.users.find({"role": "doctor"}).sort("name", ASCENDING).to_list(None)

    async def add(
        self, doctor_id: str, patient_id: str, start: datetime, end: datetime, reason: str | None
    ) -> Document:
        """Add an appointment. Raises `Problem` when the unique index has an active one of this slot."""
        document: Document = {
            "_id": str(ObjectId()),
            "doctorId": doctor_id,
            "patientId": patient_id,
            "start": start,
            "end": end,
            "status": Status.SCHEDULED,
            "version": 1,
            "reason": reason,
            "createdAt": system_clock(),
        }
        try:
            await self.appointments.insert_one(document)
        except DuplicateKeyError:
            raise _slot_taken() from None
        return document

    async def appointment(self, appointment_id: str) -> Document | None:
        """Return an appointment."""
        return await self.appointments.find_one({"_id": appointment_id})

    async def change(self, document: Document, changes: Mapping[str, Any]) -> Document:
        """Change an appointment that was read before. Raises `Problem` when somebody else changed it meanwhile.

        Not `find_one_and_update`: the embedded database reads its whole collection for that (0.8 s with 30,000
        documents), and an update by `_id` in the time of one read.
        """
        unchanged = {"_id": document["_id"], "version": document["version"]}
        now = {**document, **changes, "version": document["version"] + 1}
        try:
            result = await self.appointments.update_one(unchanged, {"$set": {**changes, "version": now["version"]}})
        except DuplicateKeyError:
            raise _slot_taken() from None
        if not result.matched_count:
            raise Problem("wrong_status", "The appointment was changed meanwhile.")
        return now

    async def find(self, owner: Mapping[str, str], wanted: Filter) -> list[Document]:
        """Return the appointments of a doctor or a patient by start."""
        query: Document = dict(owner)
        if wanted.status:
            query["status"] = wanted.status[0] if len(wanted.status) == 1 else {"$in": wanted.status}
        if wanted.begin or wanted.end:
            bounds = {"$gte": wanted.begin, "$lt": wanted.end}
            query["start"] = {operator: bound for operator, bound in bounds.items() if bound}
        return await self.appointments.find(query).sort("start", ASCENDING).limit(wanted.limit).to_list(None)

    async def taken(self, doctor_id: str, begin: datetime, end: datetime) -> set[datetime]:
        """Return the starts of a doctor's active appointments.

        The status is compared here: with `$in` in the query, the embedded database does not use the index.
        """
        of_day = {"doctorId": doctor_id, "start": {"$gte": begin, "$lt": end}}
        found = await self.appointments.find(of_day, {"_id": False, "start": True, "status": True}).to_list(None)
        return {document["start"] for document in found if document["status"] in ACTIVE}


def shown(document: Document) -> Appointment:
    """Return an appointment as clients see it. What the database holds was validated when it was written."""
    return Appointment.model_construct(
        id=document["_id"],
        doctor_id=document["doctorId"],
        patient_id=document["patientId"],
        start=document["start"],
        end=document["end"],
        status=Status(document["status"]),
        version=document["version"],
        reason=document["reason"],
        created_at=document["createdAt"],
    )


def _slot_taken() -> Problem:
    return Problem("slot_taken", "Somebody else has this slot.")
