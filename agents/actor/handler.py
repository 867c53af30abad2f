"""From the messages of a batch to answers that everybody is told."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from faust.types import EventT
from prometheus_client import Counter
from pydantic import ValidationError

from agents.actor.actors import Doctors
from agents.actor.refusal_cache import Refusals
from agents.answers import Answer
from agents.metrics import BATCH_COMMANDS, BATCH_SECONDS, DECIDED, DECISION_SECONDS, LAG
from agents.publisher import Origin, Publisher
from hub.bus.connection import REPLY_TO
from hub.bus.messages import Declined
from hub.clock import Clock
from hub.scheduling.commands import Command, CommandAdapter

log = structlog.get_logger(__name__)
_INSTANT = timedelta(milliseconds=1)
REJECTED = Counter("clinic_commands_rejected_total", "Messages on the command topic that could not be read.")


class CommandHandler:
    """Handles the dispatcher's batches."""

    def __init__(
        self, doctors: Doctors, publisher: Publisher, clock: Clock, holds_lease: Callable[[], bool] = lambda: True
    ) -> None:
        self._doctors = doctors
        self._publisher = publisher
        self._clock = clock
        self._holds_lease = holds_lease
        self._refusals = Refusals(clock)
        self._since = clock()

    async def handle(self, events: Sequence[EventT[bytes]]) -> None:
        """Decide, write, then tell. Raises when the database or the broker does not take it; repeating is safe."""
        readable: list[tuple[Command, Origin]] = []
        for event in events:
            try:
                readable.append((CommandAdapter.validate_json(event.value or b""), _origin(event)))
            except ValidationError as error:
                REJECTED.inc()
                log.warning(
                    "command_rejected",
                    partition=event.message.tp.partition,
                    offset=event.message.offset,
                    problems=error.error_count(),
                )
                await self._publisher.reject(event.value, event.key)
        began = self._clock()
        BATCH_COMMANDS.observe(len(events))
        answers = await self._answers([command for command, _ in readable])
        origins = [origin for _, origin in readable]
        await self._publisher.publish(list(zip(answers, origins, strict=True)))
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
        refused = [None if self._is_old(command) else self._refusals.of(command) for command in commands]
        fresh = {
            (command.id, command.at): _expired(command) if self._is_old(command) else command
            for command, refusal in zip(commands, refused, strict=True)
            if refusal is None
        }
        answers = await self._doctors.handle(list(fresh.values()), self._holds_lease)
        for command, answer in zip(fresh.values(), answers, strict=True):
            self._refusals.note(command, answer.reply)
        decided = dict(zip(fresh, answers, strict=True))
        return [
            Answer(refusal, None) if refusal else decided[command.id, command.at]
            for command, refusal in zip(commands, refused, strict=True)
        ]

    def _is_old(self, command: Command) -> bool:
        """Whether it was asked before we took over: whoever decided here before may have refused it, and been heard.

        So it is not carried out any more; if it has been already, the record shows it. Whether its client was told
        anything knows the api alone, which asks anew if not (`hub.bus.requests`). The clocks of the machines have to
        agree. The hub's own commands, which never expire, are nobody's to be told of.
        """
        return command.expires is not None and command.at <= self._since


def _expired(command: Command) -> Command:
    return command.model_copy(update={"expires": command.at - _INSTANT})


def _origin(event: EventT[bytes]) -> Origin:
    header = dict(event.headers or {}).get(REPLY_TO)
    return Origin(event.message.tp.partition, header.decode() if header else None)


def _note(command: Command, answer: Answer, began: datetime, told: datetime) -> None:
    outcome = answer.reply.code.value if isinstance(answer.reply, Declined) else "done"
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
