"""An agents process that publishes its notices, and writes a second later."""

import asyncio
from collections.abc import Sequence

from agents.actor.state_reader import StateReader
from agents.publisher import Publisher
from hub.bus import topics
from hub.bus.broker_config import BrokerConfig
from hub.bus.messages import notice_of
from hub.records.appointments import MongoAppointments
from hub.records.ports import SaveOutcome
from hub.scheduling.appointment import Appointment
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule_record import ScheduleRecord
from tests.tools.nemesis import agents

_LATER = 1.0
_made = Publisher.__init__
_publishers: list[Publisher] = []
_states = StateReader.states
_save = MongoAppointments.save
_known: dict[str, ScheduleRecord] = {}


def _make(self: Publisher, broker: BrokerConfig) -> None:
    _made(self, broker)
    _publishers.append(self)


async def _remember(self: StateReader, commands: Sequence[object]) -> dict[str, DoctorState]:
    found = await _states(self, commands)  # type: ignore[arg-type]  # whatever it was called with
    _known.update({doctor_id: state.schedule_record for doctor_id, state in found.items()})
    return found


async def _publish_and_save(self: MongoAppointments, appointments: Sequence[Appointment]) -> SaveOutcome:
    (publisher,) = _publishers
    for appointment in appointments:
        notice = notice_of(RecordedEvent(appointment.last, appointment), _known[appointment.doctor_id], ())
        partition = topics.partition_of(appointment.doctor_id, publisher._broker.partitions)
        await asyncio.gather(*await publisher._send_notices(partition, [notice]))
    if appointments:
        await asyncio.sleep(_LATER)
    return await _save(self, appointments)


if __name__ == "__main__":
    Publisher.__init__ = _make
    StateReader.states = _remember
    agents._save = _publish_and_save  # under the one that stops before it writes
    agents.main()
