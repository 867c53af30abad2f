"""The bus as the api uses it: it sends commands, delivers notices, and reconnects to the broker."""

import asyncio

import structlog
from aiokafka.errors import KafkaError

from hub import ids
from hub.bus.broker_config import BrokerConfig
from hub.bus.connection import Connection, connect
from hub.bus.diagnosis import diagnosis
from hub.bus.feed import Feed
from hub.bus.messages import Notice, Reply, SessionEnded
from hub.bus.ports import FeedState, OnNotice, OnSessionEnded
from hub.bus.reply_sockets import receiving
from hub.bus.requests import Requests, RequestTimeouts
from hub.clock import Clock
from hub.records.ports import Records
from hub.scheduling.commands import Command

log = structlog.get_logger(__name__)

_ANNOUNCE_TIMEOUT = 1.0
"""Seconds to hand an announcement to the broker."""
_RECONNECT_DELAY = 0.5
"""Seconds between two attempts to connect to the broker."""


class Bus:
    """Implements `hub.bus.ports.Commands`, `NoticeFeed` and `SessionAnnouncer` while `run` runs."""

    def __init__(  # noqa: PLR0913, PLR0917  # called once, in `api.app`
        self,
        broker: BrokerConfig,
        records: Records,
        clock: Clock,
        deliver: OnNotice,
        session_ended: OnSessionEnded,
        timeouts: RequestTimeouts | None = None,
    ) -> None:
        self.broker = broker
        self._session_ended = session_ended
        self._requests = Requests(self, clock, timeouts or RequestTimeouts())
        self._feed = Feed(records, deliver)
        self._connection: Connection | None = None
        self._feed.state.connected = False

    @property
    def connected(self) -> bool:
        """Whether the broker answered at the last check, at most about 3 seconds ago."""
        return self._feed.state.connected

    async def ask(self, command: Command) -> Reply:
        """See `hub.bus.ports.Commands`."""
        return await self._requests.ask(command)

    async def follow(self, doctor_id: str) -> int:
        """See `hub.bus.ports.NoticeFeed`."""
        return await self._feed.follow(doctor_id)

    def unfollow(self, doctor_id: str) -> None:
        """See `hub.bus.ports.NoticeFeed`."""
        self._feed.unfollow(doctor_id)

    def told(self, notice: Notice) -> None:
        """See `hub.bus.ports.NoticeFeed`."""
        self._feed.told(notice)

    @property
    def state(self) -> FeedState:
        """See `hub.bus.ports.NoticeFeed`."""
        return self._feed.state

    async def announce(self, ended: SessionEnded) -> None:
        """See `hub.bus.ports.SessionAnnouncer`."""
        try:
            if self._connection is not None:
                async with asyncio.timeout(_ANNOUNCE_TIMEOUT):
                    await self._connection.announce(ended)
        except (KafkaError, TimeoutError) as error:
            log.warning("session_end_not_announced", error=type(error).__name__)

    async def send(self, command: Command, encoded: bytes) -> None:
        """Send a command once over the current connection. Raises ConnectionError if there is none."""
        if self._connection is None:
            raise ConnectionError("not connected to the broker")
        try:
            await self._connection.send(command, encoded)
        except KafkaError as error:
            raise ConnectionError("the broker did not accept the command") from error

    async def run(self) -> None:
        """Stay connected until cancelled. If it ends in any other way, the process must end."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._feed.run())
            group.create_task(self._stay_connected())

    async def _stay_connected(self) -> None:
        warned = False
        while True:
            try:
                # A new instance id for each connection: after a loss of data, the old reply topic does not exist.
                async with connect(self.broker, ids.instance_id()) as connection:
                    warned = False
                    log.info("broker_connected", servers=self.broker.servers)
                    async with receiving(self.broker.reply_sockets, connection.reply_topic, self._requests.on_reply):
                        await self._use(connection)
                log.warning("broker_data_lost", servers=self.broker.servers, action="reconnecting")
            except (KafkaError, OSError, TimeoutError) as error:
                if not warned:  # once per outage, not twice a second
                    log.warning(
                        "broker_unreachable", servers=self.broker.servers, error=await diagnosis(self.broker, error)
                    )
                warned = True
            await asyncio.sleep(_RECONNECT_DELAY)

    async def _use(self, connection: Connection) -> None:
        """Use the connection until the broker loses its data."""
        self._connection = connection
        self._on_check(answers=True)
        self._feed.state.incarnation += 1
        receiving = asyncio.create_task(
            connection.receive(self._requests.on_reply, self._feed.receive, self._session_ended)
        )
        data_lost = asyncio.create_task(connection.until_data_lost(self._on_check))
        try:
            done, _ = await asyncio.wait({receiving, data_lost}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._connection = None
            self._on_check(answers=False)
            for task in (receiving, data_lost):
                task.cancel()
            await asyncio.gather(receiving, data_lost, return_exceptions=True)

    def _on_check(self, answers: bool) -> None:  # noqa: FBT001 -- a callback with one boolean
        self._feed.state.connected = answers
