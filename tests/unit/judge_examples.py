"""A small clinic without a hub: it decides by the rules, answers, and notifies all users, so no promise is broken.

The tests of the judge take its evidence and plant one fault in it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hub.client.answers import Answer
from hub.client.appointment import NamedAppointment, PersonName
from hub.client.commands import Command, Kind, Request, User, Via
from hub.client.wire import AppointmentEvent, CalendarEvent, SlotEvent, WatchedDay
from hub.ops.judge.dashboard import Dashboard
from hub.ops.judge.history import History
from hub.ops.judge.promises import Violation
from hub.ops.judge.record import Record
from hub.ops.judge.verdict import judge
from hub.scheduling.apply import as_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import (
    BookAppointment,
    CallInPatient,
    CancelAppointment,
    CheckInPatient,
    CommandAdapter,
    CompleteAppointment,
    ConfirmAppointment,
    MarkNoShow,
    RemindPatient,
    RescheduleAppointment,
    UndoVisit,
)
from hub.scheduling.commands import Command as HubCommand
from hub.scheduling.decide import decide
from hub.scheduling.decision import Accepted, RefusalCode, Refused, Repeated
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.events import Event
from hub.scheduling.schedule import Schedule, Shift
from hub.scheduling.slots import schedule_slot_changes, slot_changes, slots_of
from hub.scheduling.values import Actor, Role
from hub.scheduling.views import schedule_view, view
from hub.scheduling.waitlist_commands import AcceptOffer, DeclineOffer

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
NINE = MONDAY.replace(hour=9)
TEN = MONDAY.replace(hour=10)
ELEVEN = MONDAY.replace(hour=11)

ADA = User("ada", "doctor", "Dr. Ada")
MAX = User("max", "doctor", "Dr. Max")
ANN = User("ann", "patient", "Ann")
BOB = User("bob", "patient", "Bob")

_HUB = Actor(id="hub", role=Role.SYSTEM, via="timer")
_SECOND = timedelta(seconds=1)


_WITHOUT_MORE: Mapping[Kind, Callable[..., HubCommand]] = {
    "confirm": ConfirmAppointment,
    "cancel": CancelAppointment,
    "complete": CompleteAppointment,
    "check_in": CheckInPatient,
    "call_in": CallInPatient,
    "undo_visit": UndoVisit,
    "accept": AcceptOffer,
    "decline": DeclineOffer,
}


class FaultlessClinic:
    """Two doctors, Ada and Max, work from 8 to 18 UTC. It is 5:00 on a Monday, and every command takes two seconds."""

    def __init__(self, *, disabled: bool = False) -> None:
        hours = tuple(Shift(weekday=day, opens=8 * 60, closes=18 * 60) for day in range(5))
        self.doctors = [Schedule(id=user.id, zone="UTC", shifts=hours, disabled=disabled) for user in (ADA, MAX)]
        self.now = MONDAY.replace(hour=5)
        self.history = History()
        self.dashboards = {user.id: Dashboard(user, lambda: self.now) for user in (ADA, MAX, ANN, BOB)}
        self._states = {doctor.id: DoctorState.new(doctor) for doctor in self.doctors}
        self._made = 0
        for dashboard in self.dashboards.values():
            dashboard.on_connected()
        self.watch(ANN, ADA)
        self._pass()

    @property
    def appointments(self) -> list[Appointment]:
        return [each for state in self._states.values() for each in state.appointments.values()]

    def book(self, user: User, doctor: User, start: datetime, key: str | None = None) -> Answer:
        return self.send(user, Command("book", doctor_id=doctor.id, start=start), key)

    def change(self, user: User, kind: str, booked: Answer, start: datetime | None = None) -> Answer:
        return self.send(user, Command(kind, appointment_id=booked.appointment.id, start=start))

    def send(self, user: User, command: Command, key: str | None = None, via: Via = "rest") -> Answer:
        self._made += 1
        request = Request(user, command, key or f"key-{self._made}", via, self.now)
        self.history.on_request(request)
        self._pass()
        answer = self._decided(request)
        self._pass()
        answer = replace(answer, at=self.now)
        self.history.on_answer(request, answer)
        return answer

    def due(self, kind: type[RemindPatient] | type[MarkNoShow], booked: Answer, at: datetime) -> None:
        """Carry out a deadline of an appointment."""
        self.now = at
        shown = booked.appointment
        self._made += 1
        header = {"id": f"timer-{self._made}", "doctor_id": shown.doctor_id, "by": _HUB, "at": at}
        assert isinstance(self._give(kind(**header, appointment_id=shown.id, start=shown.start)), Accepted)

    def arrange(self, kind: str, doctor: User, **more: object) -> CalendarEvent:
        """Change a doctor's schedule, and return the event that the doctor receives."""
        self._pass()
        self._made += 1
        by = Actor(id="clinic", role=Role.SYSTEM, via="cli")
        if kind not in {"disable", "enable"}:
            by = Actor(id=doctor.id, role=Role.DOCTOR, via="rest")
        given = {"kind": kind, "id": f"hours-{self._made}", "doctor_id": doctor.id, "by": by, "at": self.now, **more}
        before = self._states[doctor.id]
        decision = decide(before, CommandAdapter.validate_python(given), self.now)
        assert isinstance(decision, Accepted)
        after, _ = before.apply_all(decision.aggregate_id, decision.events)
        self._states[doctor.id] = after
        (event,) = decision.events
        told = CalendarEvent(type=event.type, calendar=schedule_view(after.schedule), seq=event.seq, prev=event.prev)
        self.dashboards[doctor.id].on_event(told)
        if doctor == ADA:
            changes = schedule_slot_changes(before.schedule, after.schedule, MONDAY.date(), after.slot_owners, self.now)
            for change in changes:
                slot = SlotEvent(doctor_id=doctor.id, start=change.start, available=change.available)
                self.dashboards[ANN.id].on_slot(slot)
        self._pass()
        return told

    def watch(self, user: User, doctor: User) -> None:
        state = self._states[doctor.id]
        slots = slots_of(state.schedule, MONDAY.date(), state.slot_owners, self.now)
        self.dashboards[user.id].on_watched(WatchedDay(doctor_id=doctor.id, day=MONDAY.date(), slots=tuple(slots)))

    def record(self, appointments: Iterable[Appointment] | None = None) -> Record:
        schedule_records = [state.schedule_record for state in self._states.values()]
        return Record(self.appointments if appointments is None else appointments, schedule_records, self.now)

    def judged(self, appointments: Iterable[Appointment] | None = None) -> list[Violation]:
        return judge(self.history, list(self.dashboards.values()), self.record(appointments))

    def _decided(self, request: Request) -> Answer:
        answer = granted(request.key, request.at)
        match self._give(self._command(request)):
            case Accepted(aggregate_id=appointment_id):
                found = {each.id: each for each in self.appointments}
                return replace(answer, appointment=shown(found[appointment_id]))
            case Repeated(aggregate=appointment, events=events):
                return replace(answer, appointment=shown(as_of(appointment, events[-1].seq)), replayed=True)
            case Refused(code=code, detail=detail):
                return replace(answer, ok=False, code=code.value, detail=detail, status=409)

    def _give(self, command: HubCommand) -> Accepted | Repeated | Refused:
        state = self._states.get(command.doctor_id)
        if state is None:
            return Refused(RefusalCode.NOT_FOUND, "no such doctor")
        decision = decide(state, command, self.now)
        if not isinstance(decision, Accepted):
            return decision
        if isinstance(command, BookAppointment) and any(
            each.active and each.patient_id == command.patient_id and each.start == command.start
            for each in self.appointments
        ):
            return Refused(RefusalCode.PATIENT_BUSY, "busy")
        state, recorded = state.apply_all(decision.aggregate_id, decision.events)
        self._states[command.doctor_id] = state
        for each in recorded:
            self._tell(state.schedule, each.event, each.aggregate)
        return decision

    def _tell(self, doctor: Schedule, event: Event, after: Appointment) -> None:
        told = AppointmentEvent(type=event.type, appointment=shown(after), seq=event.seq, prev=event.prev)
        for person in (after.doctor_id, after.patient_id):
            self.dashboards[person].on_event(told)
        for change in slot_changes(doctor, event, after):
            if doctor.id == ADA.id:
                slot = SlotEvent(doctor_id=doctor.id, start=change.start, available=change.available)
                self.dashboards[ANN.id].on_slot(slot)

    def _command(self, request: Request) -> HubCommand:
        command, user = request.command, request.user
        named = next((each for each in self.appointments if each.id == command.appointment_id), None)
        doctor_id = command.doctor_id or (named.doctor_id if named else ADA.id)
        actor = Actor(id=user.id, role=Role(user.role), via=request.via)
        header = {"id": request.command_id, "doctor_id": doctor_id, "by": actor, "at": request.at}
        match command.kind:
            case "book":
                patient_id = command.patient_id or user.id
                return BookAppointment(**header, patient_id=patient_id, start=command.start, reason=command.reason)
            case "reschedule":
                return RescheduleAppointment(**header, appointment_id=command.appointment_id, start=command.start)
            case _:
                return _WITHOUT_MORE[command.kind](**header, appointment_id=command.appointment_id)

    def _pass(self) -> None:
        self.now += _SECOND


