"""Reads the views of doctors when a process starts.

Otherwise the first readers after a start or a deployment would all wait at once for the database, which reads the views
of all their doctors at the same time.
"""

import asyncio
from collections.abc import Collection
from contextlib import suppress

import structlog

from api.views.view_store import MOST_TOGETHER, ViewStore
from hub.records.errors import BrokenRecord, DatabaseRefuses, StoreUnavailable
from hub.records.ports import Records

log = structlog.get_logger(__name__)
_AGAIN_AFTER = 1.0
"""Seconds between two looks for views that were missed."""
_RETRY_AFTER = 1.0
"""Seconds until the database is asked again when it does not answer."""


async def keep_loaded(views: ViewStore, records: Records, again_after: float = _AGAIN_AFTER) -> None:
    """Read the views of all doctors, and then for ever those that patients' lists have missed: new or dropped ones."""
    await preload(views, records)
    while True:
        await asyncio.sleep(again_after)
        with suppress(StoreUnavailable):  # they are missed again
            await _read(views, views.take_missed())


async def preload(views: ViewStore, records: Records, retry_after: float = _RETRY_AFTER) -> None:
    """Read one view after the other, so that requests hardly wait meanwhile, until half of the budget is taken.

    A view that somebody asks for is read at once. Views that nobody uses are dropped later, like all others.
    """
    while True:
        try:
            await _read(views, await records.users.doctor_ids())
        except StoreUnavailable:
            await asyncio.sleep(retry_after)
        else:
            return


async def _read(views: ViewStore, doctor_ids: Collection[str]) -> None:
    for doctor_id in list(doctor_ids)[:MOST_TOGETHER]:
        if not views.half_empty:
            return
        try:
            await views.doctor(doctor_id)
        except DatabaseRefuses:
            raise
        except BrokenRecord:  # who asks for this doctor is told; the others can be served
            log.exception("view_not_read", doctor_id=doctor_id)
