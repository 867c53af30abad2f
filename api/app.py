"""The one composition root of an api process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from api import accounts, appointments, clocks, doctors, health
from api.endpoints import BODY_LIMIT, Endpoint, serve
from api.identity import Doorkeeper
from api.middleware import every_request
from api.services import Engine, Services, assemble
from hub.bus.bus import Bus
from hub.bus.place import place_of
from hub.bus.ports import OnNotice
from hub.clock import system_clock
from hub.records.errors import StoreUnavailable
from hub.records.mongo import connect
from hub.records.ports import Records
from hub.settings import BadSettings, Settings

log = structlog.get_logger()

TABLE: tuple[Endpoint, ...] = (
    *accounts.routes.table,
    *doctors.routes.table,
    *appointments.routes.table,
    *clocks.routes.table,
    *health.routes.table,
)
"""Every endpoint."""

_RETRY = 1.0
"""Seconds between two attempts to prepare a database that does not answer."""


def build(services: Services) -> web.Application:
    """Return the application. Opens nothing."""
    app = web.Application(middlewares=[every_request], client_max_size=BODY_LIMIT)
    doorkeeper = Doorkeeper(services.tokens.verify, services.clock)
    for endpoint in TABLE:
        handler = serve(endpoint, services, doorkeeper)
        if endpoint.method == "GET":
            app.router.add_get(endpoint.path, handler)  # and HEAD
        else:
            app.router.add_route(endpoint.method, endpoint.path, handler)
    return app


@asynccontextmanager
async def open_services(settings: Settings, deliver: OnNotice) -> AsyncIterator[Services]:
    """Open the store and the bus, and close them at the end. The death of anything in the background ends the body.

    Neither has to answer yet: the process serves what it can, says so in `/health/ready`, and mends by itself.
    """
    if settings.mongodb_url is None:
        raise BadSettings("MONGODB_URL: is not set; `make run` starts a database and sets it")
    if settings.kafka_bootstrap_servers is None:
        raise BadSettings("KAFKA_BOOTSTRAP_SERVERS: is not set; `make run` starts a broker and sets it")
    try:
        records = connect(settings.mongodb_url)
    except ValueError as error:
        raise BadSettings(f"MONGODB_URL: {error}") from None
    bus = Bus(place_of(settings), records, deliver)
    database = _Database(records)
    try:
        async with asyncio.TaskGroup() as background:
            tasks = [background.create_task(bus.run()), background.create_task(database.prepare())]
            yield assemble(
                settings=settings,
                clock=system_clock,
                records=records,
                commands=bus,
                following=bus,
                engines=(
                    Engine("database", _hosts(settings.mongodb_url), database.answers),
                    Engine("broker", settings.kafka_bootstrap_servers, _connected(bus)),
                ),
            )
            for task in tasks:
                task.cancel()
    finally:
        await records.close()


class _Database:
    """The database as `/health/ready` sees it: without its unique indexes it is not ready, for they are our fences."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._prepared = False

    async def prepare(self) -> None:
        """Make the indexes as soon as the database answers."""
        while not self._prepared:
            try:
                await self._records.prepare()
                self._prepared = True
            except StoreUnavailable as error:
                log.warning("database_not_prepared", cause=str(error))
                await asyncio.sleep(_RETRY)

    async def answers(self) -> bool:
        """Whether the database answers, and is prepared."""
        try:
            await self._records.ping()
        except StoreUnavailable:
            return False
        return self._prepared


def _connected(bus: Bus) -> Callable[[], Awaitable[bool]]:
    async def answers() -> bool:
        return bus.connected

    return answers


def _hosts(url: str) -> str:
    """Return the hosts and ports of a MongoDB URL, which may be many, without the log-in."""
    return urlsplit(url).netloc.rpartition("@")[2]
