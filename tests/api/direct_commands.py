"""The way of a command without a bus: decided at once against the store, as the doctor's actor would."""

import asyncio

from hub.bus.messages import Declined, Done, Reply, TimetableDone
from hub.bus.ports import NoAnswer
from hub.clock import Clock
from hub.records.ports import Fence, Records, Saved, Stopped
from hub.records.schedules import schedule_record_of
from hub.scheduling.appointment import Appointment, evolve
from hub.scheduling.commands import BookAppointment, Command, ScheduleChange
from hub.scheduling.decide import decide, repeated
from hub.scheduling.decision import Accepted, Arranged, RefusalCode, Refused, Repeated, RepeatedArrangement
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.schedule_record import Aggregate, rearrange
from hub.scheduling.views import view

_FENCED = {
    Fence.DOCTOR_SLOT: (RefusalCode.SLOT_TAKEN, "This slot is taken."),
    Fence.PATIENT_TIME: (RefusalCode.PATIENT_BUSY, "The patient has another appointment then."),
}


class DirectCommands:
    """Implements `hub.bus.ports.Commands`; `asked` keeps every command, `silent` makes it answer like a dead bus."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self.asked: list[Command] = []
        self.silent = False

    async def ask(self, command: Command) -> Reply:
        self.asked.append(command)
        if self.silent:
            raise NoAnswer("nobody is there")
        async with self._one_at_a_time:
            return await self._answer(command)

    async def _answer(self, command: Command) -> Reply:
        appointments = self._records.appointments
        applied = await appointments.by_command(command.id)
        calendar = await self._calendar(command)
        decision = repeated(command, applied) if applied else decide(calendar, command, self._clock())
        after: Aggregate
        match decision:
            case Refused(code, detail):
                return Declined(command_id=command.id, code=code, detail=detail)
            case Repeated(appointment, _):
                return Done(command_id=command.id, appointment=view(appointment))
            case RepeatedArrangement(schedule_record, _):
                return TimetableDone(command_id=command.id, doctor=schedule_record.doctor)
            case Arranged(event):
                after = rearrange(calendar.schedule_record, event)
            case Accepted(appointment_id, event):
                before = (await appointments.by_ids([appointment_id])).get(appointment_id)
                after = evolve(before, event)
        match await appointments.save([after]):
            case Saved() if isinstance(after, Appointment):
                return Done(command_id=command.id, appointment=view(after))
            case Saved():
                return TimetableDone(command_id=command.id, doctor=after.doctor)
            case Stopped(_, fence):
                code, detail = _FENCED[fence]
                return Declined(command_id=command.id, code=code, detail=detail)
            case outcome:
                raise AssertionError(f"nobody else writes here, yet: {outcome}")

    async def _calendar(self, command: Command) -> DoctorState:
        schedule_record = await schedule_record_of(self._records, command.doctor_id)
        assert schedule_record is not None
        active = await self._records.appointments.active_since([command.doctor_id], self._clock())
        named = [] if isinstance(command, BookAppointment | ScheduleChange) else [command.appointment_id]
        return DoctorState(
            schedule_record=schedule_record,
            seq=await self._records.appointments.last_seq(command.doctor_id),
            slot_owners={appointment.start: appointment.id for appointment in active},
            appointments=await self._records.appointments.by_ids(named),
        )
