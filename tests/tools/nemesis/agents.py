"""An agents process that loses or delays replies and notices, or stops before a write, when a fault switch is on."""

import asyncio
import os
import signal
from collections.abc import Iterable, Sequence

import structlog

from agents import __main__ as agents
from agents.publisher import Publisher
from hub.bus.messages import Notice, Reply
from hub.records.appointments import MongoAppointments
from hub.records.ports import SaveOutcome
from hub.scheduling.appointment import Appointment
from tests.tools.nemesis.control import LOGGED, STALLS, is_asked, take

log = structlog.get_logger(__name__)

_REPLY_LATE = 2.5
"""Seconds. The api repeats a command after one second."""
_NOTICE_LATE = 1.5
"""Seconds. By then, later notices have arrived, and the missing ones may have been read from the record."""

_reply = Publisher._reply
_send_notices = Publisher._send_notices
_save = MongoAppointments.save
_late: set[asyncio.Task[None]] = set()


async def _reply_badly(self: Publisher, topic: str, replies: list[Reply]) -> None:
    if is_asked("lose-replies"):
        for reply in replies:
            log.info(LOGGED["lose-replies"], command_id=reply.command_id)
        return
    if is_asked("delay-replies"):
        for reply in replies:
            log.info(LOGGED["delay-replies"], command_id=reply.command_id)
        await asyncio.sleep(_REPLY_LATE)
    await _reply(self, topic, replies)


async def _send_notices_badly(
    self: Publisher, partition: int, notices: Iterable[Notice]
) -> list[asyncio.Future[object]]:
    told = list(notices)
    if is_asked("lose-notices"):
        _say(LOGGED["lose-notices"], told)
        return []
    if is_asked("delay-notices"):
        _say(LOGGED["delay-notices"], told)
        task = asyncio.create_task(_send_later(self, partition, told))
        _late.add(task)
        task.add_done_callback(_late.discard)
        return []
    return await _send_notices(self, partition, told)


async def _send_later(publisher: Publisher, partition: int, notices: list[Notice]) -> None:
    await asyncio.sleep(_NOTICE_LATE)
    await asyncio.gather(*await _send_notices(publisher, partition, notices), return_exceptions=True)


def _say(event: str, notices: Iterable[Notice]) -> None:
    for notice in notices:
        log.info(event, doctor_id=notice.doctor_id, seq=notice.event.seq)


async def _save_after_a_stall(self: MongoAppointments, appointments: Sequence[Appointment]) -> SaveOutcome:
    stalled = bool(appointments) and take("stall")
    if stalled:
        log.info(STALLS, decisions=len(appointments))
        os.kill(os.getpid(), signal.SIGSTOP)
    outcome = await _save(self, appointments)
    if stalled:
        log.info("went_on", decisions=len(appointments), outcome=type(outcome).__name__)
    return outcome


def main() -> None:
    Publisher._reply = _reply_badly
    Publisher._send_notices = _send_notices_badly
    MongoAppointments.save = _save_after_a_stall
    agents.main()


if __name__ == "__main__":
    main()
