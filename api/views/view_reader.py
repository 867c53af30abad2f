"""Reads a doctor's view from the record, and brings it to the state of the record."""

from datetime import timedelta

from api.views.doctor_view import BEGINNING, DoctorView
from api.views.entries import Entry
from hub.bus.replay import replayed
from hub.clock import Clock
from hub.records.ports import Records
from hub.records.schedules import schedule_record_of
from hub.scheduling.views import view as view_of

WINDOW = timedelta(days=31)
"""How far back a view reaches when it is read."""


class ViewReader:
    """Both methods raise `StoreUnavailable`."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    async def read(self, doctor_id: str, seq: int) -> DoctorView | None:
        """Read the view of a doctor who had reached the event `seq`; None if there is no such doctor.

        Documents may be from later than `seq`, and what moved during the read may be missing: `catch_up` mends both.
        """
        record = await schedule_record_of(self._records, doctor_id)
        if record is None:
            return None
        begin = self._clock() - WINDOW
        if not await self._records.appointments.any_before(doctor_id, begin):
            begin = BEGINNING  # no appointment is ever booked, or moved, into the past
        view = DoctorView(record.current, record.last.seq if record.history else 0, begin, seq)
        since = begin if begin > BEGINNING else None
        for appointment in await self._records.appointments.starting_since(doctor_id, since):
            view.put(Entry.of(view_of(appointment), appointment.last.seq))
        return view

    async def catch_up(self, view: DoctorView) -> None:
        """Apply the events that the record has after the view's last one, until there are none."""
        doctor_id = view.schedule.id
        while events := await self._records.appointments.events_after(doctor_id, view.seq):
            notices = await replayed(self._records, doctor_id, events)
            if not notices:
                return
            for notice in notices:
                view.apply(notice)
