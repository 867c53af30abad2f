"""The client over Socket.IO: a line that reconnects by itself, its commands, and its updates in order."""

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from hub.client.answers import Problem
from hub.client.callbacks import Callbacks
from hub.client.commands import Timeouts
from hub.client.line import Line
from hub.client.reconnecting import CannotConnect
from tests.stack import until
from tests.unit.client_examples import APPOINTMENT, START, ann_at, nothing_yet, ok, refuse_to_connect, stand_in

DAY = date(2026, 6, 1)
ACK = {"ok": True, "appointment": APPOINTMENT}


def _no(code: str) -> dict[str, Any]:
    return {"ok": False, "error": {"code": code, "detail": f"it is {code}"}}


async def test_a_command_over_the_line_is_acked_with_its_appointment() -> None:
    async with stand_in(socket=[lambda _: ACK]) as hub, ann_at(hub) as ann, ann.line(Callbacks()) as line:
        answer = await line.commands.book("ada", START)
    assert answer.ok
    assert answer.appointment.id == "a1"
    assert (answer.status, answer.attempts) == (None, 1)
    (sent,) = hub.received
    assert sent.what == "book"
    assert sent.body == {"doctorId": "ada", "start": "2026-06-01T10:00:00Z", "commandId": answer.key}


async def test_a_refusal_over_the_line_is_an_answer() -> None:
    async with stand_in(socket=[lambda _: _no("slot_taken")]) as hub, ann_at(hub) as ann, ann.line(Callbacks()) as line:
        answer = await line.commands.cancel("a1")
    assert (answer.ok, answer.code, answer.detail, answer.attempts) == (False, "slot_taken", "it is slot_taken", 1)
    assert hub.received[0].body == {"appointmentId": "a1", "commandId": answer.key}


@pytest.mark.parametrize("trouble", [lambda _: _no("busy"), lambda _: None, lambda _: {"ok": True}, lambda _: [1]])
async def test_an_undecided_command_is_repeated_under_the_same_key(trouble: Callable[[str], Any]) -> None:
    async with (
        stand_in(socket=[trouble, lambda _: ACK]) as hub,
        ann_at(hub) as ann,
        ann.line(Callbacks()) as line,
    ):
        answer = await line.commands.confirm("a1")
    assert answer.ok
    assert answer.attempts == 2
    assert {sent.key for sent in hub.received} == {answer.key}


async def test_a_retry_after_is_respected() -> None:
    def later(seconds: int) -> dict[str, Any]:
        return {"ok": False, "error": {"code": "too_many_requests", "detail": "", "retryAfter": seconds}}

    replies = [lambda _: later(1), lambda _: ACK, lambda _: later(60)]
    async with stand_in(socket=replies) as hub, ann_at(hub) as ann, ann.line(Callbacks()) as line:
        answer = await line.commands.confirm("a1")
        assert (answer.ok, answer.attempts) == (True, 2)
        assert answer.seconds >= 1
        answer = await line.commands.cancel("a1")
    assert (answer.code, answer.attempts) == ("too_many_requests", 1)


async def test_a_command_is_repeated_on_the_next_connection_when_the_first_is_cut() -> None:
    arrived = asyncio.Event()

    async def never(_: str) -> None:
        arrived.set()
        await asyncio.Event().wait()

    calls = Timeouts(total=5.0, attempt=5.0)
    async with (
        stand_in(socket=[never, lambda _: ACK]) as hub,
        ann_at(hub, calls) as ann,
        ann.line(Callbacks()) as line,
    ):
        booking = asyncio.create_task(line.commands.book("ada", START))
        await arrived.wait()
        hub.cut()
        answer = await booking
    assert answer.ok
    assert answer.attempts == 2
    assert answer.seconds < 3
    assert len(hub.sids) == 2
    assert {sent.key for sent in hub.received} == {answer.key}


async def test_events_reach_the_callbacks_in_the_order_in_which_they_were_sent() -> None:
    received: list[int] = []
    callbacks = Callbacks(on_appointment=lambda event: received.append(event.seq))
    async with stand_in() as hub, ann_at(hub) as ann, ann.line(callbacks):
        for seq in range(1, 201):
            await hub.tell("appointment", _event(seq))
        await until(lambda: len(received) == 200, "all events are here")
    assert received == list(range(1, 201))


