"""An agents process that does not send every third notice of a doctor."""

import asyncio
from collections.abc import Iterable

import structlog

from agents import __main__ as agents
from agents.publisher import Publisher
from hub.bus.messages import Notice

log = structlog.get_logger(__name__)
_send_notices = Publisher._send_notices


async def _send_some(self: Publisher, partition: int, notices: Iterable[Notice]) -> list[asyncio.Future[object]]:
    return await _send_notices(self, partition, [notice for notice in notices if not _is_lost(notice)])


def _is_lost(notice: Notice) -> bool:
    if notice.event.seq % 3:
        return False
    log.info("notice_lost", doctor_id=notice.doctor_id, seq=notice.event.seq)
    return True


if __name__ == "__main__":
    Publisher._send_notices = _send_some
    agents.main()
