"""An agents process that does not send every third notice of a doctor, neither by itself nor in a reply."""

import asyncio
from collections.abc import Iterable, Mapping

import structlog

from agents import __main__ as agents
from agents.publisher import Publisher
from hub.bus.messages import Notice, Reply

log = structlog.get_logger(__name__)
_send_notices = Publisher._send_notices
_send_replies = Publisher._send_replies


async def _send_some(self: Publisher, partition: int, notices: Iterable[Notice]) -> list[asyncio.Future[object]]:
    return await _send_notices(self, partition, [notice for notice in notices if not _is_lost(notice)])


def _reply_without(self: Publisher, replies: Mapping[str, list[Reply]]) -> None:
    _send_replies(self, {topic: [_without(reply) for reply in of_topic] for topic, of_topic in replies.items()})


def _without(reply: Reply) -> Reply:
    return reply.model_copy(update={"notices": tuple(each for each in reply.notices if each.event.seq % 3)})


def _is_lost(notice: Notice) -> bool:
    if notice.event.seq % 3:
        return False
    log.info("notice_lost", doctor_id=notice.doctor_id, seq=notice.event.seq)
    return True


if __name__ == "__main__":
    Publisher._send_notices = _send_some
    Publisher._send_replies = _reply_without
    agents.main()
