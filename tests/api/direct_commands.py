"""The way of a command without a bus: decided at once against the store, as the doctor's actor would."""

import asyncio

from hub.bus.messages import Declined, Done, Reply
from hub.bus.ports import NoAnswer
from hub.clock import Clock
from hub.records.ports import Fence, Records, Saved, Stopped
from hub.scheduling.appointment import evolve
from hub.scheduling.calendar import Calendar
from hub.scheduling.commands import BookAppointment, Command
from hub.scheduling.decide import Accepted, RefusalCode, Refused, Repeated, decide, repeated
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
        if applied is not None:
            event = applied.caused_by(command.id)
            assert event is not None
            decision = repeated(command, applied, event)
        else:
            decision = decide(await self._calendar(command), command, self._clock())
        match decision:
            case Refused(code, detail):
                return Declined(command_id=command.id, code=code, detail=detail)
            case Repeated(appointment, _):
                return Done(command_id=command.id, appointment=view(appointment))
            case Accepted(appointment_id, event):
                before = (await appointments.by_ids([appointment_id])).get(appointment_id)
                after = evolve(before, event)
        match await appointments.save([after]):
            case Saved():
                return Done(command_id=command.id, appointment=view(after))
            case Stopped(_, fence):
                code, detail = _FENCED[fence]
                return Declined(command_id=command.id, code=code, detail=detail)
            case outcome:
                raise AssertionError(f"nobody else writes here, yet: {outcome}")

    async def _calendar(self, command: Command) -> Calendar:
        doctor = await self._records.users.by_id(command.doctor_id)
        assert doctor is not None
        assert doctor.calendar is not None
        active = await self._records.appointments.active_since([doctor.id], self._clock())
        named = [] if isinstance(command, BookAppointment) else [command.appointment_id]
        return Calendar(
            doctor=doctor.calendar,
            seq=await self._records.appointments.last_seq(doctor.id),
            holders={appointment.start: appointment.id for appointment in active},
            appointments=await self._records.appointments.by_ids(named),
        )
