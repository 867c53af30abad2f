"""The undocumented parts of python-socketio and python-engineio that are used here: one test for each name.

Both are pinned. When one of these fails after an upgrade, `api/sockets` has to change before anything else does.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator

import engineio.packet
import pytest
import socketio
import socketio.packet
from engineio.async_socket import AsyncSocket

from api.sockets.packets import BadPacket, Packet, event_text
from api.sockets.websocket import SharedPacket, WebSocket, Writer
from tests.api.sockets.raw import Raw, Served, raw, until


@pytest.fixture
async def client(served: Served) -> AsyncIterator[Raw]:
    async with raw(served.address) as client:
        await client.connect()
        yield client


async def test_eio_sockets_holds_the_connections_by_their_engine_io_sid(served: Served, client: Raw) -> None:
    [(eio_sid, connection)] = served.connections.items()
    assert connection.sid == eio_sid
    assert isinstance(connection, AsyncSocket)
    await client.websocket.close()
    await until(lambda: not served.connections)


async def test_what_is_put_on_the_queue_of_a_socket_is_written(served: Served, client: Raw) -> None:
    [connection] = served.connections.values()
    assert isinstance(connection.queue, asyncio.Queue)
    connection.queue.put_nowait(engineio.packet.Packet(engineio.packet.MESSAGE, "hello"))
    assert await client.receive("4") == "4hello"


async def test_none_on_the_queue_of_a_socket_ends_its_writer_and_closes(served: Served, client: Raw) -> None:
    [connection] = served.connections.values()
    connection.queue.put_nowait(engineio.packet.Packet(engineio.packet.MESSAGE, "last"))
    connection.queue.put_nowait(None)
    assert await client.receive("4") == "4last"
    await client.end()


async def test_the_writer_asks_the_socket_itself_for_what_to_write(served: Served, client: Raw) -> None:
    [connection] = served.connections.values()
    assert connection.poll == connection.writer.next_packets
    assert list(inspect.signature(AsyncSocket.poll).parameters) == ["self"]
    connection.queue.put_nowait(engineio.packet.Packet(engineio.packet.MESSAGE, "hello"))
    await client.receive("4")
    assert connection.queue._unfinished_tasks == 0


@pytest.mark.parametrize("size", [0, 112, 113, 1000, 65_522, 65_523, 100_000])
async def test_a_message_that_goes_straight_to_tcp_is_the_frame_that_the_library_writes(
    served: Served, client: Raw, size: int
) -> None:
    [connection] = served.connections.values()
    news = "x" * size
    served.server.emit(served.sessions, "told", news)
    assert connection.queue.empty()
    assert await client.receive("42") == f'42["told","{news}"]'


async def test_no_packet_overtakes_queued_packets(served: Served, client: Raw) -> None:
    [connection] = served.connections.values()
    connection.queue.put_nowait(engineio.packet.Packet(engineio.packet.MESSAGE, "first"))
    served.server.emit(served.sessions, "second", None)
    assert connection.queue.qsize() == 2
    assert [await client.receive("4"), await client.receive("4")] == ["4first", '42["second",null]']


class _Tcp(asyncio.Transport):
    """A transport that records what is written to it, and reports `held` bytes in its write buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[bytes] = []
        self.held = 0
        self.closing = False

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.taken.append(data)

    def get_write_buffer_size(self) -> int:
        return self.held

    def is_closing(self) -> bool:
        return self.closing


async def test_packets_are_queued_while_tcp_is_full_and_while_the_writer_writes() -> None:
    queue: asyncio.Queue[object] = asyncio.Queue()
    tcp = _Tcp()
    writer = Writer(queue, tcp)
    news = SharedPacket("2")
    writer.send(news)  # the writer has not come yet
    assert await writer.next_packets() == [news]
    writer.send(news)  # it writes
    assert await writer.next_packets() == [news]
    waiting = asyncio.create_task(writer.next_packets())
    await asyncio.sleep(0)
    writer.send(news)
    assert tcp.taken == [news.frame]
    tcp.held = 1
    writer.send(news)
    writer.send(news)
    tcp.held = 0
    writer.send(news)  # the others are before it
    assert await waiting == [news] * 3
    waiting = asyncio.create_task(writer.next_packets())
    await asyncio.sleep(0)
    tcp.closing = True
    writer.send(news)
    assert await waiting == [news]
    assert tcp.taken == [news.frame]


async def test_all_queued_packets_are_returned_at_once_and_none_after_the_end() -> None:
    queue: asyncio.Queue[object] = asyncio.Queue()
    for packet in ("a", "b", None, "c"):
        queue.put_nowait(packet)
    writer = Writer(queue, None)
    assert await writer.next_packets() == ["a", "b"]
    assert await writer.next_packets() == ["c"]
    assert await writer.next_packets() == []
    waiting = asyncio.create_task(writer.next_packets())
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.put_nowait("d")
    assert await waiting == ["d"]