def good_morning() -> FaultlessClinic:
    """Return a clinic in which every kind of command was granted and refused."""
    clinic = FaultlessClinic()
    first = clinic.book(ANN, ADA, TEN)
    clinic.book(BOB, ADA, TEN)
    clinic.book(ANN, MAX, TEN)
    clinic.change(ADA, "confirm", first)
    clinic.change(ADA, "confirm", first)
    second = clinic.book(BOB, ADA, ELEVEN, key="bob's")
    clinic.send(BOB, Command("book", doctor_id=ADA.id, start=ELEVEN), key="bob's", via="socket")
    clinic.send(BOB, Command("book", doctor_id=ADA.id, start=NINE), key="bob's", via="socket")
    clinic.change(BOB, "reschedule", second, TEN)
    clinic.change(BOB, "reschedule", second, ELEVEN + timedelta(minutes=30))
    clinic.change(ANN, "cancel", first)
    clinic.book(BOB, ADA, TEN)
    clinic.change(ADA, "complete", second)
    clinic.change(ANN, "complete", second)
    clinic.send(ANN, Command("book", doctor_id="nobody", start=NINE))
    clinic.send(ANN, Command("book", doctor_id=ADA.id, start=NINE, patient_id=BOB.id))
    clinic.book(ANN, ADA, MONDAY.replace(hour=9, minute=10))
    clinic.book(ANN, ADA, MONDAY.replace(hour=22))
    clinic.book(ANN, ADA, MONDAY - timedelta(days=3))
    clinic.book(ANN, ADA, TEN + timedelta(days=728))
    third = clinic.book(ANN, MAX, NINE)
    clinic.due(RemindPatient, third, NINE - timedelta(hours=3))
    clinic.due(MarkNoShow, third, NINE + timedelta(minutes=15))
    clinic.change(MAX, "complete", third)
    return clinic


def granted(key: str, at: datetime) -> Answer:
    """Return a successful answer, without an appointment."""
    return Answer(
        key=key, ok=True, appointment=None, code=None, detail=None, status=201, attempts=1, seconds=2.0, at=at
    )


def refused(key: str, code: str, at: datetime) -> Answer:
    """Return a refusal."""
    return replace(granted(key, at), ok=False, code=code, status=409)


def found(violations: Iterable[Violation]) -> set[str]:
    """Return the kinds of the violations."""
    return {violation.what for violation in violations}


def altered(
    appointments: Iterable[Appointment], which: str, change: Callable[[Appointment], Appointment]
) -> list[Appointment]:
    """Return the appointments with one of them changed."""
    return [change(each) if each.id == which else each for each in appointments]


def shown(appointment: Appointment) -> NamedAppointment:
    """Return an appointment as staff get it, with a name that the record does not have."""
    name = PersonName(id=appointment.patient_id, name="Ann")
    return NamedAppointment(**dict(view(appointment)), patient=name)
