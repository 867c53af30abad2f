"""A second, naive implementation of the rules: minute by minute, without the code under test.

Every reason to refuse a command, the event of one that is accepted, and the status and deadline after a history.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import (
    BookAppointment,
    Change,
    CheckInPatient,
    Command,
    ErasePatient,
    JoinPatient,
    MarkNoShow,
    RemindPatient,
    RescheduleAppointment,
    ScheduleChange,
)
from hub.scheduling.decision import RefusalCode
from hub.scheduling.schedule import Schedule
from hub.scheduling.values import Role, Status
from tests.properties.simulated_clinic import SimulatedClinic

HALF_HOUR = timedelta(minutes=30)
STATUS_ALLOWS = {
    "confirm": {Status.SCHEDULED},
    "cancel": {Status.SCHEDULED, Status.CONFIRMED},
    "reschedule": {Status.SCHEDULED, Status.CONFIRMED},
    "complete": {Status.SCHEDULED, Status.CONFIRMED, Status.NO_SHOW},
    "remind": {Status.SCHEDULED, Status.CONFIRMED},
    "mark_no_show": {Status.SCHEDULED, Status.CONFIRMED},
    "check_in": {Status.SCHEDULED, Status.CONFIRMED, Status.NO_SHOW},
    "call_in": {Status.SCHEDULED, Status.CONFIRMED},
    "undo_visit": {Status.SCHEDULED, Status.CONFIRMED},
    "join_patient": set(Status),
    "erase_patient": set(Status),
}
ROLE_ALLOWS = {
    "confirm": {Role.PATIENT, Role.DOCTOR, Role.RECEPTIONIST, Role.SYSTEM},
    "cancel": {Role.PATIENT, Role.DOCTOR, Role.RECEPTIONIST, Role.SYSTEM},
    "reschedule": {Role.PATIENT, Role.DOCTOR, Role.RECEPTIONIST, Role.SYSTEM},
    "complete": {Role.DOCTOR, Role.RECEPTIONIST, Role.SYSTEM},
    "remind": {Role.SYSTEM},
    "mark_no_show": {Role.SYSTEM},
    "check_in": {Role.DOCTOR, Role.RECEPTIONIST, Role.SYSTEM},
    "call_in": {Role.DOCTOR, Role.RECEPTIONIST, Role.SYSTEM},
    "undo_visit": {Role.DOCTOR, Role.RECEPTIONIST, Role.SYSTEM},
    "join_patient": {Role.RECEPTIONIST, Role.SYSTEM},
    "erase_patient": {Role.PATIENT, Role.SYSTEM},
}
VISIT_ALLOWS = {
    "cancel": {None},
    "reschedule": {None},
    "mark_no_show": {None},
    "check_in": {None},
    "call_in": {"arrived"},
    "undo_visit": {"arrived", "in_room"},
}
NOT_BEFORE = {
    "complete": -HALF_HOUR,
    "remind": -timedelta(hours=3),
    "mark_no_show": timedelta(minutes=15),
    "check_in": -timedelta(hours=3),
}
"""The first moment, relative to the start of the appointment."""

CAUSES = {
    "book": "booked",
    "confirm": "confirmed",
    "cancel": "cancelled",
    "complete": "completed",
    "reschedule": "rescheduled",
    "mark_no_show": "no_show",
    "check_in": "checked_in",
    "call_in": "called_in",
    "undo_visit": "visit_undone",
    "join_patient": "patient_joined",
    "erase_patient": "patient_erased",
    "change_hours": "hours_changed",
    "add_time_off": "time_off_added",
    "remove_time_off": "time_off_removed",
    "disable": "disabled",
    "enable": "enabled",
}
SAYS = {
    "booked": Status.SCHEDULED,
    "rescheduled": Status.SCHEDULED,
    "confirmed": Status.CONFIRMED,
    "cancelled": Status.CANCELLED,
    "completed": Status.COMPLETED,
    "no_show": Status.NO_SHOW,
}


def reasons(clinic: SimulatedClinic, command: Command, now: datetime) -> set[RefusalCode]:
    """Return every reason to refuse a command with a new id; empty if it must be accepted."""
    found = {RefusalCode.EXPIRED} if command.expires is not None and command.expires < now else set()
    doctor = clinic.states[command.doctor_id].schedule
    if isinstance(command, ScheduleChange):
        return found | _against_arrangement(doctor, command, now)
    if isinstance(command, BookAppointment):
        rightful = {Role.PATIENT: command.patient_id, Role.DOCTOR: command.doctor_id} | _any(command)
        if rightful[command.by.role] != command.by.id:
            found.add(RefusalCode.FORBIDDEN)
        walks_in = command.by.role in {
            Role.DOCTOR,
            Role.RECEPTIONIST,
        } and command.start <= now < command.start + timedelta(minutes=15)
        against_start = _against_start(clinic, doctor, command.start, now, but=None)
        return found | (against_start - {RefusalCode.IN_THE_PAST} if walks_in else against_start)
    appointment = clinic.stored.get(command.appointment_id)
    if appointment is None or appointment.doctor_id != command.doctor_id or not _is_party(command, appointment):
        return found | {RefusalCode.NOT_FOUND}
    found |= _against_change(command, appointment, now)
    if isinstance(command, RescheduleAppointment):
        found |= _against_start(clinic, doctor, command.start, now, but=appointment)
    if isinstance(command, CheckInPatient):
        found |= _against_arrival(clinic, doctor, appointment, now)
    return found


def event_of(clinic: SimulatedClinic, command: Command, now: datetime) -> str:
    """Return the type of the event that an accepted command must cause."""
    match command:
        case RemindPatient():
            left = clinic.stored[command.appointment_id].start - now
            return "reminded" if left >= HALF_HOUR else "reminder_missed"
        case _:
            return CAUSES[command.kind]


def status_now(appointment: Appointment) -> Status:
    """Return the status that an appointment must have, from its last event that sets one."""
    types = [event.type for event in appointment.history]
    says = [SAYS[type_] for type_ in types if type_ in SAYS]
    returned = Status.NO_SHOW in says and "checked_in" in types[len(types) - types[::-1].index("no_show") :]
    return Status.CONFIRMED if says[-1] is Status.NO_SHOW and returned else says[-1]


def visit_now(appointment: Appointment) -> tuple[str | None, datetime | None, datetime | None]:
    """Return the visit that an appointment must have, and the instants of the arrival and of the call, as a stack."""
    steps: list[datetime] = []
    for event in appointment.history:
        match event.type:
            case "checked_in" | "called_in":
                steps.append(event.at)
            case "visit_undone":
                steps.pop()
    arrived_at, in_room_at, *_ = [*steps, None, None]
    return [None, "arrived", "in_room"][len(steps)], arrived_at, in_room_at


def patient_now(appointment: Appointment) -> str:
    """Return the patient whom an appointment must have: whom the last booking or join names."""
    return [event.patient_id for event in appointment.history if event.type in {"booked", "patient_joined"}][-1]


def due_now(appointment: Appointment) -> tuple[datetime | None, str | None]:
    """Return the deadline that an appointment must have, from its events."""
    if appointment.status not in {Status.SCHEDULED, Status.CONFIRMED} or visit_now(appointment)[0] is not None:
        return None, None
    reminder_gone = False
    for event in appointment.history:
        match event.type:
            case "booked" | "rescheduled":
                reminder_gone = event.at > event.start - timedelta(hours=3)
            case "reminded" | "reminder_missed" | "checked_in":
                reminder_gone = True
    if reminder_gone:
        return appointment.start + timedelta(minutes=15), "no_show"
    return appointment.start - timedelta(hours=3), "reminder"


def _any(command: Command) -> dict[Role, str]:
    """Return the roles that may act for every doctor and patient, each with the id that is allowed: any."""
    return {Role.RECEPTIONIST: command.by.id, Role.SYSTEM: command.by.id}


def _is_party(command: Change, appointment: Appointment) -> bool:
    parties = {Role.PATIENT: appointment.patient_id, Role.DOCTOR: appointment.doctor_id} | _any(command)
    return parties[command.by.role] == command.by.id


def _is_early(command: Change, appointment: Appointment, now: datetime) -> bool:
    early = command.kind in NOT_BEFORE and now < appointment.start + NOT_BEFORE[command.kind]
    return early and (command.kind, visit_now(appointment)[0]) != ("complete", "in_room")


def _of_another(command: JoinPatient | ErasePatient, appointment: Appointment) -> bool:
    if isinstance(command, ErasePatient):
        return patient_now(appointment) != command.patient_id
    return patient_now(appointment) != command.previous_patient_id or command.patient_id == patient_now(appointment)


def _against_change(command: Change, appointment: Appointment, now: datetime) -> set[RefusalCode]:
    found = set()
    if command.by.role not in ROLE_ALLOWS[command.kind]:
        found.add(RefusalCode.FORBIDDEN)
    if appointment.status not in STATUS_ALLOWS[command.kind]:
        found.add(RefusalCode.WRONG_STATUS)
    visit, *_ = visit_now(appointment)
    if visit not in VISIT_ALLOWS.get(command.kind, {visit}):
        found.add(RefusalCode.WRONG_STATUS)
    if command.kind in {"cancel", "reschedule"} and now >= appointment.start:
        found.add(RefusalCode.IN_THE_PAST)
    if _is_early(command, appointment, now):
        found.add(RefusalCode.TOO_EARLY)
    if isinstance(command, RescheduleAppointment) and command.start == appointment.start:
        found.add(RefusalCode.WRONG_STATUS)
    if isinstance(command, RemindPatient | MarkNoShow) and command.start != appointment.start:
        found.add(RefusalCode.WRONG_STATUS)
    if isinstance(command, JoinPatient | ErasePatient) and _of_another(command, appointment):
        found.add(RefusalCode.WRONG_STATUS)
    if isinstance(command, RemindPatient) and due_now(appointment)[1] != "reminder":
        found.add(RefusalCode.WRONG_STATUS)
    return found


def _against_arrival(
    clinic: SimulatedClinic, doctor: Schedule, appointment: Appointment, now: datetime
) -> set[RefusalCode]:
    found = set()
    days = [each.astimezone(ZoneInfo(doctor.zone)).date() for each in (appointment.start, now)]
    if days[1] > days[0]:
        found.add(RefusalCode.IN_THE_PAST)
    others = [each for each in clinic.stored.values() if each.doctor_id == doctor.id and each is not appointment]
    if any(each.active and each.start == appointment.start for each in others):
        found.add(RefusalCode.SLOT_TAKEN)
    return found


def _against_start(
    clinic: SimulatedClinic, doctor: Schedule, start: datetime, now: datetime, but: Appointment | None
) -> set[RefusalCode]:
    found = set()
    if doctor.disabled:
        found.add(RefusalCode.DOCTOR_UNAVAILABLE)
    if start.astimezone(ZoneInfo(doctor.zone)).strftime("%M:%S.%f") not in {"00:00.000000", "30:00.000000"}:
        found.add(RefusalCode.OFF_GRID)
    if start <= now:
        found.add(RefusalCode.IN_THE_PAST)
    if start > now + timedelta(days=366):
        found.add(RefusalCode.TOO_FAR_AHEAD)
    if not _at_work(doctor, start):
        found.add(RefusalCode.OUTSIDE_HOURS)
    others = [each for each in clinic.stored.values() if each.doctor_id == doctor.id and each is not but]
    if any(each.active and abs(each.start - start) < HALF_HOUR for each in others):
        found.add(RefusalCode.SLOT_TAKEN)
    return found


def _against_arrangement(doctor: Schedule, command: ScheduleChange, now: datetime) -> set[RefusalCode]:
    by, found = command.by, set()
    own = by.role is Role.DOCTOR and by.id == doctor.id and command.kind not in {"disable", "enable"}
    if not own and by.role is not Role.SYSTEM:
        found.add(RefusalCode.FORBIDDEN)
    match command.kind:
        case "add_time_off":
            walls = [each.astimezone(ZoneInfo(doctor.zone)) for each in (command.start, command.end)]
            if any(wall.strftime("%M:%S.%f") not in {"00:00.000000", "30:00.000000"} for wall in walls):
                found.add(RefusalCode.OFF_GRID)
            if command.end <= now:
                found.add(RefusalCode.IN_THE_PAST)
        case "remove_time_off" if command.time_off_id not in [off.id for off in doctor.time_off]:
            found.add(RefusalCode.NOT_FOUND)
        case "disable" if doctor.disabled:
            found.add(RefusalCode.WRONG_STATUS)
        case "enable" if not doctor.disabled:
            found.add(RefusalCode.WRONG_STATUS)
    return found


def _at_work(doctor: Schedule, start: datetime) -> bool:
    wall = start.astimezone(ZoneInfo(doctor.zone))
    clocked_in = {
        (shift.weekday, minute // 60, minute % 60)
        for shift in doctor.shifts
        for minute in range(shift.opens, shift.closes)
    }
    minutes = [start + timedelta(minutes=minute) for minute in range(30)]
    away = any(off.start <= minute < off.end for minute in minutes for off in doctor.time_off)
    return (wall.weekday(), wall.hour, wall.minute) in clocked_in and not away
