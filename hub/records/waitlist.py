"""The waitlist in the collection `appointments`: entries, and appointments that were offered."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorCollection

from hub.records.appointment_documents import appointment_of, entry_of, offer_of
from hub.records.chunks import chunked
from hub.records.documents import Document
from hub.records.errors import translated
from hub.scheduling.appointment import Appointment
from hub.scheduling.waitlist_entry import WaitlistEntry


class MongoWaitlist:
    """Implements `hub.records.ports.WaitlistRecords`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def by_ids(self, ids: Collection[str]) -> dict[str, WaitlistEntry]:
        """Return the entries that exist among the ids, by id."""
        found = [one for part in chunked(ids) for one in await self._find({"_id": {"$in": part}})]
        return {one["_id"]: entry_of(one) for one in found if "waiter" in one}

    async def line(self, doctor_id: str) -> list[WaitlistEntry]:
        """Return the waiting entries of a doctor, the first in the line first."""
        entries = map(entry_of, await self._find({"lineOf": doctor_id}))
        return sorted(entries, key=lambda each: each.joined_seq)

    async def places(self, doctor_ids: Collection[str]) -> dict[str, int]:
        """Return the place of each waiting entry of these doctors in its line, by entry."""
        waiting: dict[str, list[tuple[int, str]]] = defaultdict(list)
        fields = ("lineOf", "history.seq")
        for one in await self._find({"lineOf": {"$in": list(doctor_ids)}}, *fields):
            waiting[one["lineOf"]].append((one["history"][0]["seq"], one["_id"]))
        return {
            entry_id: place for line in waiting.values() for place, (_, entry_id) in enumerate(sorted(line), start=1)
        }

    async def offers(self, doctor_id: str, since: datetime) -> list[Appointment]:
        """Return the appointments of a doctor that were offered and start at `since` or later."""
        # "~" follows everything that a start has.
        wanted = {"offerOf": {"$gte": offer_of(doctor_id, since), "$lte": f"{doctor_id} ~"}}
        return [appointment_of(document) for document in await self._find(wanted)]

    async def of_patient(self, patient_id: str) -> list[WaitlistEntry]:
        """Return the entries of a patient, the oldest first."""
        entries = map(entry_of, await self._find({"waiter": patient_id}))
        return sorted(entries, key=lambda each: (each.created_at, each.id))

    async def waiting_patients(self) -> set[str]:
        """Return the patients who wait for any doctor."""
        # A lower bound, so that the index is used.
        return {one["waiter"] for one in await self._find({"lineOf": {"$gte": ""}}, "waiter")}

    async def awaited_doctors(self, patient_ids: Collection[str] | None = None) -> set[str]:
        """Return the doctors for whom these patients wait, or anybody."""
        if patient_ids is None:
            # A lower bound, so that the index is used.
            return {one["lineOf"] for one in await self._find({"lineOf": {"$gte": ""}}, "lineOf")}
        found = [one for part in chunked(patient_ids) for one in await self._find({"waiter": {"$in": part}}, "lineOf")]
        return {one["lineOf"] for one in found if "lineOf" in one}

    async def doctors_of(self, patient_ids: Collection[str]) -> dict[str, set[str]]:
        """Return the doctors for whom each patient waits or has waited."""
        found: dict[str, set[str]] = {}
        for part in chunked(patient_ids):
            for one in await self._find({"waiter": {"$in": part}}, "waiter", "doctorId"):
                found.setdefault(one["waiter"], set()).add(one["doctorId"])
        return found

    async def asked(self, patient_ids: Collection[str]) -> set[str]:
        """Return those of the patients who have an open offer, of any doctor."""
        found = [
            one for part in chunked(patient_ids) for one in await self._find({"offeredTo": {"$in": part}}, "offeredTo")
        ]
        return {one["offeredTo"] for one in found}

    async def _find(self, wanted: Document, *fields: str) -> list[Document]:
        with translated():
            return await self._collection.find(wanted, dict.fromkeys(fields, 1) or None).to_list(None)
