"""The lines of the access log that sockets of staff leave."""

from datetime import timedelta

from hub.ops import audit
from tests.api.rest_clinic import MONDAY_MORNING, opening
from tests.api.sockets.clinic import SocketClinic
from tests.api.sockets.raw import until

BEFORE, AFTER = MONDAY_MORNING - timedelta(days=1), MONDAY_MORNING + timedelta(days=1)


async def actions(clinic: SocketClinic, by: str) -> list[str]:
    await clinic.rest.services.access_log.flush()
    return [line.action for line in await clinic.records.access_log.by(clinic.id(by), BEFORE, AFTER)]


async def about(clinic: SocketClinic, name: str, by: str) -> list[str]:
    await clinic.rest.services.access_log.flush()
    lines = await audit.about(clinic.records, clinic.id(name), BEFORE, AFTER)
    return [line.entry.action for line in lines if line.entry.by == clinic.id(by)]


async def test_what_a_socket_is_answered_is_a_line_each_and_so_are_its_beginning_and_its_end(
    clinic: SocketClinic,
) -> None:
    booked = await clinic.rest.book("carl", "ada", opening(1))
    robin = await clinic.person("robin")
    snapshot = await robin.ask("sync")
    await robin.ask("board", {"date": "2026-11-24"})
    await robin.ask("confirm", {"appointmentId": booked, "commandId": "c"})
    await robin.ask("sync", {"since": snapshot["position"]})
    await robin.sio.disconnect()
    await until(lambda: not list(clinic.gateway.sessions))
    assert await actions(clinic, "robin") == [
        *("events_followed", "snapshot_sent", "board_shown", "appointment_changed", "events_resumed", "events_ended"),
    ]


async def test_who_was_sent_an_event_is_found_by_the_sockets_that_were_open(clinic: SocketClinic) -> None:
    ada, ben = await clinic.person("ada"), await clinic.person("ben")
    await clinic.rest.book("carl", "ada", opening(1))
    await until(lambda: ada.of("appointment"))
    assert ben.of("appointment") == []
    assert await about(clinic, "carl", "ada") == ["events_followed"]
    assert await about(clinic, "carl", "ben") == []


async def test_a_patients_socket_leaves_no_line(clinic: SocketClinic) -> None:
    await clinic.rest.book("carl", "ada", opening(1))
    carl = await clinic.person("carl")
    await carl.ask("sync")
    await carl.sio.disconnect()
    await until(lambda: not list(clinic.gateway.sessions))
    assert await actions(clinic, "carl") == []
