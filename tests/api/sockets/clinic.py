"""The clinic of `tests.api.rest_clinic` with its sockets open: a real feed gets the notices of the actors directly."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import socketio

from api.services import Services, assemble
from api.sockets.assembly import assemble as assemble_gateway
from api.sockets.commands import COMMANDS
from api.sockets.gateway import Gateway
from api.sockets.limits import Limits
from hub.bus.feed import Feed, FeedIntervals
from hub.bus.messages import Notice, Reply
from hub.records.ports import Records
from hub.scheduling.commands import Command
from tests.api.direct_commands import DirectCommands
from tests.api.rest_clinic import Announced, HandClock, RestClinic, make_services, open_clinic
from tests.api.sockets.raw import Raw, listening, raw

BY_NAME = {command.name: command for command in COMMANDS}
LIMITS = replace(Limits(), leave_within=0.1, sweep_every=0.05)


class ToldCommands(DirectCommands):
    """Gives each notice to `receive` before the reply is returned, as agents publish it before they reply.

    Replies carry no notices, as if another process had asked: so tests decide which notices arrive, and when. While
    `held`, the notices wait for `release`, as on a slow bus. `before` is awaited before a command is decided.
    """

    def __init__(self, records: Records, clock: HandClock) -> None:
        super().__init__(records, clock)
        self.receive: Callable[[Notice], None] = _nobody
        self.before: Callable[[Command], Awaitable[None]] | None = None
        self.held = False
        self._waiting: list[Notice] = []

    async def ask(self, command: Command) -> Reply:
        if self.before:
            await self.before(command)
        answer = await self._answer(command)
        self._waiting += answer.notices
        if not self.held:
            self.release()
        return answer.reply.model_copy(update={"notices": ()})

    def release(self) -> None:
        self.held = False
        for notice in self._waiting:
            self.receive(notice)
        self._waiting.clear()


class Person:
    """A client of a person: python-socketio, with a list of every event it received."""

    def __init__(self) -> None:
        self.sio = socketio.AsyncClient(reconnection=False)
        self.events: list[tuple[str, Any]] = []
        self.refusal: Any = None
        self.sio.on("*", self._event)
        self.sio.on("connect_error", self._refused)

    def of(self, event: str) -> list[Any]:
        return [data for name, data in self.events if name == event]

    async def ask(self, event: str, data: object = None) -> Any:
        """Send an event and return its ack; an error code has to be one that the command table allows."""
        ack = await self.sio.call(event, data, timeout=10)
        if event in BY_NAME and not ack["ok"]:
            assert ack["error"]["code"] in BY_NAME[event].problems
        return ack

    async def refused(self, event: str, data: object) -> str:
        """Send an event that has to be refused; return the code."""
        answer = await self.ask(event, data)
        assert answer.keys() == {"ok", "error"}
        assert answer["ok"] is False
        assert answer["error"].keys() - {"errors", "retryAfter"} == {"code", "detail"}
        return str(answer["error"]["code"])

    async def settled(self) -> None:
        """Return when every event sent before now has arrived: events and acks share one queue."""
        assert await self.refused("no such event", None) == "unknown_event"

    async def _event(self, event: str, data: object) -> None:
        self.events.append((event, data))

    async def _refused(self, data: object) -> None:
        self.refusal = data


class SocketClinic:
    """The clinic of Ada, Ben, Carl and Dora, and their connections."""

    def __init__(self, clinic: RestClinic, gateway: Gateway, feed: Feed, address: str, opened: AsyncExitStack) -> None:
        self.rest = clinic
        self.gateway = gateway
        self.feed = feed
        self.address = address
        self._opened = opened

    @property
    def clock(self) -> HandClock:
        return self.rest.clock

    @property
    def commands(self) -> ToldCommands:
        assert isinstance(self.rest.services.commands, ToldCommands)
        return self.rest.services.commands

    @property
    def records(self) -> Records:
        return self.rest.services.records

    def id(self, name: str) -> str:
        return self.rest.id(name)

    def nothing_is_left(self) -> None:
        """Fail if the process still holds anything of a session, in any index."""
        left = {name: held for name, held in vars(self.gateway.sessions).items() if isinstance(held, dict) and held}
        assert left == {}
        assert self.followed() == {}
        assert self.gateway.server.sio.manager.rooms == {}

    def followed(self) -> dict[str, int]:
        """Return the doctors that sessions follow, with the number of followers of each; a view is one, too."""
        views = self.rest.services.views
        followers = {id_: line.followers - views.holds(id_) for id_, line in self.feed._followed.items()}
        return {doctor_id: number for doctor_id, number in followers.items() if number}

    async def person(self, name: str) -> Person:
        """Connect a person."""
        return await self.person_with({"token": self.rest.token(name)})

    async def person_with(self, auth: object) -> Person:
        """Connect with this `auth`. Raises socketio.exceptions.ConnectionError when refused."""
        person = Person()
        self._opened.push_async_callback(person.sio.disconnect)
        await person.sio.connect(self.address, transports=["websocket"], auth=auth, wait_timeout=10)
        return person

    async def raw(self, name: str) -> Raw:
        """Connect a person with a raw client."""
        client = await self._opened.enter_async_context(raw(self.address))
        assert (await client.connect({"token": self.rest.token(name)})).startswith("40{")
        return client


@asynccontextmanager
async def open_sockets(
    limits: Limits = LIMITS, intervals: FeedIntervals | None = None, **settings: object
) -> AsyncIterator[SocketClinic]:
    """Open the clinic, with changed limits, intervals of the feed and settings."""
    services = await _services(settings, intervals)
    feed = services.notice_feed
    assert isinstance(feed, Feed)
    gateway = assemble_gateway(services, services.authenticator.identity_of, limits)

    def deliver(notice: Notice) -> None:  # as in `api.app`
        services.views.on_notice(notice)
        gateway.deliver(notice)

    feed._deliver = deliver
    clinic = await open_clinic(services)
    running = [asyncio.create_task(gateway.run()), asyncio.create_task(feed.run())]
    try:
        async with listening(gateway.server, gateway.close) as address, AsyncExitStack() as opened:
            yield SocketClinic(clinic, gateway, feed, address, opened)
        for task in running:
            if task.done():
                task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await clinic.client.close()


async def _services(settings: Mapping[str, object], intervals: FeedIntervals | None) -> Services:
    plain = await make_services(**settings)
    assert isinstance(plain.clock, HandClock)
    commands = ToldCommands(plain.records, plain.clock)
    feed = Feed(plain.records, _nobody, intervals)
    commands.receive = feed.receive
    return assemble(
        settings=plain.settings,
        clock=plain.clock,
        records=plain.records,
        photos=plain.records.photos,
        commands=commands,
        notice_feed=feed,
        session_announcer=Announced(),
        engines=plain.engines,
        timeouts=plain.timeouts,
    )


def _nobody(notice: Notice) -> None:
    raise AssertionError(f"nobody is there to be told {notice}")
