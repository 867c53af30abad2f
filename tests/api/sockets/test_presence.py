"""The agents are told who of the connected patients waits, as long as they are connected."""

from datetime import timedelta

from api.sockets.presence import Presence
from tests.api.sockets.clinic import LIMITS, SocketClinic
from tests.api.sockets.conftest import OpenWith
from tests.api.sockets.raw import until

KEPT = timedelta(seconds=3 * LIMITS.presence_every)


async def wait_for(clinic: SocketClinic, name: str) -> None:
    """Let a patient wait for the next day of a doctor."""
    day = str(clinic.clock().date() + timedelta(days=1))
    wish = {"doctorId": clinic.id("ada"), "from": day, "to": day}
    assert (await clinic.rest.ask("POST", "/api/v1/waitlist", name, json=wish)).status == 201


async def test_who_waits_is_noted_while_connected_and_nobody_else(clinic: SocketClinic) -> None:
    presence = Presence(clinic.gateway.sessions, clinic.records, clinic.clock, LIMITS)
    carl = await clinic.person("carl")
    await clinic.person("robin")
    await presence.note()
    assert await clinic.records.presence.connected(clinic.clock()) == set()
    await wait_for(clinic, "carl")
    await wait_for(clinic, "dora")  # is not connected
    await presence.note()
    clinic.clock.forward(KEPT / 2)
    assert await clinic.records.presence.connected(clinic.clock()) == {clinic.id("carl")}
    await carl.sio.disconnect()
    await until(lambda: not clinic.gateway.sessions.patients())
    await presence.note()
    clinic.clock.forward(KEPT / 2)
    assert await clinic.records.presence.connected(clinic.clock()) == set()


async def test_the_gateway_notes_it_again_and_again(open_with: OpenWith) -> None:
    clinic = await open_with(presence_every=0.01)
    await clinic.person("carl")
    await wait_for(clinic, "carl")
    marked: list[object] = []
    mark = clinic.records.presence.mark

    async def noted(patient_ids: set[str], until: object) -> None:
        marked.append(until)
        await mark(patient_ids, until)

    clinic.records.presence.mark = noted
    await until(lambda: len(marked) > 1)
