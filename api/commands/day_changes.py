"""Moves or cancels the appointments of a doctor's day: one request, one command for each appointment.

The ids of the commands follow from the person, the request's idempotency key and the appointment. The plan is stored
before the first command. So a request that is repeated after a crash, in any process, goes on where it ended: what was
done is not done again, and what others have changed or booked since is left alone.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.commands.command_client import CommandClient, stored
from api.commands.days import Day
from api.http.access_log import AccessLog
from api.http.problems import Code, Problem, problem_of
from api.people.names import AppointmentForStaff, Names, PersonName
from hub.accounts.identity import Identity
from hub.bus.ports import NoAnswer
from hub.clock import Clock
from hub.ids import derived_id
from hub.records.appointment_filter import AppointmentFilter
from hub.records.errors import StoreUnavailable
from hub.records.paging import every_appointment
from hub.records.ports import Records
from hub.records.schedules import schedule_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import CancelAppointment, RescheduleAppointment
from hub.scheduling.day_change import DayPlan, PlannedChange, cancelled, moved_by, moved_to
from hub.scheduling.schedule import Schedule
from hub.scheduling.values import ACTIVE, Id, Instant, Role, Value
from hub.scheduling.views import AppointmentView

_UNDECIDED: frozenset[Code] = frozenset({"try_again", "unavailable"})
"""Problems after which the same request has to be repeated."""


def _half_hours(minutes: int) -> int:
    if minutes == 0 or minutes % 30:
        raise PydanticCustomError("off_grid", "A day is moved by half hours: 30, 60, … or -30, -60, … minutes")
    return minutes


class MoveDay(Value):
    """The day, in the doctor's time zone, and where its appointments go: later by minutes, or to another day.

    Exactly one of `by` and `to` is given. A negative `by` moves to earlier times.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"date": "2026-11-30", "by": 30}]})

    date: Day
    by: Annotated[
        Annotated[int, Field(ge=-720, le=720), AfterValidator(_half_hours)] | None,
        Field(description="Minutes, in half hours: how much later. Negative: earlier.", examples=[30]),
    ] = None
    to: Annotated[
        Day | None,
        Field(description="The day to move to, at the same times of the doctor's clock.", examples=["2026-12-02"]),
    ] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.by is None) == (self.to is None):
            raise PydanticCustomError("one_of", "Give either by or to")
        if self.to == self.date:
            raise PydanticCustomError("same_day", "The appointments are on this day already")
        return self


class CancelDay(Value):
    """The day, in the doctor's time zone, and why. The reason is in the history that the patients may read."""

    date: Day
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class DayBegun(Value):
    """The first line: the number of appointments that will be changed."""

    type: Literal["begun"] = "begun"
    total: int


class AppointmentDone(Value):
    """An appointment was moved or cancelled; it is as shown right after it.

    `replayed`: an earlier request with the same key had done it.
    """

    type: Literal["changed"] = "changed"
    number: int
    total: int
    appointment: AppointmentForStaff
    replayed: bool


class AppointmentLeft(Value):
    """An appointment could not be changed, and why. It is as it was."""

    type: Literal["not_changed"] = "not_changed"
    number: int
    total: int
    appointment_id: Id
    patient_id: Id
    patient: PersonName
    start: Instant
    code: str
    detail: str


class DayFinished(Value):
    """The last line: how many were changed, and which were not. `position` is the last `seq` that was caused."""

    type: Literal["finished"] = "finished"
    changed: int
    not_changed: tuple[AppointmentLeft, ...]
    position: dict[Id, int]


class DayInterrupted(Value):
    """The last line when the hub could not go on. Repeat the request with the same key."""

    type: Literal["interrupted"] = "interrupted"
    code: str
    detail: str


DayChangeLine = Annotated[
    DayBegun | AppointmentDone | AppointmentLeft | DayFinished | DayInterrupted, Field(discriminator="type")
]
Lines = AsyncIterator[DayBegun | AppointmentDone | AppointmentLeft | DayFinished | DayInterrupted]
_Planner = Callable[[Schedule, Sequence[Appointment]], list[PlannedChange]]


