"""From the messages of a batch to answers that everybody is told."""

from collections.abc import Sequence

import structlog
from faust.types import EventT
from prometheus_client import Counter
from pydantic import ValidationError

from agents.doctors import Doctors
from agents.publisher import Publisher
from hub.bus.link import REPLY_TO
from hub.scheduling.commands import Command, CommandAdapter

log = structlog.get_logger(__name__)
REJECTED = Counter("clinic_commands_rejected_total", "Messages on the command topic that could not be read.")


class CommandHandler:
    """Handles batches for the pump."""

    def __init__(self, doctors: Doctors, publisher: Publisher) -> None:
        self._doctors = doctors
        self._publisher = publisher

    async def handle(self, partition: int, events: Sequence[EventT[bytes]]) -> None:
        """Decide, write, then tell. Raises when the database or the broker does not take it; repeating is safe."""
        readable: list[tuple[Command, str | None]] = []
        for event in events:
            try:
                readable.append((CommandAdapter.validate_json(event.value or b""), _reply_topic(event)))
            except ValidationError as error:
                REJECTED.inc()
                log.warning(
                    "command_rejected", partition=partition, offset=event.message.offset, problems=error.error_count()
                )
                await self._publisher.reject(event.value, event.key)
        answers = await self._doctors.handle([command for command, _ in readable])
        replies = [reply_to for _, reply_to in readable]
        await self._publisher.publish(partition, list(zip(answers, replies, strict=True)))


def _reply_topic(event: EventT[bytes]) -> str | None:
    header = dict(event.headers or {}).get(REPLY_TO)
    return header.decode() if header else None
