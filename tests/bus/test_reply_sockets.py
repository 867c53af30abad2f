"""Replies over the socket of an api process, and when there is none to be had."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from hub.bus import topics
from hub.bus.messages import Replies, Reply
from hub.bus.reply_sockets import ReplySockets, receiving
from hub.scheduling.decision import RefusalCode, Refused
from tests.agents.actor_fixtures import NOW
from tests.stack import until

TOPIC, OTHER = topics.replies("0123abcd"), topics.replies("4567cdef")


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as short:  # the path of a socket has a hundred characters at most
        yield Path(short) / "replies"


@pytest.fixture
def sender(folder: Path) -> Iterator[ReplySockets]:
    sockets = ReplySockets(folder)
    yield sockets
    sockets.close()


def replies(number: int, of: str = "") -> bytes:
    refused = Refused(RefusalCode.SLOT_TAKEN, "This slot is taken." + of)
    return Replies.dump_json([Reply(command_id=f"c{each}", at=NOW, result=refused) for each in range(number)])


def made(folder: Path, mode: int = 0o700) -> None:
    folder.mkdir()
    folder.chmod(mode)


def left_by_a_killed_process(folder: Path) -> None:
    made(folder)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / "0123abcd.sock"))


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


class Inbox:
    """The replies that have arrived."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []

    def take(self, reply: Reply) -> None:
        self.replies.append(reply)

    async def has(self, number: int) -> None:
        await until(lambda: len(self.replies) >= number, f"{number} replies")
        assert len(self.replies) == number


async def test_replies_arrive_at_the_process_that_asked(folder: Path, sender: ReplySockets) -> None:
    one, two = Inbox(), Inbox()
    async with receiving(folder, TOPIC, one.take), receiving(folder, OTHER, two.take):
        assert await sender.send(TOPIC, replies(2))
        assert await sender.send(OTHER, replies(1))
        assert await sender.send(TOPIC, replies(1))
        await one.has(3)
        await two.has(1)
    assert [reply.command_id for reply in one.replies] == ["c0", "c1", "c0"]


async def test_many_at_once_use_one_connection_and_arrive_whole(folder: Path, sender: ReplySockets) -> None:
    inbox = Inbox()
    async with receiving(folder, TOPIC, inbox.take):
        sent = await asyncio.gather(*(sender.send(TOPIC, replies(3, "x" * 50_000)) for _ in range(20)))
        await inbox.has(60)
    assert all(sent)
    assert len(sender._open) == 1


async def test_nobody_listens_where_no_process_is(folder: Path, sender: ReplySockets) -> None:
    assert not await sender.send(TOPIC, replies(1))
    left_by_a_killed_process(folder)
    assert not await sender.send(TOPIC, replies(1))


async def test_a_process_that_has_ended_is_noticed_and_the_next_one_found(folder: Path, sender: ReplySockets) -> None:
    before, after = Inbox(), Inbox()
    async with receiving(folder, TOPIC, before.take):
        assert await sender.send(TOPIC, replies(1))
        await before.has(1)
    await until(sender._open[TOPIC][0].at_eof, "the end of the connection has arrived")
    assert not await sender.send(TOPIC, replies(1))
    assert files(folder) == []
    async with receiving(folder, TOPIC, after.take):
        assert await sender.send(TOPIC, replies(1))
        await after.has(1)


@pytest.mark.parametrize("name", ["clinic.replies.../../db", "clinic.replies.0123ABCD", "clinic.events", ""])
async def test_what_is_no_name_of_a_process_is_no_path(folder: Path, sender: ReplySockets, name: str) -> None:
    made(folder)
    server = await asyncio.start_unix_server(lambda _, writer: writer.close(), folder.parent / "db.sock")
    async with server:
        assert not await sender.send(name, replies(1))


async def test_a_folder_that_others_can_enter_is_not_used(folder: Path, sender: ReplySockets) -> None:
    made(folder, 0o755)
    async with receiving(folder, TOPIC, Inbox().take):
        assert files(folder) == []
        assert not await sender.send(TOPIC, replies(1))


@pytest.mark.parametrize("length", [120, 300], ids=["for a socket", "for a file"])
async def test_a_path_that_is_too_long_is_no_failure(folder: Path, length: int) -> None:
    deep = folder / ("d" * length)
    async with receiving(deep, TOPIC, Inbox().take):
        assert not await ReplySockets(deep).send(TOPIC, replies(1))


@pytest.mark.parametrize("sent", [b"\x00\x00\x00\x03[1]", b"\xff\xff\xff\xff", b"\x00\x00\x00\x02ab"])
async def test_what_cannot_be_read_ends_that_connection_only(folder: Path, sender: ReplySockets, sent: bytes) -> None:
    inbox = Inbox()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(receiving(folder, TOPIC, inbox.take))
        reader, writer = await asyncio.open_unix_connection(folder / "0123abcd.sock")
        stack.callback(writer.close)
        writer.write(sent)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        assert await sender.send(TOPIC, replies(1))
        await inbox.has(1)