async def test_the_line_reports_connects_and_disconnects() -> None:
    received: list[str] = []
    callbacks = Callbacks(
        on_connected=lambda: received.append("connected"), on_disconnected=lambda: received.append("disconnected")
    )
    async with stand_in() as hub, ann_at(hub) as ann, ann.line(callbacks):
        hub.cut()
        await until(lambda: len(received) == 3, "the line is back")
    assert received == ["connected", "disconnected", "connected", "disconnected"]


async def test_a_watched_day_comes_before_its_changes_and_again_after_a_reconnect() -> None:
    received: list[tuple[str, bool]] = []
    slot = {"start": "2026-06-01T10:00:00Z", "end": "2026-06-01T10:30:00Z"}
    callbacks = Callbacks(
        on_watched=lambda day: received.extend(("watched", slot.available) for slot in day.slots),
        on_slot=lambda event: received.append(("slot", event.available)),
    )

    async def watched(_: str) -> dict[str, Any]:
        change = {"doctorId": "ada", "start": slot["start"], "available": False}
        hub.sio.start_background_task(hub.tell, "slot", change)
        return {"ok": True, "slots": [{**slot, "available": True}]}

    async with stand_in(socket=[watched]) as hub, ann_at(hub) as ann, ann.line(callbacks) as line:
        assert await line.watch("ada", DAY) is None
        assert received[0] == ("watched", True)
        await until(lambda: len(received) == 2, "the change is here")
        hub.cut()
        await until(lambda: len(received) == 4, "the day was watched again")
    assert received == [("watched", True), ("slot", False)] * 2
    assert [sent.body for sent in hub.received] == [{"doctorId": "ada", "date": "2026-06-01"}] * 2


async def test_a_watch_says_the_highest_position_of_all_answers_and_events() -> None:
    """From a command over REST, a command over the line, a slot, and the watch itself."""
    booked = ok(201, APPOINTMENT, Position="ada=3")
    day: dict[str, Any] = {"ok": True, "slots": [], "position": {"ada": 6}}
    granted = {"ok": True, "appointment": APPOINTMENT, "position": {"ada": 4}}
    seen: list[int] = []
    callbacks = Callbacks(on_slot=lambda event: seen.append(event.seq))
    socket = [lambda _: granted, lambda _: day, lambda _: day, lambda _: _no("not_found")]
    async with stand_in(rest=[booked], socket=socket) as hub, ann_at(hub) as ann, ann.line(callbacks) as line:
        assert (await ann.commands.book("ada", START)).ok
        assert (await line.commands.cancel("a1")).ok
        await hub.tell("slot", {"doctorId": "ada", "start": "2026-06-01T10:00:00Z", "available": False, "seq": 5})
        await until(lambda: seen == [5], "the slot is here")
        for doctor_id in ("ada", "ada", "ben"):
            await line.watch(doctor_id, DAY)
    watched = [sent.body for sent in hub.received if "date" in (sent.body or {})]
    assert [each.get("since") for each in watched] == [{"ada": 5}, {"ada": 6}, None]


async def test_a_board_is_shown_again_after_a_reconnect_until_one_leaves_it() -> None:
    boards: list[dict[str, int]] = []
    board = {"ok": True, "date": "2026-06-01", "position": {"ada": 3}, "doctors": []}
    callbacks = Callbacks(on_board=lambda shown: boards.append(shown.position))
    async with stand_in(socket=[lambda _: board]) as hub, ann_at(hub) as ann, ann.line(callbacks) as line:
        assert await line.board(DAY, ["ada"]) is None
        hub.cut()
        await until(lambda: len(boards) == 2, "the board was shown again")
        assert await line.leave_board() is None
        hub.cut()
        await until(lambda: len(hub.sids) == 3, "a third connection")
    assert boards == [{"ada": 3}] * 2
    shown = {"date": "2026-06-01", "doctorId": ["ada"]}
    assert [sent.body for sent in hub.received] == [shown, {**shown, "since": {"ada": 3}}, {"date": "2026-06-01"}]


