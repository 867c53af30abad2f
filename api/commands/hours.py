"""The commands on a doctor's own hours and time off, for REST and sockets."""

from typing import Annotated, Self

from pydantic import StringConstraints, model_validator

from api.commands.appointments import Moment
from api.commands.command_client import CommandClient, Done
from api.http.problems import Problem
from api.http.ranges import require_order
from hub.accounts.identity import Identity
from hub.clock import Clock
from hub.records.ports import Records
from hub.records.schedules import schedule_of
from hub.scheduling.commands import AddTimeOff, ChangeHours, RemoveTimeOff, ScheduleChange
from hub.scheduling.decide_schedule import outside_hours
from hub.scheduling.schedule import Schedule, TimeOff, WeeklyHours
from hub.scheduling.values import Role, Value, Via
from hub.scheduling.views import AppointmentView, ScheduleView, schedule_view, view


class HoursRequest(Value):
    """All weekly shifts, by the clock of the doctor's zone. They replace the present ones; there may be none."""

    shifts: WeeklyHours


class TimeOffRequest(Value):
    """When the doctor is away: from `start` until `end`, on full or half hours of the doctor's clock.

    Only the doctor sees the `note`. White space around it is removed.
    """

    start: Moment
    end: Moment
    note: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        require_order(("start", self.start), ("end", self.end), may_be_empty=False)
        return self


class OwnCalendar(Value):
    """A doctor's hours, and the future appointments `outside` them, which stay as they are until they are moved."""

    calendar: ScheduleView
    outside: tuple[AppointmentView, ...]


class EnteredTimeOff(Value):
    """New time off, and the future appointments that are now `outside` the doctor's hours."""

    time_off: TimeOff
    outside: tuple[AppointmentView, ...]


class HoursCommands:
    """Turns the requests of a doctor into commands to the doctor's own actor. Every method raises `Problem`."""

    def __init__(self, records: Records, client: CommandClient, clock: Clock) -> None:
        self._records = records
        self._client = client
        self._clock = clock

    async def show(self, who: Identity) -> OwnCalendar:
        """Return the doctor's present hours."""
        return await self._own(await self._doctor(who))

    async def time_off(self, who: Identity) -> list[TimeOff]:
        """Return the doctor's time off by start, past time off included."""
        return sorted((await self._doctor(who)).time_off, key=lambda off: (off.start, off.id))

    async def change(self, who: Identity, request: HoursRequest, via: Via, key: str | None) -> Done[OwnCalendar]:
        """Replace the weekly hours and return the new ones, with the appointments that are outside them now."""
        header = self._client.header(who, _doctors_id(who), via, key)
        done = await self._send(ChangeHours(**header, shifts=request.shifts))
        return Done(await self._own(done.value), done.replayed, done.position)

    async def add_time_off(
        self, who: Identity, request: TimeOffRequest, via: Via, key: str | None
    ) -> Done[EnteredTimeOff]:
        """Add time off."""
        header = self._client.header(who, _doctors_id(who), via, key)
        command = AddTimeOff(**header, start=request.start, end=request.end, note=request.note)
        done = await self._send(command)
        own = await self._own(done.value)
        entered = TimeOff(id=command.id, start=command.start, end=command.end, note=command.note)
        return Done(EnteredTimeOff(time_off=entered, outside=own.outside), done.replayed, done.position)

    async def remove_time_off(self, who: Identity, time_off_id: str, via: Via, key: str | None) -> Done[None]:
        """Remove time off."""
        header = self._client.header(who, _doctors_id(who), via, key)
        done = await self._send(RemoveTimeOff(**header, time_off_id=time_off_id))
        return Done(None, done.replayed, done.position)

    async def _doctor(self, who: Identity) -> Schedule:
        doctor = await schedule_of(self._records, _doctors_id(who))
        if doctor is None:
            raise Problem("invalid_token", "The account of this token does not exist.")
        return doctor

    async def _send(self, command: ScheduleChange) -> Done[Schedule]:
        done = await self._client.send(command)
        if not isinstance(done.value, Schedule):
            raise TypeError(f"an actor answered {command.kind} with an appointment")
        return Done(done.value, done.replayed, done.position)

    async def _own(self, doctor: Schedule) -> OwnCalendar:
        """Return the doctor's hours. After a change no new booking can be outside them, so this read misses none."""
        now = self._clock()
        found = await self._records.appointments.active_since([doctor.id], now)
        outside = tuple(view(appointment) for appointment in outside_hours(doctor, found, now))
        return OwnCalendar(calendar=schedule_view(doctor), outside=outside)


def _doctors_id(who: Identity) -> str:
    if who.role is not Role.DOCTOR:
        raise Problem("forbidden", "Only a doctor may do this.")
    return who.user_id
