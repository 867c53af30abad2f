"""The one composition root of the agents process."""

from dataclasses import dataclass
from typing import Any

import faust
import structlog

from agents.commands import CommandHandler
from agents.days import Days, DoctorTable
from agents.doctors import Doctors
from agents.publisher import Publisher
from agents.pump import Pump
from agents.transport import HubApp
from hub.bus import topics
from hub.bus.place import BrokerPlace
from hub.clock import Clock
from hub.records.ports import Records

log = structlog.get_logger(__name__)

GROUP = "clinic-agents"
_DRAIN = 1.0
"""Seconds that commands under way get before their partition goes to another worker."""


@dataclass(frozen=True)
class Agents:
    """A Faust app and what it publishes with: start the publisher first and stop it last."""

    app: faust.App
    publisher: Publisher


def build(place: BrokerPlace, records: Records, clock: Clock, scratch: str) -> Agents:
    """Put the process together; nothing is opened yet. `scratch` is a folder of this process alone."""
    app = _faust(place, scratch)
    commands = app.topic(
        topics.COMMANDS,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        partitions=place.partitions,
        internal=True,  # else the embedded broker makes it with a count of its own
    )
    days = Days(app.Table("days", key_type=bytes, partitions=place.partitions))
    doctors = Doctors(records, days, clock)
    publisher = Publisher(place)
    pump = Pump(app, CommandHandler(doctors, publisher, clock).handle)

    @app.agent(commands)
    async def intake(stream: Any) -> None:
        async for event in stream.noack().events():
            await pump.feed(event)

    @app.on_partitions_revoked.connect
    async def hand_over(_: Any, /, *args: Any, **__: Any) -> None:
        (revoked,) = args
        if revoked:
            await pump.drain(_DRAIN)
            await app.consumer.commit()

    @app.on_rebalance_complete.connect
    async def take_over(*_: Any, **__: Any) -> None:
        # Without this, a worker with tables fetches with its old positions and strands commands (faust issue 596).
        app.consumer.stop_flow()
        doctors.forget()
        owned = sorted(tp.partition for tp in app.consumer.assignment() if tp.topic == topics.COMMANDS)
        log.info("doctors_taken_over", partitions=owned)

    return Agents(app, publisher)


def _faust(place: BrokerPlace, scratch: str) -> faust.App:
    app = HubApp(
        GROUP,
        broker=f"clinic://{place.servers.replace(',', ';clinic://')}",
        store="memory://",
        Table=DoctorTable,
        datadir=scratch,
        web_enabled=False,
        topic_partitions=place.partitions,
        topic_replication_factor=place.replication,
        table_standby_replicas=0,  # MongoDB is the stand-by
        broker_session_timeout=place.profile.session_timeout,
        broker_heartbeat_interval=place.profile.heartbeat,
        broker_rebalance_timeout=place.profile.rebalance_timeout,
        broker_commit_interval=0.2,
        stream_wait_empty=False,  # a batch that waits for the database must not hold up the exit
    )
    app.fetch_wait_ms = place.profile.fetch_wait_ms
    return app