async def test_closing_a_socket_sets_closed_and_calls_the_disconnect_handler(served: Served, client: Raw) -> None:
    [connection] = served.connections.values()
    assert not connection.closed
    await connection.close(wait=False, abort=True, reason=served.server.sio.reason.TRANSPORT_ERROR)
    assert connection.closed
    assert served.left == [(served.sids[0], "transport error")]
    await client.websocket.close()


async def test_async_of_one_server_names_its_websocket_and_leaves_other_servers_alone(served: Served) -> None:
    websocket = served.server.sio.eio._async["websocket"]
    assert websocket.func is WebSocket
    stock = socketio.AsyncServer(async_mode="aiohttp").eio._async["websocket"]
    assert stock.__module__ == "engineio.async_drivers.aiohttp"
    assert {name for name in vars(stock) if not name.startswith("_")} == {"close", "send", "wait"}


async def test_environ_holds_the_request_until_the_connection_ends(served: Served, client: Raw) -> None:
    [eio_sid] = served.connections
    request = served.server.sio.environ[eio_sid]["aiohttp.request"]
    assert request.remote == "127.0.0.1"
    assert request.transport.get_extra_info("peername")[1] > 0
    await client.websocket.close()
    await until(lambda: not served.server.sio.environ)
    await until(lambda: request.transport is None)


async def test_the_client_manager_translates_between_the_two_kinds_of_sid(served: Served, client: Raw) -> None:
    manager = served.server.sio.manager
    [eio_sid], [sid] = served.connections, served.sids
    assert manager.eio_sid_from_sid(sid, "/") == eio_sid
    assert manager.sid_from_eio_sid(eio_sid, "/") == sid
    assert list(manager.get_participants("/", None)) == [(sid, eio_sid)]
    assert manager.is_connected(sid, "/")
    await manager.disconnect(sid, "/")
    assert not manager.is_connected(sid, "/")
    assert manager.eio_sid_from_sid("nobody", "/") is None
    assert manager.sid_from_eio_sid("nobody", "/") is None
    await client.websocket.close()


async def test_the_server_takes_connects_and_messages_by_these_handlers(served: Served) -> None:
    stock = socketio.AsyncServer(async_mode="aiohttp")
    assert stock.eio.handlers["connect"] == stock._handle_eio_connect
    assert stock.eio.handlers["message"] == stock._handle_eio_message
    ours = served.server.sio.eio.handlers
    assert ours["connect"] == served.server._on_open
    assert ours["message"] == served.server._on_message
    assert ours["disconnect"] == served.server.sio._handle_eio_disconnect


async def test_a_message_is_handled_before_the_next_one_is_read(served: Served) -> None:
    """A waiting message handler delays its own client only: the limits and the order of events depend on it."""
    assert served.server.sio.eio.async_handlers is False
    assert served.server.sio.async_handlers is True


def test_an_event_is_written_as_the_library_writes_it() -> None:
    data = {"name": "Zoë 🦷", "list": [1, 2.5, None, True]}
    stock = socketio.packet.Packet(socketio.packet.EVENT, data=["slot", data], namespace="/")
    ours = event_text("slot", data)
    assert ours.startswith('2["slot",{')
    reread = Packet(encoded_packet=ours)
    assert (reread.packet_type, reread.data) == (stock.packet_type, stock.data)
    assert socketio.packet.Packet(encoded_packet=ours).data == stock.data


@pytest.mark.parametrize(
    ("text", "kind", "number", "data"),
    [
        ("0", socketio.packet.CONNECT, None, None),
        ('0{"token":"x"}', socketio.packet.CONNECT, None, {"token": "x"}),
        ("1", socketio.packet.DISCONNECT, None, None),
        ('2["manager",{}]', socketio.packet.EVENT, None, ["manager", {}]),
        ('217["manager",{}]', socketio.packet.EVENT, 17, ["manager", {}]),
        ('2["half \\ud83e"]', socketio.packet.EVENT, None, ["half \ud83e"]),
    ],
)
def test_what_clients_send_is_read(text: str, kind: int, number: int | None, data: object) -> None:
    packet = Packet(encoded_packet=text)
    assert (packet.packet_type, packet.id, packet.data) == (kind, number, data)


@pytest.mark.parametrize("packet", [b"2[]", {"a": 1}, [1], 7, True, "3[]", "4{}", "51-[]", "61-[]", "7", "x", "2{}"])
def test_what_clients_do_not_send_is_not_read(packet: object) -> None:
    with pytest.raises(BadPacket):
        Packet(encoded_packet=packet)


def test_our_packets_are_never_binary() -> None:
    assert socketio.packet.Packet.uses_binary_events is True
    assert Packet.uses_binary_events is False
    with pytest.raises(TypeError):
        event_text("slot", b"bytes are a mistake here")


def test_our_json_module_does_not_replace_the_library_s() -> None:
    assert Packet.json is not socketio.packet.Packet.json
