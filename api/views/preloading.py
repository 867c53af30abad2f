"""Reads the views of doctors when a process starts.

Otherwise the first readers after a start or a deployment would all wait at once for the database, which reads the views
of all their doctors at the same time.
"""

import asyncio

from api.views.view_store import ViewStore
from hub.records.errors import StoreUnavailable
from hub.records.ports import Records

_MOST = 100
"""Doctors whose views are read. Nobody may ask for most of those of a large clinic."""
_RETRY_AFTER = 1.0
"""Seconds until the database is asked again when it does not answer."""


async def preload(views: ViewStore, records: Records, retry_after: float = _RETRY_AFTER) -> None:
    """Read one view after the other, so that requests hardly wait meanwhile, until half of the budget is taken.

    A view that somebody asks for is read at once. Views that nobody uses are dropped later, like all others.
    """
    while True:
        try:
            for doctor_id in (await records.users.doctor_ids())[:_MOST]:
                if not views.half_empty:
                    return
                await views.doctor(doctor_id)
        except StoreUnavailable:
            await asyncio.sleep(retry_after)
        else:
            return
