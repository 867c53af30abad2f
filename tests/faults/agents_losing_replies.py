"""An agents process that loses the first reply about everything it has written."""

from collections.abc import Sequence

import structlog

from agents import __main__ as agents
from agents.answers import Answer
from agents.publisher import Publisher
from hub.bus.messages import Done

log = structlog.get_logger(__name__)
_publish = Publisher.publish
_lost: set[str] = set()


async def _publish_losing(self: Publisher, partition: int, answers: Sequence[tuple[Answer, str | None]]) -> None:
    await _publish(self, partition, [(answer, None if _is_lost(answer) else reply_to) for answer, reply_to in answers])


def _is_lost(answer: Answer) -> bool:
    command_id = answer.reply.command_id
    if not isinstance(answer.reply, Done) or command_id in _lost:
        return False
    _lost.add(command_id)
    log.info("reply_lost", command_id=command_id)
    return True


if __name__ == "__main__":
    Publisher.publish = _publish_losing
    agents.main()
