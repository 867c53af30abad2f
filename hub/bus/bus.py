"""The api's side of the bus: asks, and follows; holds one connection after the other to the broker."""

import asyncio

import structlog
from aiokafka.errors import KafkaError

from hub import ids
from hub.bus.broker_config import BrokerConfig
from hub.bus.connection import Connection, connect
from hub.bus.feed import Feed
from hub.bus.messages import Reply, SessionEnded
from hub.bus.ports import OnNotice, OnSessionEnded
from hub.bus.requests import Requests
from hub.clock import Clock
from hub.records.ports import Records
from hub.scheduling.commands import Command

log = structlog.get_logger(__name__)

_ANNOUNCE_WITHIN = 1.0
_RECONNECT = 0.5
"""Seconds between two attempts to reach the broker."""


class Bus:
    """Implements `hub.bus.ports.Commands`, `Following` and `Announcing` while `run` runs."""

    def __init__(
        self, broker: BrokerConfig, records: Records, clock: Clock, deliver: OnNotice, session_ended: OnSessionEnded
    ) -> None:
        self.broker = broker
        self._session_ended = session_ended
        self._requests = Requests(self, clock)
        self._feed = Feed(records, deliver)
        self._connection: Connection | None = None
        self._answering = False

    @property
    def connected(self) -> bool:
        """Whether the broker answered when we last looked, at most some three seconds ago."""
        return self._connection is not None and self._answering

    async def ask(self, command: Command) -> Reply:
        """See `hub.bus.ports.Commands`."""
        return await self._requests.ask(command)

    async def follow(self, doctor_id: str) -> int:
        """See `hub.bus.ports.Following`."""
        return await self._feed.follow(doctor_id)

    def unfollow(self, doctor_id: str) -> None:
        """See `hub.bus.ports.Following`."""
        self._feed.unfollow(doctor_id)

    async def announce(self, ended: SessionEnded) -> None:
        """See `hub.bus.ports.Announcing`."""
        try:
            if self._connection is not None:
                async with asyncio.timeout(_ANNOUNCE_WITHIN):
                    await self._connection.announce(ended)
        except (KafkaError, TimeoutError) as error:
            log.warning("session_end_not_announced", error=type(error).__name__)

    async def send(self, command: Command, encoded: bytes) -> None:
        """Send a command once over the present connection. Raises ConnectionError when there is none."""
        if self._connection is None:
            raise ConnectionError("not connected to the broker")
        try:
            await self._connection.send(command, encoded)
        except KafkaError as error:
            raise ConnectionError("the broker did not take the command") from error

    async def run(self) -> None:
        """Stay connected, for ever; cancel it to stop. Any other end of it is an error that must end the process."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._feed.run())
            group.create_task(self._stay_connected())

    async def _stay_connected(self) -> None:
        complained = False
        while True:
            try:
                # A new name each time: a broker that has been emptied does not know the topic of the last one.
                async with connect(self.broker, ids.instance_id()) as connection:
                    complained = False
                    log.info("broker_connected", servers=self.broker.servers)
                    await self._use(connection)
                log.warning("broker_data_lost", servers=self.broker.servers, doing="connecting anew")
            except (KafkaError, OSError, TimeoutError) as error:
                if not complained:  # once per outage, not twice a second
                    log.warning("broker_unreachable", servers=self.broker.servers, error=type(error).__name__)
                complained = True
            await asyncio.sleep(_RECONNECT)

    async def _use(self, connection: Connection) -> None:
        """Use the connection until the broker forgets it."""
        self._connection = connection
        self._answering = True
        receiving = asyncio.create_task(
            connection.receive(self._requests.answered, self._feed.receive, self._session_ended)
        )
        forgotten = asyncio.create_task(connection.until_data_lost(self._see))
        try:
            done, _ = await asyncio.wait({receiving, forgotten}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._connection = None
            for task in (receiving, forgotten):
                task.cancel()
            await asyncio.gather(receiving, forgotten, return_exceptions=True)

    def _see(self, answers: bool) -> None:  # noqa: FBT001 -- a callback with one yes-or-no
        self._answering = answers
