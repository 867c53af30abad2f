"""Socket commands: their effects, refusals and order, and that each gets an ack."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from api.sockets.commands import COMMANDS
from api.sockets.dispatch import Dispatch
from api.sockets.inbound import Sync
from api.sockets.session import Session
from hub.accounts.identity import Identity
from hub.records.errors import StoreUnavailable
from hub.scheduling.commands import Command
from hub.scheduling.values import Role, rfc3339
from tests.api.rest_clinic import opening
from tests.api.sockets.clinic import LIMITS, Person, SocketClinic, open_sockets
from tests.api.sockets.raw import Raw, raw, until


def booking(clinic: SocketClinic, doctor: str, day: int, half_hours: int = 0, **more: object) -> dict[str, object]:
    return {"doctorId": clinic.id(doctor), "start": rfc3339(opening(day, half_hours)), **more}


async def booked(clinic: SocketClinic, who: Person, doctor: str, day: int, half_hours: int = 0, **more: object) -> Any:
    """Book and return the appointment."""
    answer = await who.ask("book", booking(clinic, doctor, day, half_hours, **more))
    assert answer["ok"], answer
    return answer["appointment"]


async def test_a_patient_books_and_the_ack_is_the_appointment_in_the_record(clinic: SocketClinic) -> None:
    carl = await clinic.person("carl")
    answer = await carl.ask("book", booking(clinic, "ada", 1, reason="a cough"))
    assert answer.keys() == {"ok", "appointment"}
    rest = await clinic.rest.ask("GET", f"/api/v1/appointments/{answer['appointment']['id']}", "carl")
    assert answer == {"ok": True, "appointment": rest.body}
    assert rest.body["reason"] == "a cough"
    assert clinic.commands.asked[0].by.via == "socket"


async def test_every_change_is_made_and_told_to_both_in_order(clinic: SocketClinic) -> None:
    ada, carl = await clinic.person("ada"), await clinic.person("carl")
    appointment = await booked(clinic, carl, "ada", 1)
    change = {"appointmentId": appointment["id"]}
    moved = {**change, "start": rfc3339(opening(1, 3))}

    assert (await ada.ask("confirm", change))["appointment"]["status"] == "confirmed"
    assert (await carl.ask("reschedule", moved))["appointment"]["start"] == moved["start"]
    why = {**change, "commandId": "why", "reason": "ill"}
    assert (await carl.ask("cancel", why))["appointment"]["status"] == "cancelled"
    repeated = await clinic.rest.ask(
        "PATCH",
        f"/api/v1/appointments/{appointment['id']}/cancel",
        "carl",
        json={"reason": "ill"},
        headers={"Idempotency-Key": "why"},
    )
    assert repeated.headers["Idempotency-Replayed"] == "true"
    second = await booked(clinic, carl, "ada", 0, 1)
    assert (await ada.ask("complete", {"appointmentId": second["id"]}))["appointment"]["status"] == "completed"

    types = ["booked", "confirmed", "rescheduled", "cancelled", "booked", "completed"]
    for person in (ada, carl):
        await person.settled()
        told = person.of("appointment")
        assert [each["type"] for each in told] == types
        assert [(each["seq"], each["prev"]) for each in told] == [(seq, seq - 1) for seq in range(1, 7)]
        assert [each["appointment"]["version"] for each in told] == [1, 2, 3, 4, 1, 2]


def without_names(appointment: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in appointment.items() if name not in {"patient", "doctor"}}


async def test_a_doctor_books_for_a_patient_in_the_own_calendar_only(clinic: SocketClinic) -> None:
    ada, carl = await clinic.person("ada"), await clinic.person("carl")
    appointment = await booked(clinic, ada, "ada", 1, patientId=clinic.id("carl"))
    assert appointment["patientId"] == clinic.id("carl")
    await carl.settled()
    [told] = [told["appointment"] for told in carl.of("appointment")]
    assert without_names(told) == without_names(appointment)
    assert await ada.refused("book", booking(clinic, "ben", 1, patientId=clinic.id("carl"))) == "forbidden"
    assert await ada.refused("book", booking(clinic, "ada", 2)) == "invalid_request"
    assert await ada.refused("book", booking(clinic, "ada", 2, patientId=clinic.id("ben"))) == "invalid_request"


async def test_what_happens_over_rest_is_told_over_sockets(clinic: SocketClinic) -> None:
    ada, carl = await clinic.person("ada"), await clinic.person("carl")
    await clinic.rest.book("carl", "ada", opening(1))
    for person in (ada, carl):
        await person.settled()
        assert [told["type"] for told in person.of("appointment")] == ["booked"]


async def test_nobody_is_told_of_the_appointments_of_others(clinic: SocketClinic) -> None:
    ben, dora = await clinic.person("ben"), await clinic.person("dora")
    await clinic.rest.book("carl", "ada", opening(1))
    for person in (ben, dora):
        await person.settled()
        assert person.events == []


async def test_refusals_of_a_start_name_their_reason(clinic: SocketClinic) -> None:
    carl, dora = await clinic.person("carl"), await clinic.person("dora")
    await booked(clinic, carl, "ada", 1)
    refusals = {
        "slot_taken": (dora, booking(clinic, "ada", 1)),
        "patient_busy": (carl, booking(clinic, "ben", 1)),
        "outside_hours": (carl, booking(clinic, "ada", 5)),
        "off_grid": (carl, {**booking(clinic, "ada", 1), "start": rfc3339(opening(1) + timedelta(minutes=7))}),
        "in_the_past": (carl, booking(clinic, "ada", -3)),
        "too_far_ahead": (carl, booking(clinic, "ada", 371)),
        "not_found": (carl, {**booking(clinic, "ada", 1), "doctorId": "nobody"}),
        "forbidden": (carl, booking(clinic, "ada", 2, patientId=clinic.id("dora"))),
    }
    for code, (who, ask) in refusals.items():
        assert await who.refused("book", ask) == code
    assert len(clinic.commands.asked) == 7  # nothing is sent for who or whom there is not


async def test_refusals_of_a_change_name_their_reason(clinic: SocketClinic) -> None:
    ada, carl, dora = [await clinic.person(name) for name in ("ada", "carl", "dora")]
    change = {"appointmentId": (await booked(clinic, carl, "ada", 1))["id"]}
    assert await dora.refused("cancel", change) == "not_found"
    assert await carl.refused("cancel", {"appointmentId": "no-such-one"}) == "not_found"
    assert await carl.refused("complete", change) == "forbidden"
    assert await ada.refused("complete", change) == "too_early"
    assert await carl.refused("reschedule", {**change, "start": rfc3339(opening(1))}) == "wrong_status"
    assert (await carl.ask("cancel", change))["ok"]
    assert await carl.refused("cancel", change) == "wrong_status"
    assert await carl.refused("confirm", change) == "wrong_status"


async def test_the_same_command_twice_is_carried_out_and_told_once(clinic: SocketClinic) -> None:
    carl = await clinic.person("carl")
    ask = booking(clinic, "ada", 1, commandId="my first booking")
    first = await carl.ask("book", ask)
    assert await carl.ask("book", ask) == {**first, "replayed": True}
    cancel = {"appointmentId": carl.of("appointment")[0]["appointment"]["id"], "commandId": "c2"}
    cancelled = await carl.ask("cancel", cancel)
    assert await carl.ask("cancel", cancel) == {**cancelled, "replayed": True}
    assert await carl.ask("book", ask) == {**first, "replayed": True}, "what it did then, not that it is cancelled now"
    await carl.settled()
    assert [told["type"] for told in carl.of("appointment")] == ["booked", "cancelled"]


async def test_a_command_id_is_for_one_command_and_each_user_has_their_own(clinic: SocketClinic) -> None:
    carl, dora = await clinic.person("carl"), await clinic.person("dora")
    await booked(clinic, carl, "ada", 1, commandId="k")
    assert await carl.refused("book", booking(clinic, "ada", 2, commandId="k")) == "idempotency_key_reused"
    await booked(clinic, dora, "ada", 2, commandId="k")


async def test_a_command_id_is_the_idempotency_key_of_rest(clinic: SocketClinic) -> None:
    carl = await clinic.person("carl")
    appointment = await booked(clinic, carl, "ada", 1, commandId="k")
    answer = await clinic.rest.ask(
        "POST", "/api/v1/appointments", "carl", json=booking(clinic, "ada", 1), headers={"Idempotency-Key": "k"}
    )
    assert (answer.status, answer.body) == (201, appointment)
    assert answer.headers["Idempotency-Replayed"] == "true"
    path, key = f"/api/v1/appointments/{appointment['id']}/cancel", {"Idempotency-Key": "c"}
    cancelled = await clinic.rest.ask("PATCH", path, "carl", headers=key)
    again = await carl.ask("cancel", {"appointmentId": appointment["id"], "commandId": "c"})
    assert again == {"ok": True, "appointment": cancelled.body, "replayed": True}
    ask = booking(clinic, "ada", 1, commandId="k")
    assert await carl.ask("book", ask) == {"ok": True, "appointment": appointment, "replayed": True}


async def test_a_second_click_for_the_own_slot_is_told_the_appointment(clinic: SocketClinic) -> None:
    ada, carl, dora = [await clinic.person(name) for name in ("ada", "carl", "dora")]
    first = await booked(clinic, carl, "ada", 1)
    again = await carl.ask("book", booking(clinic, "ada", 1))
    own = {"code": "slot_taken", "detail": "You have this slot already.", "appointmentId": first["id"]}
    assert again == {"ok": False, "error": own}
    others = await dora.ask("book", booking(clinic, "ada", 1))
    assert others["error"] == {"code": "slot_taken", "detail": "This slot is taken."}
    by_doctor = await ada.ask("book", booking(clinic, "ada", 1, patientId=clinic.id("carl")))
    assert by_doctor["error"] == own | {"detail": "This patient has this slot already."}


NO_ARGUMENTS: list[object] = [None, 7, "x", [], [{}], {"$gt": ""}, {"doctorId": {"$gt": ""}}, {"nested": [[[[[]]]]]}]


@pytest.mark.parametrize(
    "event", ["book", "confirm", "cancel", "complete", "reschedule", "watch", "unwatch", "authenticate"]
)
async def test_wrong_arguments_are_refused_with_what_is_wrong(clinic: SocketClinic, event: str) -> None:
    carl = await clinic.person("carl")
    for argument in NO_ARGUMENTS:
        answer = await carl.ask(event, argument)
        assert answer["ok"] is False
        assert answer["error"]["code"] == "invalid_request"
        assert answer["error"]["errors"]
        assert all(field.keys() == {"pointer", "detail", "code"} for field in answer["error"]["errors"])
    assert await carl.refused(event, ({}, {})) == "invalid_request"
    assert clinic.commands.asked == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start", "2026-11-24T09:00:00"),
        ("start", 1795510800),
        ("start", "tomorrow"),
        ("start", None),
        ("doctorId", "ada; drop"),
        ("doctorId", ""),
        ("reason", "x" * 501),
        ("reason", 5),
        ("patientId", ["p"]),
        ("commandId", ""),
        ("commandId", "x" * 129),
        ("commandId", "a\x1fb"),
        ("doctor_id", "a name of ours, not theirs"),
        ("surplus", 1),
    ],
)
async def test_a_wrong_field_is_named(clinic: SocketClinic, field: str, value: object) -> None:
    carl = await clinic.person("carl")
    answer = await carl.ask("book", {**booking(clinic, "ada", 1), field: value})
    assert answer["error"]["code"] == "invalid_request"
    assert [error["pointer"] for error in answer["error"]["errors"]] == [f"/{field}"]


async def test_invalid_unicode_and_deep_nesting_are_refused(clinic: SocketClinic) -> None:
    carl = await clinic.raw("carl")
    await carl.send('421["book",{"reason":"half an emoji \\ud83e"}]')
    assert '"invalid_request"' in await carl.receive("431")
    await carl.send('422["book",' + "[" * 400 + "]" * 400 + "]")
    assert '"invalid_request"' in await carl.receive("432")


async def test_an_unknown_event_is_acked_as_such(clinic: SocketClinic) -> None:
    carl = await clinic.person("carl")
    for event in ("Book", "message", "error", "newListener", "__class__", "drain", ""):
        assert await carl.refused(event, {}) == "unknown_event"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RuntimeError("secret of ours"), "internal"),
        (TypeError("secret of ours"), "internal"),
        (StoreUnavailable("secret of ours"), "unavailable"),
        (TimeoutError("secret of ours"), "unavailable"),
        (asyncio.CancelledError("secret of ours"), "try_again"),
    ],
)
async def test_every_error_of_a_command_is_an_ack_with_a_code_and_without_internals(
    clinic: SocketClinic, error: BaseException, code: str
) -> None:
    async def fails(_: Command) -> None:
        raise error

    carl = await clinic.person("carl")
    clinic.commands.before = fails
    answer = await carl.ask("book", booking(clinic, "ada", 1))
    assert answer["error"]["code"] == code
    assert "secret" not in str(answer)
    clinic.commands.before = None
    await booked(clinic, carl, "ada", 1)


async def test_when_nobody_answers_the_client_is_told_to_try_again(clinic: SocketClinic) -> None:
    carl = await clinic.person("carl")
    clinic.commands.silent = True
    ask = booking(clinic, "ada", 1, commandId="k")
    assert await carl.refused("book", ask) == "try_again"
    clinic.commands.silent = False
    assert (await carl.ask("book", ask))["ok"]
    assert len({command.id for command in clinic.commands.asked}) == 1


async def test_without_a_database_nothing_was_changed_and_the_client_may_try_again(
    clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    carl = await clinic.person("carl")

    async def fails(_: str) -> None:
        raise StoreUnavailable("down")

    monkeypatch.setattr(clinic.records.users, "by_id", fails)
    assert await carl.refused("book", booking(clinic, "ada", 1)) == "try_again"
    assert await carl.refused("watch", {"doctorId": clinic.id("ada"), "date": "2026-11-24"}) == "unavailable"


async def test_commands_of_one_client_are_carried_out_and_acked_in_order_and_of_others_meanwhile(
    clinic: SocketClinic,
) -> None:
    carl, dora = await clinic.raw("carl"), await clinic.person("dora")
    first_may_go = asyncio.Event()
    begun: list[int] = []

    async def slow_first(_: Command) -> None:
        begun.append(len(begun))
        if len(begun) == 1:
            await first_may_go.wait()

    clinic.commands.before = slow_first
    for number in range(6):
        start = rfc3339(opening(1, number))
        await carl.send(f'42{number}["book",{{"doctorId":"{clinic.id("ada")}","start":"{start}"}}]')
    await until(lambda: begun)
    await booked(clinic, dora, "ben", 1)  # does not wait for Carl
    assert len(begun) == 2
    first_may_go.set()
    acks = [await carl.receive("43") for _ in range(6)]
    assert [ack[:14] for ack in acks] == [f'43{number}[{{"ok":true' for number in range(6)]
    starts = [command.start for command in clinic.commands.asked if command.doctor_id == clinic.id("ada")]  # type: ignore[union-attr]
    assert starts == sorted(starts)


async def test_beyond_the_limit_a_command_is_answered_busy_at_once_and_the_others_are_carried_out() -> None:
    async with open_sockets(replace(LIMITS, pending=3)) as clinic:
        carl, go_on = await clinic.raw("carl"), asyncio.Event()

        async def waits(_: Command) -> None:
            await go_on.wait()

        clinic.commands.before = waits
        for number in range(5):
            start = rfc3339(opening(1, number))
            await carl.send(f'42{number}["book",{{"doctorId":"{clinic.id("ada")}","start":"{start}"}}]')
        busy = [await carl.receive("43"), await carl.receive("43")]
        assert [ack[:3] for ack in busy] == ["433", "434"]
        assert all('"code":"busy"' in ack for ack in busy)
        go_on.set()
        assert [(await carl.receive("43"))[:3] for _ in range(3)] == ["430", "431", "432"]
        clinic.commands.before = None
        assert (await carl.ask("book", booking(clinic, "ada", 2), number=9))["ok"]


async def test_the_commands_of_a_client_that_does_not_read_are_answered_busy() -> None:
    async def ask(_handlers: object, _session: Session, _request: Sync) -> dict[str, object]:
        return {"answer": 42}

    [command] = [replace(command, handler=ask) for command in COMMANDS if command.name == "sync"]
    dispatch = Dispatch([command], None, lambda _: None, None, replace(LIMITS, unread=3))
    who = Identity("carl", Role.PATIENT, "session", opening(1))
    acks = []
    for unread in (3, 4):
        queue: asyncio.Queue[object] = asyncio.Queue()
        for _ in range(unread):
            queue.put_nowait("packet")
        session = Session("sid", who, None, None, SimpleNamespace(queue=queue))
        acks.append(await dispatch.run(session, "ask", ()))
    assert acks[0] == {"ok": True, "answer": 42}
    assert acks[1]["ok"] is False
    assert acks[1]["error"] == {"code": "busy", "detail": "Read first what you have been told; send it again later."}


async def test_a_command_whose_client_has_left_is_carried_out_all_the_same(clinic: SocketClinic) -> None:
    carl, ada = await clinic.raw("carl"), await clinic.person("ada")
    go_on, begun = asyncio.Event(), asyncio.Event()

    async def waits(_: Command) -> None:
        begun.set()
        await go_on.wait()

    clinic.commands.before = waits
    await carl.send(f'421["book",{{"doctorId":"{clinic.id("ada")}","start":"{rfc3339(opening(1))}"}}]')
    await begun.wait()
    await carl.websocket.close()
    await until(lambda: len(clinic.gateway.sessions) == 1)
    go_on.set()
    await until(lambda: ada.of("appointment"))


async def test_while_stopping_commands_in_flight_are_answered_and_new_ones_sent_elsewhere() -> None:
    go_on, begun = asyncio.Event(), asyncio.Event()

    async def waits(_: Command) -> None:
        begun.set()
        await go_on.wait()

    async with AsyncExitStack() as clients:
        async with open_sockets() as clinic:
            carl = await clients.enter_async_context(raw(clinic.address))
            await carl.connect({"token": clinic.rest.token("carl")})
            clinic.commands.before = waits
            await carl.send(f'421["book",{{"doctorId":"{clinic.id("ada")}","start":"{rfc3339(opening(1))}"}}]')
            await begun.wait()
            later = asyncio.create_task(_ask_when_stopping(carl, go_on))
        assert '"code":"draining"' in await later
        assert '"ok":true' in await carl.receive("431")
        await carl.end()


async def _ask_when_stopping(client: Raw, then: asyncio.Event) -> str:
    """Send commands until one is answered `draining`; only then let the first command go on."""
    answer = ""
    while "draining" not in answer:
        await client.send('422["watch"]')
        answer = await client.receive("432")
    then.set()
    return answer
