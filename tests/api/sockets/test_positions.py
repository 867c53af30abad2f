"""Answers over sockets carry positions, and none is from before a position that its client knows."""

from functools import partial
from typing import Any

import pytest

from tests.api.direct_commands import DirectCommands
from tests.api.rest_clinic import opening
from tests.api.sockets.clinic import BY_NAME, SocketClinic
from tests.api.sockets.test_watch import at, day, free


async def test_a_watch_is_never_answered_from_before_a_position_that_its_client_knows(clinic: SocketClinic) -> None:
    """The notice of the booking comes late, as from another process."""
    dora, ada = await clinic.person("dora"), clinic.id("ada")
    first = await dora.ask("watch", day(clinic))
    assert (first["position"], at(3) in free(first)) == ({ada: 0}, True)
    clinic.commands.held = True
    await clinic.rest.book("carl", "ada", opening(1, 3))

    unaware = await dora.ask("watch", day(clinic) | {"since": first["position"]})
    assert (unaware["position"], at(3) in free(unaware)) == ({ada: 0}, True)  # it knows of no change
    aware = await dora.ask("watch", day(clinic) | {"since": {ada: 1, clinic.id("ben"): 7}})
    assert (aware["position"], at(3) in free(aware)) == ({ada: 1}, False)

    clinic.commands.release()
    await clinic.rest.book("carl", "ada", opening(1, 4))
    await dora.settled()
    assert starts(dora.of("slot")) == [at(4)]  # the answer has the earlier one


async def test_every_command_says_the_position_from_which_on_its_change_is_seen(
    clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clinic.commands, "ask", partial(DirectCommands.ask, clinic.commands))  # replies with notices
    carl, ada, doctor_id = await clinic.person("carl"), await clinic.person("ada"), clinic.id("ada")
    booked = await carl.ask("book", {"doctorId": doctor_id, "start": at(3)})
    confirmed = await carl.ask("confirm", {"appointmentId": booked["appointment"]["id"]})
    changed = await ada.ask("change_hours", {"shifts": []})
    entered = await ada.ask("add_time_off", {"start": at(8), "end": at(9)})
    removed = await ada.ask("remove_time_off", {"timeOffId": entered["timeOff"]["id"]})
    acks = [booked, confirmed, changed, entered, removed]
    assert [ack["position"] for ack in acks] == [{doctor_id: seq} for seq in range(1, 6)]
    for name, ack in zip(("book", "confirm", "change_hours", "add_time_off", "remove_time_off"), acks, strict=True):
        BY_NAME[name].acks[0].model_validate(ack)


async def test_a_watch_that_is_already_on_does_not_read_the_record(clinic: SocketClinic) -> None:
    dora = await clinic.person("dora")
    answer = await dora.ask("watch", day(clinic))
    await clinic.rest.book("carl", "ada", opening(1, 3))
    store = clinic.records.appointments
    reads = {name for name in dir(store) if not name.startswith("_")}
    before = {name: getattr(store, name) for name in reads}

    async def reads_the_record(*_: Any, **__: Any) -> None:
        raise AssertionError("the record was read")

    for name in before:
        setattr(store, name, reads_the_record)
    again = await dora.ask("watch", day(clinic))
    other = await dora.ask("watch", day(clinic, "2026-11-25"))
    for name, read in before.items():
        setattr(store, name, read)
    assert free(answer) - free(again) == {at(3)}
    assert other["ok"]


async def test_a_view_that_is_dropped_during_a_watch_is_not_answered_from(
    clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the broker a view is compared with the record first. It is dropped then, and something is booked."""
    await (await clinic.person("carl")).ask("watch", day(clinic, "2026-11-25"))
    dora = await clinic.person("dora")
    events_after = clinic.records.appointments.events_after

    async def and_then_books(*args: Any) -> Any:
        events = await events_after(*args)
        monkeypatch.undo()
        clinic.feed.state.incarnation += 1
        await clinic.rest.services.views.doctor(clinic.id("ben"))
        await clinic.rest.book("carl", "ada", opening(1, 3))
        return events

    clinic.feed.state.connected = False
    monkeypatch.setattr(clinic.records.appointments, "events_after", and_then_books)
    answer = await dora.ask("watch", day(clinic))
    await dora.settled()
    assert at(3) not in free(answer)
    assert dora.of("slot") == []


def starts(slots: list[Any]) -> list[str]:
    return [slot["start"] for slot in slots]
