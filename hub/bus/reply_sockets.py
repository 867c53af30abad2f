"""Replies straight from an agents process to the api process that asked, where both run on one machine.

Over the broker a reply costs a request and a fetch, and the embedded broker holds a fetch for 50 ms. So each api
process also listens on a Unix socket, in a folder of DATA_DIR that only its own user can enter. Agents that do not find
the socket, or cannot write to it, send the reply to the topic. A reply that is lost here is like one that is lost at
the broker: the api sends its command again.

A message is the number of its bytes (four bytes, the highest first) and JSON as in `hub.bus.messages.Replies`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from os import getuid
from pathlib import Path
from stat import S_IRWXG, S_IRWXO

import structlog
from pydantic import ValidationError

from hub.bus import topics
from hub.bus.messages import Replies, Reply

log = structlog.get_logger(__name__)

_LENGTH = 4
_LONGEST = 64 * 2**20
"""Bytes of a message: many times what a batch of replies has."""


def sockets_in(data_dir: Path) -> Path:
    """Return the folder of the sockets in a DATA_DIR."""
    return data_dir / "replies"


@asynccontextmanager
async def receiving(folder: Path, topic: str, on_reply: Callable[[Reply], None]) -> AsyncIterator[None]:
    """Pass on the replies that agents send to this reply topic's socket, inside the block.

    Where no socket can be opened, nothing arrives here, and everything on the topic.
    """
    path = _path(folder, topic)
    connected: set[asyncio.StreamWriter] = set()

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.add(writer)
        try:
            while True:
                for reply in Replies.validate_json(await _message(reader)):
                    on_reply(reply)
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the agents process has ended
        except ValueError as error:  # also of pydantic, whose message would show the content
            says = f"{error.error_count()} problems" if isinstance(error, ValidationError) else str(error)
            log.error("unreadable_reply", cause=says)  # noqa: TRY400 -- a traceback would show the message
        finally:
            connected.discard(writer)
            writer.close()

    server = await _listening(path, receive)
    try:
        yield
    finally:
        if server is not None and path is not None:
            server.close()
            for writer in list(connected):
                writer.close()
            path.unlink(missing_ok=True)


class ReplySockets:
    """Sends replies to the api processes that listen in the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        self._opening = asyncio.Lock()

    async def send(self, topic: str, message: bytes) -> bool:
        """Hand the message to the process with this reply topic. Return False if it does not listen here.

        Waits while the process does not read.
        """
        stream = self._stream(topic) or await self._connect(topic)
        if stream is None:
            return False
        try:
            stream.write(len(message).to_bytes(_LENGTH) + message)
            await stream.drain()
        except OSError:
            self._close(topic)
            return False
        return True

    def close(self) -> None:
        """Close all connections."""
        for topic in list(self._open):
            self._close(topic)

    def _stream(self, topic: str) -> asyncio.StreamWriter | None:
        reader, writer = self._open.get(topic, (None, None))
        if reader is not None and reader.at_eof():
            self._close(topic)
            return None
        return writer

    async def _connect(self, topic: str) -> asyncio.StreamWriter | None:
        path = _path(self._folder, topic)
        if path is None or not _is_there(path):
            return None
        async with self._opening:
            if stream := self._stream(topic):
                return stream  # another reply was quicker
            for former in list(self._open):
                self._stream(former)  # forget the processes that have ended
            with suppress(OSError, ValueError):
                self._open[topic] = await asyncio.open_unix_connection(path)
        return self._stream(topic)

    def _close(self, topic: str) -> None:
        if found := self._open.pop(topic, None):
            found[1].close()


async def _message(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await reader.readexactly(_LENGTH))
    if length > _LONGEST:
        raise ValueError(f"a message of {length} bytes")
    return await reader.readexactly(length)


async def _listening(
    path: Path | None, receive: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]
) -> asyncio.AbstractServer | None:
    if path is None:
        return None
    folder = path.parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != getuid() or folder.stat().st_mode & (S_IRWXG | S_IRWXO):
            raise PermissionError(f"others can enter {folder}")
        return await asyncio.start_unix_server(receive, path)  # type: ignore[arg-type]  # a coroutine function
    except (OSError, ValueError) as error:  # a read-only DATA_DIR, a path that is too long for a socket
        log.info("reply_socket_not_opened", cause=str(error), instead="replies come over the broker")
        return None


def _is_there(path: Path) -> bool:
    """Return whether there is such a file, and its folder is not closed to us: that of another user."""
    try:
        return path.exists()
    except OSError:
        return False


def _path(folder: Path, topic: str) -> Path | None:
    """Return where the process with this reply topic listens; None for what is no name of a reply topic."""
    instance = topics.instance_of(topic)
    return folder / f"{instance}.sock" if instance else None
