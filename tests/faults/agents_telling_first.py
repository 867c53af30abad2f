"""An agents process that publishes notices and replies before it writes."""

import asyncio
from collections.abc import Sequence

from agents import __main__ as agents
from hub.records.appointments import MongoAppointments
from hub.records.ports import Saved, SaveOutcome
from hub.scheduling.appointment import Appointment

_LATER = 1.5
_save = MongoAppointments.save
_writing: set[asyncio.Task[SaveOutcome]] = set()


async def _promise_to_save(self: MongoAppointments, appointments: Sequence[Appointment]) -> SaveOutcome:
    async def write() -> SaveOutcome:
        await asyncio.sleep(_LATER)
        return await _save(self, appointments)

    task = asyncio.create_task(write())
    _writing.add(task)
    task.add_done_callback(_writing.discard)
    return Saved()


if __name__ == "__main__":
    MongoAppointments.save = _promise_to_save
    agents.main()
