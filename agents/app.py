"""Composes the agents process."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from agents.actor.actors import DoctorActors, Recorded
from agents.actor.dispatcher import Dispatcher
from agents.actor.doctor_table import DoctorPartitionedTable, DoctorTable
from agents.actor.handler import CommandHandler
from agents.deadlines import Deadlines
from agents.publisher import Publisher
from agents.texts.gateway import SmsGateway
from agents.texts.planning import TextPlanner
from agents.texts.sending import TextSender
from agents.transport import HubApp, credentials
from agents.waitlists import Waitlists
from hub.bus import topics
from hub.bus.broker_config import BrokerConfig
from hub.clock import Timekeeper
from hub.records.ports import Records
from hub.scheduling.appointment import Appointment
from hub.scheduling.line import OfferPolicy
from hub.texting.wording import Clinic

log = structlog.get_logger(__name__)

GROUP = "clinic-agents"
_DRAIN_TIMEOUT = 1.0
"""Seconds that pending commands get before their partition is handed to another worker."""


@dataclass(frozen=True)
class TextingConfig:
    """The clinic as texts present it, and the gateway. Without a gateway, texts are recorded and not sent.

    With `proven_only`, texts about appointments go to phones only that their owners have proven.
    """

    clinic: Clinic
    gateway: SmsGateway | None
    proven_only: bool = False


@dataclass(frozen=True)
class Agents:
    """The parts of an agents process. Start `publisher` before `app` and stop it after `app`.

    Run each function of `background` concurrently until shutdown. Await `finish` before you cancel them: it waits for
    POSTs to Twilio, which cannot be undone.
    """

    app: HubApp
    publisher: Publisher
    background: Sequence[Callable[[], Coroutine[None, None, None]]]
    finish: Callable[[], Awaitable[None]]


def build(  # noqa: PLR0913, PLR0917  # called once, in `agents.__main__`
    broker: BrokerConfig,
    records: Records,
    clock: Timekeeper,
    texting: TextingConfig,
    policy: OfferPolicy,
    most_active: int = 0,
) -> Agents:
    """Create all parts. It opens no connection. `most_active`: the appointments to come of a patient, 0: any number."""
    app = _faust(broker)
    commands = app.topic(
        topics.COMMANDS,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        partitions=broker.partitions,
        internal=True,  # otherwise the embedded broker creates it with its own partition count
    )
    table = DoctorTable(app.Table("days", key_type=bytes, partitions=broker.partitions))
    publisher = Publisher(broker)
    deadlines = Deadlines(records.appointments, clock, publisher.send_command)
    planner = TextPlanner(records, clock, texting.clinic, proven_only=texting.proven_only)
    sender = TextSender(records, clock, texting.gateway)
    waitlists = Waitlists(records, clock, publisher.send_command)

    def saved(recorded: Recorded) -> None:
        for each in recorded:
            planner.take(each)
        if isinstance(after := recorded[-1].aggregate, Appointment):
            deadlines.schedule(after)
        waitlists.saved(recorded)

    actors = DoctorActors(
        records,
        table,
        clock,
        on_saved=saved,
        on_orphan=deadlines.give_up,
        on_tended=waitlists.tended,
        policy=policy,
        most_active=most_active,
    )
    handler = CommandHandler(actors, publisher, clock, broker.signatures, app.holds_lease)
    dispatcher = Dispatcher(app, handler.handle, app.holds_lease)

    @app.agent(commands)
    async def intake(stream: Any) -> None:
        async for event in stream.noack().events():
            await dispatcher.feed(event)

    @app.on_partitions_revoked.connect
    async def hand_over(_: Any, /, *args: Any, **__: Any) -> None:
        (revoked,) = args
        if revoked:
            await dispatcher.drain(_DRAIN_TIMEOUT)
            await app.consumer.commit()

    @app.on_rebalance_complete.connect
    async def take_over(*_: Any, **__: Any) -> None:
        # Otherwise a worker with tables continues to fetch at its old positions and strands commands (faust issue 596).
        app.consumer.stop_flow()
        handler.forget()
        owned = {tp.partition for tp in app.consumer.assignment() if tp.topic == topics.COMMANDS}

        def owns(doctor_id: str) -> bool:
            return topics.partition_of(doctor_id, broker.partitions) in owned

        deadlines.take_over(owns)
        waitlists.take_over(owns)
        planner.take_over(owns)
        sender.set_leading(leading=0 in owned)
        log.info("doctors_taken_over", partitions=sorted(owned))

    return Agents(app, publisher, (deadlines.run, waitlists.run, planner.run, sender.run), sender.finish)


def _faust(broker: BrokerConfig) -> HubApp:
    app = HubApp(
        GROUP,
        broker=f"clinic://{broker.servers.replace(',', ';clinic://')}",
        store="memory://",
        Table=DoctorPartitionedTable,
        web_enabled=False,
        topic_partitions=broker.partitions,
        topic_replication_factor=broker.replication,
        table_standby_replicas=0,  # MongoDB has everything that the table has
        broker_session_timeout=broker.profile.session_timeout,
        broker_heartbeat_interval=broker.profile.heartbeat,
        broker_rebalance_timeout=broker.profile.rebalance_timeout,
        broker_commit_interval=0.2,
        broker_credentials=credentials(broker.security),
        stream_wait_empty=False,  # a batch that waits for the database must not delay the exit
    )
    app.fetch_wait_ms = broker.profile.fetch_wait_ms
    app.broker_security = broker.security
    return app
