"""From the messages of a batch to answers that everybody is told."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from faust.types import EventT
from prometheus_client import Counter
from pydantic import ValidationError

from agents.doctors import Answer, Doctors
from agents.metrics import BATCH_COMMANDS, BATCH_SECONDS, DECIDED, DECISION_SECONDS, LAG
from agents.publisher import Publisher
from agents.refusals import Refusals
from hub.bus.link import REPLY_TO
from hub.bus.messages import Done
from hub.clock import Clock
from hub.scheduling.commands import Command, CommandAdapter

log = structlog.get_logger(__name__)
_INSTANT = timedelta(milliseconds=1)
REJECTED = Counter("clinic_commands_rejected_total", "Messages on the command topic that could not be read.")


class CommandHandler:
    """Handles batches for the pump."""

    def __init__(self, doctors: Doctors, publisher: Publisher, clock: Clock) -> None:
        self._doctors = doctors
        self._publisher = publisher
        self._clock = clock
        self._refusals = Refusals(clock)
        self._since = clock()

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
        began = self._clock()
        BATCH_COMMANDS.observe(len(events))
        answers = await self._answers([command for command, _ in readable])
        replies = [reply_to for _, reply_to in readable]
        await self._publisher.publish(partition, list(zip(answers, replies, strict=True)))
        told = self._clock()
        BATCH_SECONDS.observe((told - began).total_seconds())
        for (command, _), answer in zip(readable, answers, strict=True):
            _note(command, answer, began, told)

    def forget(self) -> None:
        """Trust nothing any more: after a rebalance another worker may have decided."""
        self._doctors.forget()
        self._refusals.forget()
        self._since = self._clock()

    async def _answers(self, commands: Sequence[Command]) -> list[Answer]:
        """Return the answer to each command; copies of one asking are decided once, and refused alike."""
        refused = [self._refusals.of(command) for command in commands]
        fresh = {
            (command.id, command.at): self._in_time(command)
            for command, refusal in zip(commands, refused, strict=True)
            if refusal is None
        }
        answers = await self._doctors.handle(list(fresh.values()))
        for command, answer in zip(fresh.values(), answers, strict=True):
            self._refusals.note(command, answer.reply)
        decided = dict(zip(fresh, answers, strict=True))
        return [
            Answer(refusal, None) if refusal else decided[command.id, command.at]
            for command, refusal in zip(commands, refused, strict=True)
        ]

    def _in_time(self, command: Command) -> Command:
        """Return the command, as one that has expired if it was asked before we took over.

        Whoever decided here before may have refused it, and been heard. Whether the client was told anything knows the
        api alone: it asks anew (`hub.bus.requests`) if not. What has been carried out is found in the record all the
        same. The clocks of api and agents have to agree; those of the hub's own commands tell nobody.
        """
        if command.expires is None or command.at > self._since:
            return command
        return command.model_copy(update={"expires": command.at - _INSTANT})


def _reply_topic(event: EventT[bytes]) -> str | None:
    header = dict(event.headers or {}).get(REPLY_TO)
    return header.decode() if header else None


def _note(command: Command, answer: Answer, began: datetime, told: datetime) -> None:
    outcome = "done" if isinstance(answer.reply, Done) else answer.reply.code.value
    took = (told - command.at).total_seconds()
    DECIDED.labels(command.kind, outcome).inc()
    # The clocks of two machines differ a little, and a histogram takes what is below nothing for a large sum.
    LAG.observe(max(0.0, (began - command.at).total_seconds()))
    DECISION_SECONDS.labels(command.kind).observe(max(0.0, took))
    log.info(
        "command_decided",
        command_id=command.id,
        kind=command.kind,
        via=command.by.via,
        user_id=command.by.id,
        doctor_id=command.doctor_id,
        outcome=outcome,
        ms=round(took * 1000, 2),
    )