class DayChangeCommands:
    """Plans and carries out changes of whole days. The returned lines do the work."""

    def __init__(
        self, records: Records, client: CommandClient, names: Names, access_log: AccessLog, clock: Clock
    ) -> None:
        self._records = records
        self._client = client
        self._names = names
        self._access_log = access_log
        self._clock = clock

    async def move(self, who: Identity, doctor_id: str, request: MoveDay, key: str) -> Lines:
        """Return the lines that move the active appointments of a day. Raises `Problem`."""

        def planned(schedule: Schedule, found: Sequence[Appointment]) -> list[PlannedChange]:
            return moved_to(schedule, found, request.to) if request.to else moved_by(found, request.by or 0)

        content = f"move {doctor_id} {request.date} {request.by} {request.to}"
        plan = await self._plan(who, doctor_id, request.date, key, content, planned)
        return self._lines(who, doctor_id, plan, key, None)

    async def cancel(self, who: Identity, doctor_id: str, request: CancelDay, key: str) -> Lines:
        """Return the lines that cancel the active appointments of a day. Raises `Problem`."""
        content = f"cancel {doctor_id} {request.date} {request.reason}"
        plan = await self._plan(who, doctor_id, request.date, key, content, lambda _, found: cancelled(found))
        return self._lines(who, doctor_id, plan, key, request.reason)

    async def _plan(  # noqa: PLR0913, PLR0917  # each is a separate part of the request
        self, who: Identity, doctor_id: str, day: date, key: str, content: str, planner: _Planner
    ) -> DayPlan:
        """Return the stored plan of this request; the first time, make and store it."""
        if who.role is not Role.RECEPTIONIST and (who.role, who.user_id) != (Role.DOCTOR, doctor_id):
            raise Problem("forbidden", "A doctor can change only their own day.")
        plan_id = derived_id("day-plan", who.user_id, key)
        plan = await stored(self._records.day_plans.by_id(plan_id))
        if plan is None:
            schedule = await stored(schedule_of(self._records, doctor_id))
            if schedule is None:
                raise Problem("not_found", "There is no such doctor.")
            begin, end = schedule.day_bounds(day)
            wanted = AppointmentFilter(doctor_id=doctor_id, statuses=ACTIVE, start_from=begin, start_to=end)
            found = await stored(every_appointment(self._records.appointments, wanted))
            changes = planner(schedule, found)
            plan = await stored(self._records.day_plans.keep(DayPlan.of(plan_id, content, changes, self._clock())))
        if plan.content != content:
            raise Problem("idempotency_key_reused", "This key has been used for a different request; use a new one.")
        self._access_log.looked_at_any("day_changed", who, (each.patient_id for each in plan.changes))
        return plan

    async def _lines(self, who: Identity, doctor_id: str, plan: DayPlan, key: str, reason: str | None) -> Lines:
        total = len(plan.changes)
        left: list[AppointmentLeft] = []
        position: dict[str, int] = {}
        yield DayBegun(total=total)
        await self._names.learn_people(planned.patient_id for planned in plan.changes)
        for number, planned in enumerate(plan.changes, start=1):
            command = self._command(who, doctor_id, planned, key, reason)
            try:
                await self._require_unchanged(planned, command.id)
                done = await self._client.send(command)
            except (Problem, NoAnswer, StoreUnavailable) as error:
                problem = problem_of(error)
                if problem.code in _UNDECIDED:
                    yield DayInterrupted(code=problem.code, detail=problem.detail)
                    return
                left.append(self._left(planned, number, total, problem))
                yield left[-1]
                continue
            position |= done.position
            if not isinstance(done.value, AppointmentView):
                raise TypeError(f"an actor answered {command.kind} with a schedule")
            shown = self._names.for_staff(done.value)
            yield AppointmentDone(number=number, total=total, appointment=shown, replayed=done.replayed)
        yield DayFinished(changed=total - len(left), not_changed=tuple(left), position=position)

    async def _require_unchanged(self, planned: PlannedChange, command_id: str) -> None:
        """Raise `Problem` if another command has moved or ended the appointment since the plan was made."""
        found = (await self._records.appointments.by_ids([planned.appointment_id])).get(planned.appointment_id)
        if found is None or any(event.command_id == command_id for event in found.history):
            return
        if not found.active or found.start != planned.start:
            raise Problem("wrong_status", "The appointment was changed after this request was first made.")

    def _command(
        self, who: Identity, doctor_id: str, planned: PlannedChange, key: str, reason: str | None
    ) -> RescheduleAppointment | CancelAppointment:
        command_key = derived_id("day-change", key, planned.appointment_id)
        header = self._client.header(who, doctor_id, "rest", command_key)
        if planned.to is None:
            return CancelAppointment(**header, appointment_id=planned.appointment_id, reason=reason)
        return RescheduleAppointment(**header, appointment_id=planned.appointment_id, start=planned.to)

    def _left(self, planned: PlannedChange, number: int, total: int, problem: Problem) -> AppointmentLeft:
        return AppointmentLeft(
            number=number,
            total=total,
            appointment_id=planned.appointment_id,
            patient_id=planned.patient_id,
            patient=self._names.person(planned.patient_id),
            start=planned.start,
            code=problem.code,
            detail=problem.detail,
        )
