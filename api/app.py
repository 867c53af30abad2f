"""The composition root of an api process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from api.documents.routes import add_documents
from api.http.endpoints import Endpoint
from api.http.middleware import request_middleware
from api.http.request_reading import BODY_LIMIT
from api.http.serving import serve
from api.metrics import add_metrics
from api.pages.routes import Pages
from api.resources import (
    accounts,
    appointments,
    board,
    browser_sessions,
    calendar_feeds,
    day_changes,
    displays,
    doctors,
    health,
    hours,
    log_in_list,
    password_resets,
    patients,
    personal_data,
    phone_codes,
    profile,
    second_factors,
    server_time,
    statistics,
    texts,
    twilio,
    waitlist,
)
from api.services import Engine, Services, assemble
from api.sockets.assembly import assemble as assemble_gateway
from api.sockets.gateway import Gateway
from api.sockets.limits import Limits
from api.timeouts import Timeouts
from api.views.preloading import keep_loaded
from hub.bus.broker_config import broker_config
from hub.bus.bus import Bus
from hub.bus.messages import Notice, SessionEnded
from hub.records.errors import StoreUnavailable
from hub.records.mongo import connect
from hub.records.ports import PhotoRecords, Records
from hub.settings import BadSettings, Settings, timekeeper

log = structlog.get_logger()

TABLE: tuple[Endpoint, ...] = (
    *accounts.routes.table,
    *browser_sessions.routes.table,
    *profile.routes.table,
    *personal_data.routes.table,
    *log_in_list.routes.table,
    *second_factors.routes.table,
    *phone_codes.routes.table,
    *password_resets.routes.table,
    *doctors.routes.table,
    *day_changes.routes.table,
    *patients.routes.table,
    *hours.routes.table,
    *appointments.routes.table,
    *board.routes.table,
    *displays.routes.table,
    *waitlist.routes.table,
    *statistics.routes.table,
    *calendar_feeds.routes.table,
    *server_time.routes.table,
    *texts.routes.table,
    *twilio.routes.table,
    *health.routes.table,
)
"""Every endpoint."""


@dataclass(frozen=True)
class Api:
    """The application of a process, and its Socket.IO side."""

    application: web.Application
    gateway: Gateway


def build(services: Services) -> web.Application:
    """Return the application with every endpoint, without sockets. Opens no connection."""
    pages = Pages(services.settings)
    middleware = request_middleware(services.settings, pages.missing)
    application = web.Application(middlewares=[middleware], client_max_size=BODY_LIMIT)
    for endpoint in TABLE:
        handler = serve(endpoint, services)
        if endpoint.method == "GET":
            application.router.add_get(endpoint.path, handler)  # this adds HEAD, too
        else:
            application.router.add_route(endpoint.method, endpoint.path, handler)
    pages.add_to(application)
    add_documents(application, TABLE, services.settings)
    add_metrics(application)
    return application


@asynccontextmanager
async def open_api(settings: Settings) -> AsyncIterator[Api]:
    """Open the database and the bus, and close them at the end. An error in a background task ends the body.

    They need not answer yet: `/health/ready` shows whether they do, and the process connects as soon as it can.
    Raises `BadSettings` when the settings do not say where they are.
    """
    if settings.mongodb_url is None:
        raise BadSettings("MONGODB_URL: is not set; `make run` starts a database and sets it")
    try:
        records = connect(settings.mongodb_url)
    except ValueError as error:
        raise BadSettings(f"MONGODB_URL: {error}") from None
    try:
        place = broker_config(settings)
    except ValueError as error:
        raise BadSettings(str(error)) from None

    def deliver(notice: Notice) -> None:
        services.views.on_notice(notice)  # assigned below, before the bus runs
        gateway.deliver(notice)

    def session_ended(ended: SessionEnded) -> None:
        services.revocations.receive(ended)  # assigned below, too

    async with AsyncExitStack() as opened:
        opened.push_async_callback(records.close)
        photos = await opened.enter_async_context(_photos(settings, records))
        clock = timekeeper(settings)
        bus = Bus(place, records, clock, deliver, session_ended)
        timeouts = Timeouts()
        database = _Database(records, timeouts.database_retry)
        services = assemble(
            settings=settings,
            clock=clock,
            records=records,
            photos=photos,
            commands=bus,
            notice_feed=bus,
            session_announcer=bus,
            engines=(
                Engine("database", _hosts(settings.mongodb_url), database.answers),
                Engine("broker", place.servers, _connected(bus)),
            ),
            timeouts=timeouts,
        )
        opened.push_async_callback(services.access_log.close, timeouts.access_log_close)
        gateway = assemble_gateway(services, services.authenticator.identity_of, Limits())
        prepared = database.prepare(services.revocations.compare)
        application = build(services)
        gateway.server.attach(application)
        async with asyncio.TaskGroup() as group:
            work_beside = (
                bus.run(),
                gateway.run(),
                services.revocations.run(),
                services.directory.run(),
                services.joins.run(),
                services.erasures.run(),
                services.access_log.run(),
                services.retention.run(),
                keep_loaded(services.views, records),
            )
            background = [group.create_task(work) for work in (prepared, *work_beside)]
            yield Api(application, gateway)
            for task in background:
                task.cancel()


@asynccontextmanager
async def _photos(settings: Settings, records: Records) -> AsyncIterator[PhotoRecords]:
    if settings.photo_store is None:
        yield records.photos
        return
    from hub.records.s3_photos import open_bucket  # noqa: PLC0415  # its library is slow to import, and few deployments need it

    async with open_bucket(settings.photo_store) as photos:
        yield photos


class _Database:
    """The database as `/health/ready` shows it. It is ready once its unique indexes exist and `then` has been done.

    The unique indexes are the fences that prevent a double booking.
    """

    def __init__(self, records: Records, retry_after: float) -> None:
        self._records = records
        self._retry_after = retry_after
        self._prepared = False

    async def prepare(self, then: Callable[[], Awaitable[None]]) -> None:
        """Create the fences, do `then`, which reads the ended log-ins, and create the other indexes.

        The other indexes only make reads faster, so the process serves meanwhile. Raises `BrokenRecord`.
        """
        await self._until_done(self._records.prepare_fences)
        await self._until_done(then)
        self._prepared = True
        await self._until_done(self._records.prepare)

    async def _until_done(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work, again and again while the database does not answer."""
        while True:
            try:
                return await work()
            except StoreUnavailable as error:
                log.warning("database_not_prepared", cause=str(error))
                await asyncio.sleep(self._retry_after)

    async def answers(self) -> bool:
        """Return whether the database answers, and is prepared."""
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
    """Return the hosts and ports of a MongoDB URL, without user name and password."""
    return urlsplit(url).netloc.rpartition("@")[2]
