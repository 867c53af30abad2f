"""The decision about the waitlist of a doctor: who joins and leaves the line, and what is offered to whom."""

from datetime import datetime
from typing import assert_never

from hub.scheduling.decision import Accepted, RefusalCode, Refused, header
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.events import OfferLapsed, SlotOffered
from hub.scheduling.line import Line, candidates, to_withdraw
from hub.scheduling.values import HORIZON, Role
from hub.scheduling.waitlist_commands import (
    JoinWaitingPatient,
    JoinWaitlist,
    LeaveWaitlist,
    OfferSlot,
    TendWaitlist,
    WaitlistCommand,
)
from hub.scheduling.waitlist_entry import WaitlistEntry
from hub.scheduling.waitlist_events import (
    WaitlistBooked,
    WaitlistExpired,
    WaitlistJoined,
    WaitlistLeft,
    WaitlistPatientJoined,
)

_NOTHING_TO_DO = Refused(RefusalCode.WRONG_STATUS, "The waitlist needs nothing now.")
_NO_ENTRY = Refused(RefusalCode.NOT_FOUND, "There is no such entry of the waitlist.")


def decide_waitlist(state: DoctorState, command: WaitlistCommand, now: datetime) -> Accepted | Refused:
    """Decide a command by the doctor's line at the instant `now` (UTC). `state.line` has been read."""
    if state.line is None:
        raise RuntimeError(f"{command.kind} is decided without the line")
    match command:
        case JoinWaitlist():
            return _join(state, state.line, command, now)
        case LeaveWaitlist():
            return _leave(state, command, now)
        case JoinWaitingPatient():
            return _join_patient(state, state.line, command, now)
        case OfferSlot():
            return _offer_out_of_turn(state, state.line, command, now)
        case TendWaitlist():
            return _tend(state, state.line, command, now)
        case _:
            assert_never(command)


def _join(state: DoctorState, line: Line, command: JoinWaitlist, now: datetime) -> Accepted | Refused:
    if not _may_act(command, command.patient_id):
        return Refused(RefusalCode.FORBIDDEN, "Patients wait for themselves, doctors in their own line.")
    if state.schedule.day_of(now) > command.wish.last_day:
        return Refused(RefusalCode.IN_THE_PAST, "The last day of the wish is over.")
    if command.wish.first_day > state.schedule.day_of(now + HORIZON):
        return Refused(RefusalCode.TOO_FAR_AHEAD, f"One may wait for a time up to {HORIZON.days} days ahead.")
    if (entry := line.entry_of(command.patient_id)) and entry.id not in line.accepted():
        return Refused(RefusalCode.ALREADY_WAITING, "The patient waits for this doctor already.")
    joined = WaitlistJoined(
        **header(state, command, now), doctor_id=command.doctor_id, patient_id=command.patient_id, wish=command.wish
    )
    return Accepted(command.id, (joined,))


def _leave(state: DoctorState, command: LeaveWaitlist, now: datetime) -> Accepted | Refused:
    entry = state.entry(command.entry_id)
    if entry is None or not _may_act(command, entry.patient_id):
        return _NO_ENTRY
    if refusal := _require_waiting(entry):
        return refusal
    return Accepted(entry.id, (WaitlistLeft(**header(state, command, now)),))


def _join_patient(state: DoctorState, line: Line, command: JoinWaitingPatient, now: datetime) -> Accepted | Refused:
    """Give the entry to the other account. If that waits already, it keeps its own place, and this entry ends."""
    entry = state.entry(command.entry_id)
    if command.by.role not in {Role.RECEPTIONIST, Role.SYSTEM}:
        return Refused(RefusalCode.FORBIDDEN, "Only the clinic joins patients.")
    if entry is None:
        return _NO_ENTRY
    if refusal := _require_waiting(entry):
        return refusal
    if entry.patient_id != command.previous_patient_id or entry.patient_id == command.patient_id:
        return Refused(RefusalCode.WRONG_STATUS, "The entry is not of the patient who is joined.")
    fields = header(state, command, now)
    if line.entry_of(command.patient_id):
        return Accepted(entry.id, (WaitlistLeft(**fields),))
    moved = WaitlistPatientJoined(
        **fields, previous_patient_id=command.previous_patient_id, patient_id=command.patient_id
    )
    return Accepted(entry.id, (moved,))


