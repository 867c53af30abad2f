"""`sync`: one's own appointments as they are, and how far that is."""

from collections.abc import Sequence
from datetime import timedelta

from api.sockets import asks
from api.sockets.appointments import Answer
from api.sockets.asks import read
from api.sockets.client import Client
from hub.accounts.identity import Identity
from hub.clock import Clock
from hub.records.ports import After, AppointmentFilter, AppointmentRecords, Records
from hub.scheduling.appointment import Appointment
from hub.scheduling.values import Role
from hub.scheduling.views import view

RECENT = timedelta(days=1)
"""The snapshot holds what starts from this long ago on, however it stands."""
_PAGE = 500

Own = dict[str, Appointment]
"""Appointments by id."""


class Syncing:
    """Answers with a snapshot; a client that compares `seq` with its `position` misses nothing, and nothing twice."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._appointments = records.appointments
        self._clock = clock

    async def sync(self, client: Client, args: Sequence[object]) -> Answer:
        """Return the snapshot. `position` maps the id of each doctor in it to the last `seq` that it holds.

        The client has been told its own events since before we read, so no event lies between the two.
        """
        read(asks.Sync, args)  # a client says where it stands; a snapshot is an answer to that, too
        wanted = self._wanted(client.identity)
        position, own = await self._snapshot(client.identity, wanted)
        for doctor_id, seq in position.items():
            position[doctor_id] = await self._lead_on(own, wanted, doctor_id, seq)
        shown = sorted(own.values(), key=lambda appointment: (appointment.start, appointment.id))
        return {
            "mode": "snapshot",
            "appointments": [view(appointment).model_dump(mode="json", by_alias=True) for appointment in shown],
            "position": position,
        }

    def _wanted(self, who: Identity) -> AppointmentFilter:
        since = self._clock() - RECENT
        if who.role is Role.DOCTOR:
            return AppointmentFilter(doctor_id=who.user_id, start_from=since)
        return AppointmentFilter(patient_id=who.user_id, start_from=since)

    async def _snapshot(self, who: Identity, wanted: AppointmentFilter) -> tuple[dict[str, int], Own]:
        """Return where each doctor stood, and the appointments as read after that.

        Whose doctors a patient has is only known afterwards: then where they stand is asked first, and all read again.
        """
        doctors = {who.user_id} if who.role is Role.DOCTOR else set()
        while True:
            stood = {doctor_id: await self._appointments.last_seq(doctor_id) for doctor_id in doctors}
            own = {appointment.id: appointment for appointment in await all_of(self._appointments, wanted)}
            found = {appointment.doctor_id for appointment in own.values()}
            if found <= doctors:
                return stood, own
            doctors |= found

    async def _lead_on(self, own: Own, wanted: AppointmentFilter, doctor_id: str, seq: int) -> int:
        """Bring `own` from `seq`, or whatever later point each read of it saw, to one point; return that one's `seq`.

        An appointment that moved while the pages were read may be on none of them; its move is among these events.
        """
        while events := await self._appointments.happened(doctor_id, seq):
            own |= {past.appointment.id: past.appointment for past in events if _is_wanted(past.appointment, wanted)}
            seq = events[-1].event.seq
        return seq


async def all_of(records: AppointmentRecords, wanted: AppointmentFilter) -> list[Appointment]:
    """Return all appointments that are wanted, ordered by start, read page by page."""
    found: list[Appointment] = []
    after = None
    while page := await records.page(wanted, _PAGE, after):
        found += page
        after = After(page[-1].start, page[-1].id)
    return found


def _is_wanted(appointment: Appointment, wanted: AppointmentFilter) -> bool:
    return (
        wanted.doctor_id in {None, appointment.doctor_id}
        and wanted.patient_id in {None, appointment.patient_id}
        and (wanted.start_from is None or appointment.start >= wanted.start_from)
    )
