"""The proxy itself: every command goes through the rules that a test has set, then to the database.

    with MongoProxy("127.0.0.1", port) as proxy, proxy.rule(delayed(0.03)):
        records = connect(proxy.url("clinic"))

It runs in a thread of its own, so that a test may also use drivers that block.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from tests.tools.mongo_proxy.wire import Document, answer_bytes, command_bytes, read_message


class ConnectionLost(Exception):
    """A rule raises it to close the client's connection without an answer."""


@dataclass(frozen=True)
class Command:
    """What a driver asks: {"find": "users", …, "$db": "clinic"}."""

    document: Document

    @property
    def name(self) -> str:
        """The command's name, as the driver wrote it."""
        return next(iter(self.document))

    def with_fields(self, **fields: object) -> "Command":
        """Return it with these fields changed."""
        return replace(self, document={**self.document, **fields})


Forward = Callable[[Command], Awaitable[Document]]
Rule = Callable[[Command, Forward], Awaitable[Document]]
"""Answers a command; `forward` hands it on to the next rule, and behind the last one to the database."""


@dataclass
class Seen:
    """A command that reached the database, and the seconds that the database took for it."""

    command: Command
    seconds: float


_REMEMBERED = 10_000


@dataclass
class MongoProxy:
    """Listens on a free loopback port. Rules that were set later are asked first."""

    host: str
    port: int
    seen: deque[Seen] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    """The last commands that reached the database, in order."""
    _rules: list[Rule] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _listening_port: int = 0

    def __enter__(self) -> Self:
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def url(self, database: str, options: str = "retryWrites=false") -> str:
        """Return the URL of a database behind the proxy."""
        return f"mongodb://127.0.0.1:{self._listening_port}/{database}?directConnection=true&{options}"

    @property
    def listening_port(self) -> int:
        """The port on which the proxy listens."""
        return self._listening_port

    @contextmanager
    def rule(self, rule: Rule) -> Iterator[None]:
        """Apply the rule to every command that comes while the body runs."""
        self._rules = [rule, *self._rules]
        try:
            yield
        finally:
            self._rules = [one for one in self._rules if one is not rule]

    def names(self) -> list[str]:
        """Return the names of the commands that reached the database, in order."""
        return [one.command.name for one in self.seen]

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen(started))
        self._loop.close()

    async def _listen(self, started: threading.Event) -> None:
        self._stop = asyncio.Event()
        connections: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # Not as a coroutine: asyncio reports one that is cancelled at the end as an error.
            task = asyncio.create_task(self._serve(reader, writer))
            connections.add(task)
            task.add_done_callback(connections.discard)

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        self._listening_port = server.sockets[0].getsockname()[1]
        started.set()
        await self._stop.wait()
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection of a driver, over one of our own to the database."""
        database: asyncio.StreamWriter | None = None
        try:
            answers, database = await asyncio.open_connection(self.host, self.port)
            ask = self._asker(answers, database)
            while True:
                request = await read_message(reader)
                if request.unacknowledged:
                    database.write(command_bytes(request.document, request.request_id, unacknowledged=True))
                    continue
                answer = await self._through_rules(Command(request.document), ask)
                writer.write(answer_bytes(answer, request))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, ConnectionLost):
            pass  # the driver sees a connection that was closed, as it would without a proxy
        finally:
            for each in (writer, database):
                if each:
                    with suppress(OSError):
                        each.close()

    def _asker(self, answers: asyncio.StreamReader, database: asyncio.StreamWriter) -> Forward:
        async def ask(command: Command) -> Document:
            began = time.monotonic()
            database.write(command_bytes(command.document, 1))
            await database.drain()
            answer = (await read_message(answers)).document
            self.seen.append(Seen(command, time.monotonic() - began))
            # Without it the driver polls for `hello`; otherwise it would wait for a stream of them.
            answer.pop("topologyVersion", None)
            return answer

        return ask

    async def _through_rules(self, command: Command, ask: Forward) -> Document:
        forward = ask
        for rule in reversed(self._rules):
            forward = _bound(rule, forward)
        return await forward(command)


def _bound(rule: Rule, forward: Forward) -> Forward:
    async def bound(command: Command) -> Document:
        return await rule(command, forward)

    return bound
