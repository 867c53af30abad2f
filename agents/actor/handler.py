"""From the messages of a batch to published answers."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import structlog
from faust.types import EventT
from prometheus_client import Counter
from pydantic import ValidationError

from agents.actor.actors import DoctorActors
from agents.actor.refusal_cache import RefusalCache
from agents.answers import Answer, refusal
from agents.metrics import BATCH_COMMANDS, BATCH_SECONDS, DECIDED, DECISION_SECONDS, LAG
from agents.publisher import Origin, Publisher
from hub.bus.connection import REPLY_TO
from hub.bus.signatures import NOT_SIGNED, SIGNATURE, CommandSignatures
from hub.bus.topics import instance_of
from hub.clock import Clock
from hub.scheduling.commands import Command, CommandAdapter
from hub.scheduling.decision import Refused

log = structlog.get_logger(__name__)
_CLOCK_STEP = timedelta(milliseconds=1)
"""The smallest difference between two instants, which have whole milliseconds."""
REJECTED = Counter("clinic_commands_rejected_total", "Messages on the command topic that could not be read.")
UNSIGNED = Counter("clinic_commands_unsigned_total", "Refused commands whose signature is missing or not ours.")


class CommandHandler:
    """Handles the dispatcher's batches."""

    def __init__(
        self,
        actors: DoctorActors,
        publisher: Publisher,
        clock: Clock,
        signatures: CommandSignatures,
        holds_lease: Callable[[], bool] = lambda: True,
    ) -> None:
        self._actors = actors
        self._publisher = publisher
        self._clock = clock
        self._signatures = signatures
        self._holds_lease = holds_lease
        self._refusals = RefusalCache(clock)
        self._took_over_at = clock()

    async def handle(self, events: Sequence[EventT[bytes]]) -> None:
        """Decide, write, then publish. Raises when the database or the broker does not answer; repeating is safe."""
        readable: list[tuple[Command, Origin]] = []
        unsigned: list[tuple[Answer, Origin]] = []
        for event in events:
            try:
                command = CommandAdapter.validate_json(event.value or b"")
            except ValidationError as error:
                REJECTED.inc()
                log.warning(
                    "command_rejected",
                    partition=event.message.tp.partition,
                    offset=event.message.offset,
                    problems=error.error_count(),
                )
                await self._publisher.reject(event.value, event.key)
                continue
            if self._is_ours(event):
                readable.append((command, _origin(event)))
            else:
                unsigned.append((_not_believed(command, event), _origin(event)))
        began = self._clock()
        BATCH_COMMANDS.observe(len(events))
        answers = await self._answers([command for command, _ in readable])
        origins = [origin for _, origin in readable]
        await self._publisher.publish([*zip(answers, origins, strict=True), *unsigned])
        published = self._clock()
        BATCH_SECONDS.observe((published - began).total_seconds())
        for (command, _), answer in zip(readable, answers, strict=True):
            _observe(command, answer, began, published)

    def forget(self) -> None:
        """Trust nothing from before: after a rebalance another worker may have decided."""
        self._actors.forget()
        self._refusals.clear()
        self._took_over_at = self._clock()

    async def _answers(self, commands: Sequence[Command]) -> list[Answer]:
        """Return the answer to each command."""
        return [answer for part in _with_one_issue_each(commands) for answer in await self._decided(part)]

    async def _decided(self, commands: Sequence[Command]) -> list[Answer]:
        """Return the answer to each command. Copies of the same issue are decided once and answered alike."""
        refused = [None if self._is_old(command) else self._refusals.get(command) for command in commands]
        fresh = {
            (command.id, command.at): _expired(command) if self._is_old(command) else command
            for command, cached in zip(commands, refused, strict=True)
            if cached is None
        }
        answers = await self._actors.handle(list(fresh.values()), self._holds_lease)
        for command, answer in zip(fresh.values(), answers, strict=True):
            if isinstance(result := answer.reply.result, Refused):
                self._refusals.add(command, result)
        decided = dict(zip(fresh, answers, strict=True))
        return [
            refusal(command, cached) if cached else decided[command.id, command.at]
            for command, cached in zip(commands, refused, strict=True)
        ]

    def _is_ours(self, event: EventT[bytes]) -> bool:
        """Whether a process of this hub has signed the command. No other is decided, whoever it says to be from."""
        headers = dict(event.headers or {})
        return self._signatures.is_valid(headers.get(SIGNATURE), event.value or b"", headers.get(REPLY_TO, b""))

    def _is_old(self, command: Command) -> bool:
        """Whether the command was asked before this worker took over.

        The worker before may have refused it, and its client may have been told. So it is not carried out any more; if
        it has been carried out already, the record shows it. Only the api knows whether its client was told anything;
        if not, the api asks anew (`hub.bus.requests`). The clocks of the machines have to agree. Commands of the hub
        itself never expire, and no client is told of them.
        """
        return command.expires is not None and command.at <= self._took_over_at


def _with_one_issue_each(commands: Sequence[Command]) -> Iterator[list[Command]]:
    """Split the commands where one is issued again: whether the first issue was refused has to be known by then."""
    part: list[Command] = []
    issued: dict[str, datetime] = {}
    for command in commands:
        if issued.get(command.id, command.at) != command.at:
            yield part
            part, issued = [], {}
        part.append(command)
        issued[command.id] = command.at
    yield part


def _expired(command: Command) -> Command:
    return command.model_copy(update={"expires": command.at - _CLOCK_STEP})


def _not_believed(command: Command, event: EventT[bytes]) -> Answer:
    """Count and log a command without a signature of ours, and return its refusal. It is neither decided nor cached."""
    UNSIGNED.inc()
    log.error(
        "command_not_signed",
        partition=event.message.tp.partition,
        offset=event.message.offset,
        command_id=command.id,
        kind=command.kind,
        role=command.by.role.value,
        doctor_id=command.doctor_id,
    )
    return refusal(command, NOT_SIGNED)


def _origin(event: EventT[bytes]) -> Origin:
    topic = (dict(event.headers or {}).get(REPLY_TO) or b"").decode(errors="replace")
    return Origin(event.message.tp.partition, topic if instance_of(topic) else None)


def _observe(command: Command, answer: Answer, began: datetime, published: datetime) -> None:
    result = answer.reply.result
    outcome = result.code.value if isinstance(result, Refused) else "done"
    took = (published - command.at).total_seconds()
    DECIDED.labels(command.kind, outcome).inc()
    # The clocks of two machines differ a little, and a negative value would spoil the sum of a histogram.
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
