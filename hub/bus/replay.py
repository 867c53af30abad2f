"""Notices made anew from the record, for events whose notices were lost or were told before somebody listened."""

from collections.abc import Sequence

from hub.bus.messages import Notice, notice_of
from hub.records.ports import Records
from hub.records.schedules import schedule_record_of
from hub.scheduling.aggregate import Aggregate
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule_record import ScheduleRecord


async def replayed(records: Records, doctor_id: str, recorded: Sequence[RecordedEvent[Aggregate]]) -> list[Notice]:
    """Return the notices of these events of a doctor; none when there is no such doctor. Raises `StoreUnavailable`."""
    # Read after the events, so it has every change of the schedule up to the last of them.
    schedule_record = await schedule_record_of(records, doctor_id) if recorded else None
    if schedule_record is None:
        return []
    schedule_changes = [each.event.at for each in recorded if isinstance(each.aggregate, ScheduleRecord)]
    active = await records.appointments.active_since([doctor_id], min(schedule_changes)) if schedule_changes else []
    taken = {appointment.start for appointment in active}
    return [notice_of(each, schedule_record, taken) for each in recorded]
