"""An agents process that does not send the first reply to each command that it has written."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from agents import __main__ as agents
from agents.answers import Answer
from agents.publisher import Origin, Publisher
from hub.scheduling.decision import Refused

log = structlog.get_logger(__name__)
_publish = Publisher.publish
_lost: set[str] = set()


async def _publish_losing(self: Publisher, answers: Sequence[tuple[Answer, Origin]]) -> None:
    await _publish(
        self,
        [(answer, replace(origin, reply_to=None) if _is_lost(answer) else origin) for answer, origin in answers],
    )


def _is_lost(answer: Answer) -> bool:
    command_id = answer.reply.command_id
    if isinstance(answer.reply.result, Refused) or command_id in _lost:
        return False
    _lost.add(command_id)
    log.info("reply_lost", command_id=command_id)
    return True


if __name__ == "__main__":
    Publisher.publish = _publish_losing
    agents.main()
