"""The collection `day_plans`: what requests to move or cancel a doctor's day set out to do. They expire."""

import asyncio

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo.errors import DuplicateKeyError

from hub.records.documents import Document, from_document, to_document
from hub.records.errors import StoreUnavailable, translated
from hub.scheduling.day_change import DayPlan

_ATTEMPTS = 50
_PAUSE = 0.02
"""Seconds between two attempts to read what another request has written."""


class MongoDayPlans:
    """Implements `hub.records.ports.DayPlanRecords`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def by_id(self, plan_id: str) -> DayPlan | None:
        """Return the plan."""
        with translated():
            found = await self._collection.find_one({"_id": plan_id})
        return from_document(DayPlan, found) if found else None

    async def keep(self, plan: DayPlan) -> DayPlan:
        """Store the plan unless there is one with its id; return the stored one."""
        with translated():
            try:
                await self._collection.insert_one(to_document(plan))
            except DuplicateKeyError:
                return await self._other(plan.id)
        return plan

    async def _other(self, plan_id: str) -> DayPlan:
        """Return the plan that another request has written. A majority read may show it a little later."""
        for _ in range(_ATTEMPTS):
            if (found := await self.by_id(plan_id)) is not None:
                return found
            await asyncio.sleep(_PAUSE)
        raise StoreUnavailable("a plan that another request wrote is not acknowledged by a majority yet")