def _offer_out_of_turn(state: DoctorState, line: Line, command: OfferSlot, now: datetime) -> Accepted | Refused:
    entry = state.entry(command.entry_id)
    if entry is None:
        return _NO_ENTRY
    if command.by.role is Role.PATIENT or not _may_act(command, entry.patient_id):
        return Refused(RefusalCode.FORBIDDEN, "Only the clinic makes offers.")
    return (
        _require_waiting(entry)
        or _refuse_patient(line, entry, command.start)
        or _refuse_slot(state, command.start, now)
        or _offered(state, line, command, entry, command.start, now)
    )


def _tend(state: DoctorState, line: Line, command: TendWaitlist, now: datetime) -> Accepted | Refused:
    """Do the first of what is to be done: a command does one thing, so a crash leaves nothing half done."""
    if command.by.role is not Role.SYSTEM:
        return Refused(RefusalCode.FORBIDDEN, "Only the hub does this.")
    today, accepted = state.schedule.day_of(now), line.accepted()
    for entry in line.waiting():
        if offer := accepted.get(entry.id):
            booked = WaitlistBooked(**header(state, command, now), appointment_id=offer.appointment_id)
            return Accepted(entry.id, (booked,))
        if entry.wish.last_day < today:
            return Accepted(entry.id, (WaitlistExpired(**header(state, command, now)),))
    for offer in to_withdraw(state.schedule, line):
        if offer.appointment_id in state.appointments:
            return Accepted(offer.appointment_id, (OfferLapsed(**header(state, command, now)),))
    found = next(candidates(state.schedule, line, state.slot_owners.keys(), now), None)
    return _offered(state, line, command, found.entry, found.start, now) if found else _NOTHING_TO_DO


def _offered(  # noqa: PLR0913, PLR0917  # each is a separate part of the offer
    state: DoctorState,
    line: Line,
    command: OfferSlot | TendWaitlist,
    entry: WaitlistEntry,
    start: datetime,
    now: datetime,
) -> Accepted:
    offered = SlotOffered(
        **header(state, command, now),
        doctor_id=entry.doctor_id,
        patient_id=entry.patient_id,
        entry_id=entry.id,
        start=start,
        until=line.policy.until(start, now),
        out_of_turn=isinstance(command, OfferSlot),
        without_text=isinstance(command, TendWaitlist) and not line.policy.may_text(state.schedule, now),
    )
    return Accepted(command.id, (offered,))


def _refuse_patient(line: Line, entry: WaitlistEntry, start: datetime) -> Refused | None:
    if line.open_offer(entry.patient_id):
        return Refused(RefusalCode.OFFER_OPEN, "The patient has an offer and has not answered yet.")
    if line.had(entry.patient_id, start):
        return Refused(RefusalCode.WRONG_STATUS, "The patient was offered this slot before.")
    return None


def _refuse_slot(state: DoctorState, start: datetime, now: datetime) -> Refused | None:
    """Return why the slot cannot be offered now, if so. The clinic may offer what is nearer than the hub would."""
    schedule = state.schedule
    if schedule.disabled:
        return Refused(RefusalCode.DOCTOR_UNAVAILABLE, "This doctor takes no appointments.")
    if not schedule.on_grid(start):
        return Refused(RefusalCode.OFF_GRID, "An appointment starts on the half hour of the doctor's clock.")
    if state.line is None or state.line.policy.until(start, now) <= now:
        return Refused(RefusalCode.IN_THE_PAST, "An offer ends 30 minutes before the start: this start is too near.")
    if start - now > HORIZON:
        return Refused(RefusalCode.TOO_FAR_AHEAD, f"One may book up to {HORIZON.days} days ahead.")
    if not schedule.works_at(start):
        return Refused(RefusalCode.OUTSIDE_HOURS, "The doctor does not work then.")
    if start in state.slot_owners:
        return Refused(RefusalCode.SLOT_TAKEN, "This slot is taken.")
    return None


def _require_waiting(entry: WaitlistEntry) -> Refused | None:
    if entry.waiting:
        return None
    return Refused(RefusalCode.WRONG_STATUS, f"The entry of the waitlist is {entry.status.value}.")


def _may_act(command: WaitlistCommand, patient_id: str) -> bool:
    """Whether the role may do this for this patient in this doctor's line."""
    match command.by.role:
        case Role.PATIENT:
            return command.by.id == patient_id
        case Role.DOCTOR:
            return command.by.id == command.doctor_id
        case Role.RECEPTIONIST | Role.SYSTEM:
            return True
