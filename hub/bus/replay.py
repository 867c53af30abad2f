"""Notices of what the record knows, as they were, or would have been, when it happened."""

from collections.abc import Sequence

from hub.bus.messages import Notice, notice_of, schedule_notice_of
from hub.records.ports import Records
from hub.records.schedules import schedule_record_of
from hub.scheduling.recorded_event import Past, Rearranged


async def retold(records: Records, doctor_id: str, past: Sequence[Past]) -> list[Notice]:
    """Return the notices of these events of a doctor; none when there is no such doctor. Raises `StoreUnavailable`."""
    # Read after the events, so it knows all changes of the timetable up to the last of them.
    schedule_record = await schedule_record_of(records, doctor_id) if past else None
    if schedule_record is None:
        return []
    rearranged = [one.event.at for one in past if isinstance(one, Rearranged)]
    active = await records.appointments.active_since([doctor_id], min(rearranged)) if rearranged else []
    held = {one.start for one in active}
    return [
        schedule_notice_of(schedule_record, one.event, held)
        if isinstance(one, Rearranged)
        else notice_of(schedule_record.as_of(one.event.seq), one.event, one.appointment)
        for one in past
    ]
