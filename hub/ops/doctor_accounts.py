"""Creates, disables and enables the accounts of doctors. Doctors cannot sign up themselves.

Disabling and enabling are written directly into the record, with the doctor's next `seq` and under the same fences as
the writes of the doctor's actor. So they need neither broker nor agents. An actor that does not know of the change
meets the fence with its next booking, reads the doctor again, and refuses.
"""

from dataclasses import dataclass
from datetime import datetime

from hub.accounts.account import Account
from hub.accounts.calendar_links import end_calendar_link
from hub.accounts.fields import Email, Name, Phone, Specialty
from hub.accounts.passwords import hash_password
from hub.accounts.ports import Unique, UserRecords
from hub.clock import Clock
from hub.ids import new_id, new_secret
from hub.records.errors import StoreUnavailable
from hub.records.ports import Records, Saved
from hub.records.schedules import schedule_record_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import DisableDoctor, EnableDoctor, ScheduleChange
from hub.scheduling.decide import decide
from hub.scheduling.decision import Accepted, Refused
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.schedule import Schedule, WeeklyHours, ZoneName
from hub.scheduling.values import Actor, Role, Value

_CLINIC = Actor(id="clinic", role=Role.SYSTEM, via="cli")
_ATTEMPTS = 20
"""An attempt fails when another process writes for the same doctor between the read and the write."""


class NewDoctor(Value):
    """The data of a doctor's new account."""

    name: Name
    email: Email
    phone: Phone | None
    zone: ZoneName
    specialty: Specialty | None
    shifts: WeeklyHours


@dataclass(frozen=True)
class Disabled:
    """The result of disabling: the number of ended sessions, and the future appointments, which stay booked."""

    ended_sessions: int
    appointments: list[Appointment]


async def create_doctor(
    users: UserRecords, doctor: NewDoctor, now: datetime, bcrypt_rounds: int
) -> tuple[Account, str] | Unique:
    """Create the account; return it with its first password, or the field that another account already has.

    Raises `StoreUnavailable`.
    """
    password, id_ = new_secret()[:20], new_id()
    account = Account(
        id=id_,
        role="doctor",
        name=doctor.name,
        email=doctor.email,
        phone=doctor.phone,
        password_hash=await hash_password(password, bcrypt_rounds),
        created_at=now,
        specialty=doctor.specialty,
        schedule=Schedule(id=id_, zone=doctor.zone, shifts=doctor.shifts),
    )
    return await users.add([account]) or (account, password)


async def disable(records: Records, doctor_id: str, clock: Clock) -> Disabled | Refused:
    """Refuse new appointments of the doctor; end all sessions and the calendar's private link.

    Raises `StoreUnavailable`.

    The api processes read the ended sessions from the record within two seconds. The sessions of a doctor who is
    disabled already are ended too: an earlier attempt may have failed half-way.
    """
    command = DisableDoctor(id=new_id(), doctor_id=doctor_id, by=_CLINIC, at=clock())
    schedule_record = await schedule_record_of(records, doctor_id)
    if schedule_record is None or not schedule_record.current.disabled:
        refused = await _write(records, command, clock)
        if refused:
            return refused
    sessions = await records.sessions.revoke_all(doctor_id, clock())
    await end_calendar_link(records.users, doctor_id)
    return Disabled(len(sessions), await records.appointments.active_since([doctor_id], clock()))


async def enable(records: Records, doctor_id: str, clock: Clock) -> Refused | None:
    """Accept new appointments of the doctor and allow log-ins again. Raises `StoreUnavailable`."""
    command = EnableDoctor(id=new_id(), doctor_id=doctor_id, by=_CLINIC, at=clock())
    return await _write(records, command, clock)


async def _write(records: Records, command: ScheduleChange, clock: Clock) -> Refused | None:
    """Decide a change of the schedule on the current record, and write it."""
    for _ in range(_ATTEMPTS):
        seq = await records.appointments.last_seq(command.doctor_id)  # read before the schedule, as the actor does
        schedule_record = await schedule_record_of(records, command.doctor_id)
        if schedule_record is None:
            raise LookupError(f"{command.doctor_id} is no doctor")
        state = DoctorState(schedule_record=schedule_record, seq=seq, slot_owners={}, appointments={})
        decision = decide(state, command, clock())
        if isinstance(decision, Refused):
            return decision
        if not isinstance(decision, Accepted):
            return None  # an earlier attempt wrote it, and its acknowledgement was lost
        after, _ = state.apply_all(decision.aggregate_id, decision.events)
        if isinstance(await records.appointments.save([after.schedule_record]), Saved):
            return None
    raise StoreUnavailable(f"another process wrote for this doctor during each of {_ATTEMPTS} attempts")