async def test_a_watch_that_is_refused_says_why() -> None:
    async with stand_in(socket=[lambda _: _no("not_found")]) as hub, ann_at(hub) as ann, ann.line(Callbacks()) as line:
        refusal = await line.watch("nobody", DAY)
    assert isinstance(refusal, Problem)
    assert refusal.code == "not_found"


async def test_an_expired_token_is_refreshed_before_the_line_is_tried_again() -> None:
    tokens: list[str] = []

    def admits(token: str) -> None:
        tokens.append(token)
        if token == "first":
            refuse_to_connect("token_expired")

    fresh = ok(200, {"accessToken": "second", "refreshToken": "refresh-2"})
    async with stand_in(rest=[fresh], admits=admits) as hub, ann_at(hub) as ann, ann.line(Callbacks()):
        pass
    assert tokens == ["first", "second"]


async def test_a_refused_line_says_why_and_stops_trying() -> None:
    tried: list[str] = []

    def admits(token: str) -> None:
        tried.append(token)
        refuse_to_connect("invalid_token")

    async with stand_in(admits=admits) as hub, ann_at(hub) as ann:
        with pytest.raises(CannotConnect, match="invalid_token"):
            await _opened(ann.line(Callbacks()))
    assert tried == ["first"]


async def test_a_draining_hub_is_tried_again() -> None:
    tried: list[str] = []

    def admits(token: str) -> None:
        tried.append(token)
        if len(tried) == 1:
            refuse_to_connect("draining")

    async with stand_in(admits=admits) as hub, ann_at(hub) as ann, ann.line(Callbacks()):
        pass
    assert len(tried) == 2


async def test_a_connection_that_ends_before_it_is_accepted_is_tried_again_at_once() -> None:
    tried: list[str] = []

    def admits(token: str) -> None:
        tried.append(token)
        if len(tried) == 1:
            hub.cut()

    patience = Timeouts(total=30.0, attempt=10.0)
    async with stand_in(admits=admits) as hub, ann_at(hub, patience) as ann, asyncio.timeout(3), ann.line(Callbacks()):
        pass
    assert len(tried) == 2


async def test_a_line_to_a_missing_hub_names_the_address() -> None:
    async with stand_in() as hub:
        pass  # its port is free again
    async with ann_at(hub, Timeouts(total=0.5, attempt=0.5)) as ann:
        with pytest.raises(CannotConnect, match=hub.url):
            await _opened(ann.line(Callbacks()))


async def test_a_line_whose_reconnect_is_refused_refuses_commands_at_once() -> None:
    admitted: list[str] = []

    def admits(token: str) -> None:
        admitted.append(token)
        if len(admitted) > 1:
            refuse_to_connect("invalid_token")

    async with stand_in(admits=admits) as hub, ann_at(hub) as ann:
        line = await ann.line(Callbacks()).__aenter__()
        hub.cut()
        await until(lambda: len(admitted) == 2, "the line tries to come back")
        answer = await line.commands.confirm("a1")
        with pytest.raises(CannotConnect, match="invalid_token"):
            await line.__aexit__()
    assert (answer.ok, answer.code) == (False, "not_connected")


async def test_the_exception_of_a_callback_ends_the_line_and_is_raised() -> None:
    def fails(_: object) -> None:
        raise ZeroDivisionError("this dashboard cannot draw")

    async with stand_in(socket=[lambda _: None]) as hub, ann_at(hub) as ann:
        line = await ann.line(Callbacks(on_appointment=fails)).__aenter__()
        await hub.tell("appointment", _event(1))
        answer = await line.commands.confirm("a1")
        with pytest.raises(ZeroDivisionError, match="cannot draw"):
            await line.__aexit__()
    assert answer.code == "not_connected"


def _event(seq: int) -> dict[str, Any]:
    return {"type": "booked", "appointment": APPOINTMENT, "seq": seq, "prev": seq - 1}


async def _opened(line: Line) -> None:
    async with line:
        pass


