"""The hardened server by itself: what it sends, in which order, and which clients it cuts."""

import asyncio
import socket
import statistics
import time
from contextlib import AsyncExitStack
from dataclasses import replace

import aiohttp
import pytest

from api.sockets.client_manager import IndexedClientManager
from api.sockets.limits import Limits
from api.sockets.server import CUT
from api.sockets.websocket import SharedPacket
from tests.api.sockets.raw import LIMITS, Raw, Served, raw, serving, until


def cuts(reason: str) -> float:
    return CUT.labels(reason)._value.get()


async def test_an_event_is_acked_with_what_its_handler_returns(served: Served) -> None:
    async with raw(served.address) as client:
        assert (await client.connect()).startswith("40{")
        assert await client.ask("echo", {"a": 1}, "b") == {"ok": True, "event": "echo"}
    assert served.received == [("echo", ({"a": 1}, "b"))]


async def test_events_and_acks_arrive_in_the_order_in_which_they_were_sent(served: Served) -> None:
    async with raw(served.address) as client:
        await client.connect()
        for number in range(100, 150):
            await client.send(f'42{number}["n{number}"]')
        received = [await client.receive("4") for _ in range(100)]
    expected = [
        text
        for number in range(100, 150)
        for text in (f'42["before","n{number}"]', f'43{number}[{{"ok":true,"event":"n{number}"}}]')
    ]
    assert received == expected


async def test_an_event_for_several_sessions_reaches_each_once_in_unicode(served: Served) -> None:
    async with (
        raw(served.address) as one,
        raw(served.address) as two,
        raw(served.address) as other,
        raw(served.address) as left,
    ):
        for client in (one, two, other, left):
            await client.connect()
        await left.websocket.close()
        await until(lambda: served.left)
        first, second, _, ended = served.sessions
        served.server.emit([first, second, ended], "slot", {"name": "Zoë 🦷"})
        served.server.emit(served.sessions, "end", None)
        for client in (one, two):
            assert await client.receive("42") == '42["slot",{"name":"Zoë 🦷"}]'
            assert await client.receive("42") == '42["end",null]'
        assert await other.receive("42") == '42["end",null]'


async def test_nothing_is_deflated_though_the_client_offers_it(served: Served) -> None:
    async with raw(served.address, compress=15) as client:
        assert not client.websocket.compress
        assert "Sec-WebSocket-Extensions" not in client.websocket._response.headers


async def test_a_session_knows_how_many_packets_wait_for_it(served: Served) -> None:
    async with raw(served.address) as one, raw(served.address) as two:
        await one.connect()
        await two.connect()
        first, _ = served.connections.values()
        for _ in range(3):
            first.queue.put_nowait(SharedPacket("2"))
        assert [session.backlog for session in served.sessions] == [3, 0]


@pytest.mark.parametrize(
    ("origin", "status"),
    [(None, 101), ("https://clinic.test", 101), ("own", 101), ("https://evil.test", 400), ("null", 400)],
)
async def test_only_pages_of_known_origins_connect(served: Served, origin: str | None, status: int) -> None:
    own = served.address.replace("http://", "https://")  # behind TLS the page has another scheme than we see
    headers = {} if origin is None else {"Origin": own if origin == "own" else origin}
    if status == 101:
        async with raw(served.address, headers=headers) as client:
            assert (await client.connect()).startswith("40{")
        return
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with raw(served.address, headers=headers):
            pass
    assert refused.value.status == status


async def test_there_is_no_polling(served: Served) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{served.address}/socket.io/?EIO=4&transport=polling") as answer:
            assert answer.status == 400
        async with session.post(f"{served.address}/socket.io/?EIO=4&transport=polling", data=b"40") as answer:
            assert answer.status == 400
    assert served.connections == {}


