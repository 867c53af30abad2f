"""Reads pages of appointments from MongoDB."""

from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorCollection

from hub.records.appointment_documents import LONG_AGO, appointment_of
from hub.records.appointment_filter import After, AppointmentFilter
from hub.records.documents import Document
from hub.records.errors import translated
from hub.records.range_scan import RangeScan
from hub.scheduling.appointment import Appointment


class AppointmentPages:
    """Reads pages from the collection `appointments`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def read(self, wanted: AppointmentFilter, limit: int, after: After | None = None) -> list[Appointment]:
        """Return at most `limit` appointments after the position `after`, ordered by (start, id)."""
        if wanted.patient_id is None and wanted.doctor_id is not None:
            return await self._page_of_doctor(wanted.doctor_id, wanted, limit, after)
        pipeline: list[Document] = [
            {"$match": _indexed(wanted, after)},
            {"$sort": {"start": 1, "_id": 1}},
            # A separate stage: in the first $match, the embedded engine would not use the index. MongoDB merges them.
            {"$match": _unindexed(wanted, after)},
            {"$limit": limit},
        ]
        with translated():
            found = await self._collection.aggregate(pipeline).to_list(None)
        return [appointment_of(document) for document in found]

    async def _page_of_doctor(
        self, doctor_id: str, wanted: AppointmentFilter, limit: int, after: After | None
    ) -> list[Appointment]:
        """Return a page of a doctor's appointments, of which there may be many years.

        The embedded engine reads all matches before it sorts and limits. So the page is read in short time ranges.
        """
        first = await self._first_event_at(doctor_id)
        if first is None:
            return []
        found: list[Appointment] = []
        ranges = RangeScan(_lowest(wanted, after), wanted.start_to, first, limit)
        while len(found) < limit and (start := ranges.next(len(found))):
            pipeline = [{"$match": {"doctorId": doctor_id, "start": start}}, {"$match": _unindexed(wanted, after)}]
            with translated():
                found += map(appointment_of, await self._collection.aggregate(pipeline).to_list(None))
        return sorted(found, key=lambda one: (one.start, one.id))[:limit]

    async def _first_event_at(self, doctor_id: str) -> datetime | None:
        """Return the instant of the doctor's first event, or None without any. Few appointments start before it."""
        wanted, fields = {"doctorId": doctor_id, "history.seq": 1}, {"history.seq": 1, "history.at": 1}
        with translated():
            found = await self._collection.find(wanted, fields).to_list(None)
        return next((event["at"] for one in found for event in one["history"] if event["seq"] == 1), None)


def _indexed(wanted: AppointmentFilter, after: After | None) -> Document:
    """Return the conditions that use an index. They exclude schedule records, which have no start."""
    # A patient has fewer appointments than a doctor. With both conditions, the embedded engine uses the doctor's index.
    conditions: Document = {}
    if wanted.patient_id is not None:
        conditions["patientId"] = wanted.patient_id
    elif wanted.doctor_id is not None:
        conditions["doctorId"] = wanted.doctor_id
    bounds = {"$gte": _lowest(wanted, after) or LONG_AGO, "$lt": wanted.start_to}
    conditions["start"] = {operator: bound for operator, bound in bounds.items() if bound is not None}
    return conditions


def _lowest(wanted: AppointmentFilter, after: After | None) -> datetime | None:
    """Return the lowest start that may be on the page."""
    return max((start for start in (wanted.start_from, after and after.start) if start), default=None)


def _unindexed(wanted: AppointmentFilter, after: After | None) -> Document:
    """Return the conditions that use no index."""
    conditions: Document = {}
    if wanted.patient_id is not None and wanted.doctor_id is not None:
        conditions["doctorId"] = wanted.doctor_id
    if wanted.statuses is not None:
        conditions["status"] = {"$in": sorted(wanted.statuses)}
    if after is not None:
        conditions["$or"] = [{"start": {"$gt": after.start}}, {"_id": {"$gt": after.id}}]
    return conditions