def _resumed(*seqs: int) -> dict[str, Any]:
    return {"ok": True, "mode": "resume", "events": [_event(seq) for seq in seqs], "position": {"ada": max(seqs)}}


async def test_missed_and_new_events_arrive_once_and_in_order_after_a_reconnect() -> None:
    received: list[object] = []
    callbacks = Callbacks(
        on_snapshot=lambda answer: received.append(dict(answer.position)),
        on_appointment=lambda event: received.append(event.seq),
    )

    async def while_others_happen(_: str) -> dict[str, Any]:
        for seq in (4, 5, 6):
            await hub.tell("appointment", _event(seq))
        return _resumed(3, 4, 5)

    snapshot = {"ok": True, "mode": "snapshot", "appointments": [APPOINTMENT], "position": {"ada": 1}}
    async with (
        stand_in(sync=[lambda _: snapshot, while_others_happen]) as hub,
        ann_at(hub) as ann,
        ann.line(callbacks) as line,
    ):
        for seq in (1, 2):
            await hub.tell("appointment", _event(seq))
        await until(lambda: len(received) == 2, "the event is here")
        hub.cut()
        await until(lambda: line.position == {"ada": 6}, "the line is in step again")
    assert received == [{"ada": 1}, 2, 3, 4, 5, 6]
    assert hub.synced == [{}, {"since": {"ada": 2}}]


async def test_a_client_that_missed_too_much_gets_a_snapshot() -> None:
    received: list[object] = []
    callbacks = Callbacks(on_snapshot=lambda answer: received.append([each.id for each in answer.appointments]))
    later = {"ok": True, "mode": "snapshot", "appointments": [APPOINTMENT], "position": {"ada": 9}}
    async with (
        stand_in(sync=[nothing_yet, lambda _: later]) as hub,
        ann_at(hub) as ann,
        ann.line(callbacks) as line,
    ):
        hub.cut()
        await until(lambda: line.position == {"ada": 9}, "the line is in step again")
    assert received == [[], ["a1"]]


async def test_a_sync_that_fails_is_repeated() -> None:
    impatient = Timeouts(total=3.0, attempt=0.5, longest_pause=0.01)
    async with (
        stand_in(sync=[lambda _: _no("unavailable"), lambda _: None, nothing_yet]) as hub,
        ann_at(hub, impatient) as ann,
        ann.line(Callbacks()),
    ):
        pass
    assert len(hub.synced) == 3


async def test_a_token_that_expires_is_refreshed_on_the_line() -> None:
    fresh = ok(200, {"accessToken": "second", "refreshToken": "refresh-2"})
    async with (
        stand_in(rest=[fresh], socket=[lambda _: {"ok": True}]) as hub,
        ann_at(hub) as ann,
        ann.line(Callbacks()),
    ):
        await hub.tell("token_expiring", {"expiresAt": "2026-06-01T10:00:00Z"})
        await until(lambda: len(hub.received) == 2, "the new token was shown")
    assert [sent.what for sent in hub.received] == ["POST /api/v1/auth/refresh", "authenticate"]
    assert hub.received[1].body == {"token": "second"}
    assert len(hub.sids) == 1


async def test_a_connection_closed_for_an_expired_token_is_reopened_with_a_new_one() -> None:
    tokens: list[str] = []
    fresh = ok(200, {"accessToken": "second", "refreshToken": "refresh-2"})
    async with stand_in(rest=[fresh], admits=tokens.append) as hub, ann_at(hub) as ann, ann.line(Callbacks()):
        await hub.send_away("token_expired")
        await until(lambda: len(tokens) == 2, "the line is back")
    assert tokens == ["first", "second"]


async def test_a_line_whose_session_has_ended_does_not_reconnect() -> None:
    async with stand_in() as hub, ann_at(hub) as ann:
        line = await ann.line(Callbacks()).__aenter__()
        await hub.send_away("session_ended")
        await until(lambda: line.ended, "the line has ended")
        answer = await line.commands.confirm("a1")
        with pytest.raises(CannotConnect, match="session_ended"):
            await line.__aexit__()
    assert answer.code == "not_connected"
    assert len(hub.sids) == 1
