"""Notices of what the record knows, as they were, or would have been, when it happened."""

from collections.abc import Sequence

from hub.bus.messages import Notice, notice_of, timetable_notice_of
from hub.records.ports import Past, Rearranged, Records
from hub.records.timetables import timetable_of


async def retold(records: Records, doctor_id: str, past: Sequence[Past]) -> list[Notice]:
    """Return the notices of these events of a doctor; none when there is no such doctor. Raises `StoreUnavailable`."""
    # Read after the events, so it knows all changes of the timetable up to the last of them.
    timetable = await timetable_of(records, doctor_id) if past else None
    if timetable is None:
        return []
    rearranged = [one.event.at for one in past if isinstance(one, Rearranged)]
    active = await records.appointments.active_since([doctor_id], min(rearranged)) if rearranged else []
    held = {one.start for one in active}
    return [
        timetable_notice_of(timetable, one.event, held)
        if isinstance(one, Rearranged)
        else notice_of(timetable.as_of(one.event.seq), one.event, one.appointment)
        for one in past
    ]
