"""Two doctors and three patients in a store in memory, and the actors that tests give commands to."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from agents.actor.actors import DoctorActors
from agents.actor.doctor_table import DoctorTable
from agents.answers import Answer
from hub.accounts.account import Account
from hub.bus.messages import Notice, Reply
from hub.records.memory import MemoryRecords
from hub.records.ports import Records
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import (
    AddTimeOff,
    BookAppointment,
    CallInPatient,
    CancelAppointment,
    ChangeHours,
    CheckInPatient,
    Command,
    ConfirmAppointment,
    DisableDoctor,
    ErasePatient,
    JoinPatient,
    MarkNoShow,
    RemoveTimeOff,
    RescheduleAppointment,
    UndoVisit,
)
from hub.scheduling.decision import Refused
from hub.scheduling.schedule import Schedule
from hub.scheduling.values import Actor, Role
from hub.scheduling.views import AppointmentView, EntryView
from tests.people import doctor, patient, weekly

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
NOW = MONDAY.replace(hour=5)
ASKED = NOW - timedelta(milliseconds=5)
"""When the commands were issued: on their way for five milliseconds."""
DOCTORS = ("ada", "ben")
PATIENTS = ("carl", "dora", "emil")
_ids = count(1)


@dataclass
class SharedStore:
    """The store that all workers share, and a clock that a test sets."""

    records: Records = field(default_factory=MemoryRecords)
    now: datetime = NOW

    async def open(self) -> None:
        await self.records.users.add([account(name) for name in (*DOCTORS, *PATIENTS)])

    def worker(self, records: Records | None = None) -> DoctorActors:
        """Return the actors of a new worker, which has read nothing yet."""
        return DoctorActors(records or self.records, DoctorTable({}), lambda: self.now)

    async def appointment(self, appointment_id: str) -> Appointment:
        return (await self.records.appointments.by_ids([appointment_id]))[appointment_id]


def account(name: str) -> Account:
    """Return the account of one of the doctors or patients."""
    return (doctor if name in DOCTORS else patient)(name, name=name.title())


def slot(number: int) -> datetime:
    """Return the start of a slot of this Monday. Slot 0 is at noon."""
    return MONDAY.replace(hour=12) + number * timedelta(minutes=30)


def book(
    patient: str = "carl", at: int = 0, doctor: str = "ada", key: str | None = None, **more: object
) -> BookAppointment:
    return BookAppointment(
        **{
            "id": key or f"booking-{next(_ids)}",
            "doctor_id": doctor,
            "patient_id": patient,
            "start": slot(at),
            "by": Actor(id=patient, role=Role.PATIENT, via="rest"),
            "at": ASKED,
            **more,
        }
    )


def confirm(of: BookAppointment, key: str | None = None) -> ConfirmAppointment:
    return ConfirmAppointment(**_change(of, key))


def cancel(of: BookAppointment, key: str | None = None) -> CancelAppointment:
    return CancelAppointment(**_change(of, key))


def move(of: BookAppointment, to: int, key: str | None = None) -> RescheduleAppointment:
    return RescheduleAppointment(**_change(of, key), start=slot(to))


def check_in(of: BookAppointment, key: str | None = None) -> CheckInPatient:
    return CheckInPatient(**_by_doctor(of, key))


def call_in(of: BookAppointment, key: str | None = None) -> CallInPatient:
    return CallInPatient(**_by_doctor(of, key))


def undo_visit(of: BookAppointment, key: str | None = None) -> UndoVisit:
    return UndoVisit(**_by_doctor(of, key))


def join(of: BookAppointment, into: str, key: str | None = None) -> JoinPatient:
    """Return the command of the desk that gives the appointment to another account."""
    by = Actor(id="robin", role=Role.RECEPTIONIST, via="rest")
    return JoinPatient(**_change(of, key) | {"by": by}, previous_patient_id=of.patient_id, patient_id=into)


def erase(of: BookAppointment, key: str | None = None) -> ErasePatient:
    """Return the command by which the patient has the words about the appointment removed."""
    return ErasePatient(**_change(of, key), patient_id=of.patient_id)


def miss(of: BookAppointment, key: str | None = None) -> MarkNoShow:
    return MarkNoShow(**_change(of, key) | {"by": Actor(id="hub", role=Role.SYSTEM, via="timer")}, start=of.start)


def hours(opens: int = 0, closes: int = 24, doctor: str = "ada", key: str | None = None, **more: object) -> ChangeHours:
    """Let a doctor work between these hours, every day."""
    return ChangeHours(**_arrangement(doctor, key), shifts=weekly(opens, closes), **more)


def off(at: int = 0, doctor: str = "ada", key: str | None = None, **more: object) -> AddTimeOff:
    """Let a doctor take one slot off."""
    return AddTimeOff(**_arrangement(doctor, key), start=slot(at), end=slot(at + 1), **more)


def back(of: AddTimeOff, key: str | None = None) -> RemoveTimeOff:
    return RemoveTimeOff(**_arrangement(of.doctor_id, key), time_off_id=of.id)


def leave(doctor: str = "ada", key: str | None = None) -> DisableDoctor:
    return DisableDoctor(**_arrangement(doctor, key) | {"by": Actor(id="clinic", role=Role.SYSTEM, via="cli")})


def verdicts(answers: Sequence[Answer]) -> list[str]:
    """Return for each command the status of its appointment, `arranged`, or the code of the refusal."""
    return [_verdict(answer.reply) for answer in answers]


def told(answers: Sequence[Answer]) -> list[tuple[int, str]]:
    """Return the `seq` and the type of each event that a notice tells."""
    return [(notice.event.seq, notice.event.type) for notice in notices(answers)]


def notices(answers: Sequence[Answer]) -> list[Notice]:
    """Return all notices of these answers, in order."""
    return [notice for answer in answers for notice in answer.notices]


def refused(answer: Answer) -> Refused:
    assert isinstance(answer.reply.result, Refused), answer
    return answer.reply.result


def shown(answer: Answer) -> AppointmentView:
    """Return the appointment that a command is answered with."""
    assert isinstance(answer.reply.result, AppointmentView), answer
    return answer.reply.result


def _verdict(reply: Reply) -> str:
    match reply.result:
        case AppointmentView(status=status):
            return status.value
        case EntryView(status=entry_status):
            return entry_status.value
        case Schedule():
            return "arranged"
        case Refused(code=code):
            return code.value


async def given(worker: DoctorActors, *commands: Command) -> list[str]:
    """Return the verdicts of commands that are handled as one batch."""
    answers = await worker.handle(commands)
    assert [answer.reply.command_id for answer in answers] == [command.id for command in commands]
    return verdicts(answers)


def _arrangement(doctor: str, key: str | None) -> dict[str, object]:
    return {
        "id": key or f"arrangement-{next(_ids)}",
        "doctor_id": doctor,
        "by": Actor(id=doctor, role=Role.DOCTOR, via="rest"),
        "at": ASKED,
    }


def _by_doctor(of: BookAppointment, key: str | None) -> dict[str, object]:
    return _change(of, key) | {"by": Actor(id=of.doctor_id, role=Role.DOCTOR, via="rest")}


def _change(of: BookAppointment, key: str | None) -> dict[str, object]:
    return {
        "id": key or f"change-{next(_ids)}",
        "doctor_id": of.doctor_id,
        "appointment_id": of.id,
        "by": of.by,
        "at": ASKED,
    }


class InterceptedRecords:
    """The records of one worker. `before_call` is awaited before each call, with the name of the method."""

    def __init__(self, records: Records, before_call: Callable[[str], Awaitable[None]]) -> None:
        self.users = _InterceptedCalls(records.users, before_call)
        self.appointments = _InterceptedCalls(records.appointments, before_call)
        self.waitlist = _InterceptedCalls(records.waitlist, before_call)
        self.texts = _InterceptedCalls(records.texts, before_call)
        self.text_positions = _InterceptedCalls(records.text_positions, before_call)
        self.opt_outs = _InterceptedCalls(records.opt_outs, before_call)
        self.line_halts = _InterceptedCalls(records.line_halts, before_call)


class _InterceptedCalls:
    """The calls of one repository. A test may replace a method by assignment."""

    def __init__(self, real: object, before_call: Callable[[str], Awaitable[None]]) -> None:
        self._real = real
        self._before_call = before_call

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*args: object) -> object:
            await self._before_call(name)
            return await getattr(self._real, name)(*args)

        return call

    if TYPE_CHECKING:

        def __setattr__(self, name: str, value: Callable[..., Awaitable[Any]]) -> None: ...
