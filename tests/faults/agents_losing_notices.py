"""An agents process that loses every third notice of a doctor on its way to the bus."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import structlog

from agents import __main__ as agents
from agents.answers import Answer
from agents.publisher import Publisher

log = structlog.get_logger(__name__)
_send_notices = Publisher._send_notices


async def _send_some(self: Publisher, partition: int, answers: Iterable[Answer]) -> list[asyncio.Future[object]]:
    return await _send_notices(self, partition, [_without_notice(answer) for answer in answers])


def _without_notice(answer: Answer) -> Answer:
    if answer.notice is None or answer.notice.event.seq % 3:
        return answer
    log.info("notice_lost", doctor_id=answer.notice.doctor_id, seq=answer.notice.event.seq)
    return replace(answer, notice=None)


if __name__ == "__main__":
    Publisher._send_notices = _send_some
    agents.main()
