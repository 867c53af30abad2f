"""One doctor, one patient and one Monday, for examples of the rules."""

from datetime import UTC, datetime, timedelta

from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import BookAppointment, Command, CommandAdapter
from hub.scheduling.decide import decide
from hub.scheduling.decision import Accepted, Decision, RefusalCode, Refused
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.schedule import Schedule, Shift, TimeOff
from hub.scheduling.values import Actor, Role

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
"""Berlin is two hours ahead of UTC that week."""
NOW = MONDAY.replace(hour=5)
START = MONDAY.replace(hour=12)
"""14:00 in Berlin."""
HOURS = [(9, 12), (13, 17)]
BERLIN = Schedule(
    id="berlin",
    zone="Europe/Berlin",
    shifts=tuple(Shift(weekday=day, opens=hour * 60, closes=end * 60) for day in range(5) for hour, end in HOURS),
    time_off=(TimeOff(start=MONDAY + timedelta(days=1, hours=7), end=MONDAY + timedelta(days=1, hours=8)),),
)
PATIENT = Actor(id="ann", role=Role.PATIENT, via="rest")
OTHER_PATIENT = Actor(id="bob", role=Role.PATIENT, via="rest")
DOCTOR = Actor(id="berlin", role=Role.DOCTOR, via="socket")
OTHER_DOCTOR = Actor(id="paris", role=Role.DOCTOR, via="socket")
RECEPTIONIST = Actor(id="robin", role=Role.RECEPTIONIST, via="socket")
HUB = Actor(id="hub", role=Role.SYSTEM, via="timer")
CLINIC = Actor(id="clinic", role=Role.SYSTEM, via="cli")
BOOKING = "booking"


def book(start: datetime = START, by: Actor = PATIENT, key: str = BOOKING, **more: object) -> BookAppointment:
    return BookAppointment(id=key, doctor_id="berlin", by=by, at=NOW, **{"patient_id": "ann", "start": start, **more})


def change(kind: str, by: Actor | None = None, key: str = "change", **more: object) -> Command:
    """Return a change of the appointment that `book` makes. A deadline refers to its first start by default."""
    by = by or {"remind": HUB, "mark_no_show": HUB, "join_patient": RECEPTIONIST}.get(kind, PATIENT)
    start = {"remind": START, "mark_no_show": START, "reschedule": START + timedelta(hours=1)}.get(kind)
    given = {"kind": kind, "id": key, "doctor_id": "berlin", "by": by, "at": NOW, "appointment_id": BOOKING}
    if kind == "join_patient":
        given |= {"previous_patient_id": PATIENT.id, "patient_id": "joined"}
    if kind == "erase_patient":
        given |= {"patient_id": PATIENT.id}
    return CommandAdapter.validate_python(given | ({"start": start} if start else {}) | more)


def arrangement(kind: str, by: Actor | None = None, key: str = "arrangement", **more: object) -> Command:
    """Return a change of the schedule, by the doctor; whether a doctor takes appointments is said by the clinic."""
    by = by or (CLINIC if kind in {"disable", "enable"} else DOCTOR)
    given = {"kind": kind, "id": key, "doctor_id": "berlin", "by": by, "at": NOW, **more}
    return CommandAdapter.validate_python(given)


def free(doctor: Schedule = BERLIN) -> DoctorState:
    """Return the state of a doctor without appointments."""
    return DoctorState.new(doctor)


def after(state: DoctorState, command: Command, now: datetime) -> DoctorState:
    """Return the state after a command that must be accepted."""
    decision = decide(state, command, now)
    assert isinstance(decision, Accepted), decision
    return state.apply_all(decision.aggregate_id, decision.events)[0]


def booked() -> DoctorState:
    return after(free(), book(), NOW)


def standing(status: str) -> DoctorState:
    """Return a state whose only appointment has reached a status, or a step of the visit, by ordinary commands."""
    state = booked()
    match status:
        case "scheduled":
            return state
        case "confirmed":
            return after(state, change("confirm", key="before"), NOW)
        case "cancelled":
            return after(state, change("cancel", key="before"), NOW)
        case "completed":
            return after(state, change("complete", by=DOCTOR, key="before"), START - timedelta(minutes=30))
        case "no_show":
            return after(state, change("mark_no_show", key="before"), START + timedelta(minutes=15))
        case "arrived":
            return after(state, change("check_in", by=DOCTOR, key="arrival"), START - timedelta(minutes=20))
        case "in_room":
            arrived = standing("arrived")
            return after(arrived, change("call_in", by=DOCTOR, key="call"), START - timedelta(minutes=10))
    raise LookupError(status)


def only(state: DoctorState) -> Appointment:
    (appointment,) = state.appointments.values()
    return appointment


def verdict(decision: Decision) -> RefusalCode | str:
    """Return the code of a refusal, or the type of the one event."""
    if isinstance(decision, Refused):
        return decision.code
    (event,) = decision.events
    return event.type