HOSTILE = {
    "the server's own connect handler as an event": '42["connect",{}]',
    "the server's own disconnect handler as an event": '42["disconnect","x"]',
    "the handler of all events by its name": '42["*","x"]',
    "an event without a name": "42[]",
    "an event with a number for a name": "42[7]",
    "an event that is an object": '42{"a":1}',
    "an event that is nothing": "42",
    "broken JSON": '42["echo",',
    "JSON nested without end": "42" + "[" * 30_000,
    "an ack id of a thousand digits": "42" + "1" * 1000 + '["echo"]',
    "a binary event of 10^9 attachments": '451000000000-["echo",{"_placeholder":true,"num":0}]',
    "a binary event": '451-["echo",{"_placeholder":true,"num":9}]',
    "a binary ack": '461-1[{"_placeholder":true,"num":0}]',
    "an ack that nobody asked for": '431["x"]',
    "a refusal from the client": "44{}",
    "a type that does not exist": "49",
    "a message of nothing": "4",
    "a message that engine.io takes for JSON": '4{"a":1}',
    "a message that engine.io takes for a list": "4[1]",
    "an empty text": "",
    "an unknown engine.io packet": "x",
    "an engine.io packet of the server": "0{}",
    "a binary message in text": "bAAAA",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_client_that_breaks_the_protocol_is_cut_and_others_are_not_harmed(served: Served, text: str) -> None:
    async with raw(served.address) as other, raw(served.address) as client:
        await other.connect()
        await client.connect()
        await client.send(text)
        await client.end()
        await until(lambda: len(served.left) == 1)
        assert served.left[0][0] == served.sids[1]
        assert served.received == []
        assert await other.ask("echo") == {"ok": True, "event": "echo"}
    await until(lambda: not served.connections)
    assert served.server.sio.environ == {}


async def test_a_client_that_sends_a_binary_message_is_cut(served: Served) -> None:
    async with raw(served.address) as client:
        await client.connect()
        await client.websocket.send_bytes(b"\x00" * 1000)
        await client.end()
        await until(lambda: len(served.left) == 1)


async def test_a_message_over_the_limit_ends_the_connection_with_1009(served: Served) -> None:
    async with raw(served.address) as client:
        await client.connect()
        await client.send('42["echo","' + "x" * LIMITS.message_bytes + '"]')
        await client.end()
        assert client.websocket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
        await until(lambda: len(served.left) == 1)
    assert served.received == []


async def test_an_event_before_connect_or_in_another_namespace_runs_nothing(served: Served) -> None:
    async with raw(served.address) as client:
        await client.send('421["echo"]')
        await client.send("40/admin,")
        assert await client.receive("44/admin") == '44/admin,"Unable to connect"'
        await client.send('42/admin,1["echo"]')
        await client.connect()
        assert await client.ask("echo", number=2) == {"ok": True, "event": "echo"}
    assert len(served.received) == 1


async def test_a_client_that_never_sends_connect_is_cut() -> None:
    before = cuts("never_connected")
    async with (
        serving(replace(LIMITS, connect_within=0.1)) as served,
        raw(served.address) as client,
        raw(served.address) as silent,
    ):
        await client.connect()
        await silent.end()
        assert cuts("never_connected") == before + 1
        assert await client.ask("echo") == {"ok": True, "event": "echo"}


async def test_a_flooding_client_is_slowed_down_and_others_are_not() -> None:
    async with (
        serving(replace(LIMITS, messages_per_second=100, messages_burst=20)) as served,
        raw(served.address) as other,
        raw(served.address) as flood,
    ):
        await other.connect()
        await flood.connect()
        began = time.monotonic()
        for number in range(80):
            await flood.send(f'42["flood",{number}]')
        answered = time.monotonic()
        assert await other.ask("echo") == {"ok": True, "event": "echo"}
        assert time.monotonic() - answered < 0.3
        await until(lambda: len(served.received) == 81)
        assert time.monotonic() - began > 0.5  # 60 beyond the burst, at 100 a second
    assert [args[0] for event, args in served.received if event == "flood"] == list(range(80))


async def stalled(address: str, limits: Limits) -> socket.socket:
    """Return the socket of a client that connects and then reads nothing: no pings either."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)  # noqa: FBT003  # the socket module's word
    loop = asyncio.get_running_loop()
    host, port = address.removeprefix("http://").split(":")
    await loop.sock_connect(connection, (host, int(port)))
    await loop.sock_sendall(
        connection,
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    )
    await loop.sock_sendall(connection, b"\x81\x82\x00\x00\x00\x0040")
    received = b""
    while b'40{"sid"' not in received:
        received += await loop.sock_recv(connection, limits.message_bytes)
    return connection


async def test_a_client_that_does_not_read_is_cut_and_the_others_miss_nothing() -> None:
    before = cuts("does_not_read")
    limits = replace(LIMITS, ping_interval=60, ping_timeout=60)  # the ping must not find it first
    async with serving(limits) as served, raw(served.address) as reader:
        await reader.connect()
        stuck = await stalled(served.address, LIMITS)
        event = {"text": "x" * 250}
        sent, longest = 0, 0
        reading = asyncio.create_task(_count(reader))
        while len(served.left) == 0:
            served.server.emit(served.sessions, "appointment", event)
            sent += 1
            longest = max(longest, *(connection.queue.qsize() for connection in served.connections.values()))
            await asyncio.sleep(0)
            assert sent < 100_000
        served.server.emit(served.sessions[:1], "end", None)
        assert await reading == sent
        assert cuts("does_not_read") == before + 1
        assert longest < 100 * LIMITS.queued
        assert [sid for sid, _ in served.left] == served.sids[1:]
        await until(lambda: len(served.connections) == 1)  # the connection is released, with its queue and TCP
        assert len(served.server.sio.environ) == 1
        stuck.close()


async def _count(reader: Raw) -> int:
    count = 0
    while (await reader.receive("42")) != '42["end",null]':
        count += 1
    return count


async def test_a_vanished_client_is_found_by_the_ping_and_released(served: Served) -> None:
    connection = await stalled(served.address, LIMITS)  # open, but nobody answers on it
    await until(lambda: served.left)
    assert served.left == [(served.sids[0], "ping timeout")]
    await until(lambda: not served.connections and not served.server.sio.environ)
    connection.close()


async def test_a_request_that_is_no_websocket_leaves_nothing_behind() -> None:
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}  # and no key
    async with (
        serving(replace(LIMITS, connect_within=0.1)) as served,
        aiohttp.ClientSession() as session,
        session.get(f"{served.address}/socket.io/?EIO=4&transport=websocket", headers=headers) as answer,
    ):
        assert answer.status == 400
        await until(lambda: not served.connections and not served.server.sio.environ)


async def test_a_connection_has_a_short_buffer_and_a_limit_for_what_is_not_taken(served: Served) -> None:
    async with raw(served.address):
        [environ] = served.server.sio.environ.values()
        connection = environ["aiohttp.request"].transport.get_extra_info("socket")
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * LIMITS.send_buffer  # Linux doubles it
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == LIMITS.unacknowledged


async def test_a_disconnected_client_reads_the_reason_and_its_connection_is_ended(served: Served) -> None:
    async with raw(served.address) as client:
        await client.connect()
        served.server.emit(served.sessions, "closing", {"code": "token_expired"})
        await served.server.disconnect(served.sessions[0])
        assert await client.receive("4") == '42["closing",{"code":"token_expired"}]'
        assert await client.receive("4") == "41"
        await client.end()
    assert len(served.left) == 1


async def test_a_client_whose_connection_ended_during_admission_is_released(served: Served) -> None:
    go_on = asyncio.Event()
    admitting: list[str] = []

    async def connect(sid: str, _environ: object, _auth: object = None) -> None:
        admitting.append(sid)
        await go_on.wait()

    served.server.sio.on("connect", connect)
    async with raw(served.address) as client:
        await client.send("40")
        await until(lambda: admitting)
        # A ping timeout does this: the client's pongs are not read during its admission.
        [connection] = served.connections.values()
        await connection.close(wait=False, abort=True, reason="ping timeout")
        go_on.set()
        await until(lambda: served.ended == admitting)
        assert served.server.sio.manager.rooms == {}


def test_a_disconnect_costs_the_same_with_20_000_rooms() -> None:
    def cost(rooms: int) -> float:
        manager = IndexedClientManager()
        for number in range(rooms):
            manager.basic_enter_room(f"s{number}", "/", None, eio_sid=f"e{number}")
            manager.basic_enter_room(f"s{number}", "/", f"s{number}", eio_sid=f"e{number}")
        times = []
        for number in range(100):
            began = time.perf_counter()
            manager.basic_disconnect(f"s{number}", "/")
            times.append(time.perf_counter() - began)
        assert len(manager.rooms["/"]) == rooms + 1 - 100
        return statistics.median(times)

    few, many = cost(200), cost(20_000)
    assert many < 10 * few  # python-socketio's own: 100 times


def test_the_client_manager_releases_everything_of_a_client() -> None:
    manager = IndexedClientManager()
    for sid in ("one", "two"):
        manager.basic_enter_room(sid, "/", None, eio_sid=f"eio-{sid}")
        manager.basic_enter_room(sid, "/", sid, eio_sid=f"eio-{sid}")
        manager.basic_enter_room(sid, "/", "both")
    manager.basic_enter_room("one", "/", "left")
    manager.basic_leave_room("one", "/", "left")
    assert sorted(manager.get_rooms("one", "/")) == ["both", "one"]
    manager.pending_disconnect["/"] = ["one", "two"]
    manager.pending_connect["/"] = ["one"]
    manager.callbacks["one"] = {}

    manager.basic_disconnect("one", "/")
    manager.basic_disconnect("one", "/")

    assert manager.get_rooms("one", "/") == []
    assert sorted(manager.get_rooms("two", "/")) == ["both", "two"]
    assert dict(manager.get_participants("/", None)) == {"two": "eio-two"}
    assert manager.pending_disconnect == {"/": ["two"]}
    assert (manager.pending_connect, manager.callbacks) == ({}, {})
    manager.basic_disconnect("two", "/")
    assert manager.rooms == {}
    assert manager._rooms_of == {}


async def test_close_sends_queued_packets_and_closes_every_connection() -> None:
    async with AsyncExitStack() as clients:
        async with serving() as served:
            one = await clients.enter_async_context(raw(served.address))
            two = await clients.enter_async_context(raw(served.address))
            await one.connect()
            await two.connect()
            served.server.emit(served.sessions, "last", 1)
        for client in (one, two):
            assert await client.receive("42") == '42["last",1]'
            await client.end()
    await until(lambda: len(served.left) == 2)


async def test_a_client_that_connects_after_close_is_closed_too(served: Served) -> None:
    await served.server.close(0.1)
    async with raw(served.address) as late:
        await late.end()
