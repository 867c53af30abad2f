"""Doctors who leave the clinic, and come back: said on the command line, true for booking from the write on.

It is written into the record itself, with the doctor's next `seq` and behind the same fences as what the doctor's actor
writes. So it needs neither broker nor agents, and an actor that does not know of it yet meets the fence with its next
booking, reads the doctor again, and refuses.
"""

from dataclasses import dataclass

from hub.clock import Clock
from hub.ids import new_id
from hub.records.errors import StoreUnavailable
from hub.records.ports import Records, Saved
from hub.records.schedules import schedule_record_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import DisableDoctor, EnableDoctor, ScheduleChange
from hub.scheduling.decide import decide
from hub.scheduling.decision import Arranged, Refused
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.schedule_record import rearrange
from hub.scheduling.values import Actor, Role

_CLINIC = Actor(id="clinic", role=Role.SYSTEM, via="cli")
_ATTEMPTS = 20
"""Each but the last met somebody else's write for the same doctor, between our read and our write."""


@dataclass(frozen=True)
class Left:
    """What a doctor leaves behind: log-ins that have been ended, and active appointments to come, which stay."""

    log_ins: int
    ahead: list[Appointment]


async def disable(records: Records, doctor_id: str, clock: Clock) -> Left | Refused:
    """Let the doctor take no new appointments, and end every log-in. Raises `StoreUnavailable`.

    The api processes find the ended log-ins in the record, within two seconds. A doctor who is disabled already is
    signed out all the same: an earlier attempt may have come only half-way.
    """
    command = DisableDoctor(id=new_id(), doctor_id=doctor_id, by=_CLINIC, at=clock())
    schedule_record = await schedule_record_of(records, doctor_id)
    if schedule_record is None or not schedule_record.doctor.disabled:
        refused = await _enter(records, command, clock)
        if refused:
            return refused
    log_ins = await records.sessions.revoke_all(doctor_id, clock())
    return Left(len(log_ins), await records.appointments.active_since([doctor_id], clock()))


async def enable(records: Records, doctor_id: str, clock: Clock) -> Refused | None:
    """Let the doctor take appointments and log in again. Raises `StoreUnavailable`."""
    command = EnableDoctor(id=new_id(), doctor_id=doctor_id, by=_CLINIC, at=clock())
    return await _enter(records, command, clock)


async def _enter(records: Records, command: ScheduleChange, clock: Clock) -> Refused | None:
    """Decide a change of a timetable by the record as it is, and write it there."""
    for _ in range(_ATTEMPTS):
        seq = await records.appointments.last_seq(command.doctor_id)  # before the timetable, as the actor does
        schedule_record = await schedule_record_of(records, command.doctor_id)
        if schedule_record is None:
            raise LookupError(f"{command.doctor_id} is no doctor")
        calendar = DoctorState(schedule_record=schedule_record, seq=seq, slot_owners={}, appointments={})
        decision = decide(calendar, command, clock())
        if isinstance(decision, Refused):
            return decision
        if not isinstance(decision, Arranged):
            return None  # written by an attempt whose acknowledgement was lost
        if isinstance(await records.appointments.save([rearrange(schedule_record, decision.event)]), Saved):
            return None
    raise StoreUnavailable(f"others wrote for this doctor during each of {_ATTEMPTS} attempts")
