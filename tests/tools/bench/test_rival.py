"""The rival gives the answers that the bench checks, for a moment each."""

from collections.abc import AsyncIterator
from functools import partial

import pytest

from tests.shown_time import on_machines_clock
from tests.tools.bench import bookings, machine, mixed, reading, reminders, storm
from tests.tools.bench.fan_out import one_to_many
from tests.tools.bench.recovery import touch_each_doctor
from tests.tools.bench.rest import RestClient, booking
from tests.tools.bench.rival_subject import RivalSubject, rival_under_measurement
from tests.tools.bench.scenarios import Run
from tests.tools.bench.sockets import SocketClient
from tests.tools.bench.subject import Hub

pytestmark = [pytest.mark.stack, on_machines_clock]


@pytest.fixture(scope="module")
async def rival() -> AsyncIterator[RivalSubject]:
    cores = machine.cores()
    async with rival_under_measurement([], None, Hub(), journal=False) as subject:
        yield subject
    assert machine.cores() == cores


@pytest.mark.parametrize(
    "run",
    [
        partial(bookings.over_rest, in_flight=4),
        partial(bookings.over_sockets, in_flight=4),
        partial(mixed.mostly_reads, in_flight=15),
        storm.over_rest,
        storm.over_sockets,
        partial(one_to_many, dashboards=20),
        partial(reading.asked, questions=reading.slots_of_a_day, in_flight=2),
        pytest.param(partial(reminders.due, shortly=15.0), marks=pytest.mark.slow),  # waits for them
    ],
    ids=["rest", "sockets", "mixed", "storm over REST", "storm", "dashboards", "slots", "reminders"],
)
async def test_the_rival_can_be_measured(rival: RivalSubject, run: Run) -> None:
    await touch_each_doctor(rival)
    assert await run(rival, 0.3)


async def test_a_slot_is_booked_once_and_free_again_when_it_is_cancelled(rival: RivalSubject) -> None:
    of_doctor = rival.population.patients[0].doctor_id
    first, second = (one for one in rival.population.patients if one.doctor_id == of_doctor)
    start = rival.population.free_slot(first.doctor_id)
    client = await RestClient.open(rival.host, rival.port)
    said: list[bytes] = []
    screen = await SocketClient.open(
        rival.host, rival.port, rival.population.doctor_tokens[first.doctor_id], said.append
    )
    await screen.call("watch", f'{{"doctorId":"{first.doctor_id}","date":"{start[:10]}"}}')

    booked = await client.book(first, start)
    refused = await client.book(second, start)
    listed = await client.send("GET", "/api/v1/appointments", first.token, "")
    id_ = booked.body.partition(b'"id":"')[2].partition(b'"')[0].decode()
    foreign = await client.send("PATCH", f"/api/v1/appointments/{id_}/cancel", second.token, "")
    cancelled = await client.send("PATCH", f"/api/v1/appointments/{id_}/cancel", first.token, "")
    again = await client.book(second, start)
    off_hours = await client.send("POST", "/api/v1/appointments", first.token, booking(first, f"{start[:11]}02:00:00Z"))
    await screen.call("nothing", "{}")
    client.close()
    screen.close()

    assert [booked.status, refused.status, foreign.status, cancelled.status, again.status] == [201, 409, 404, 200, 201]
    assert b'"code":"slot_taken"' in refused.body
    assert off_hours.status == 422
    assert id_.encode() in listed.body
    told = [packet.partition(b"[")[2].split(b",")[0] for packet in said]
    assert told.count(b'"appointment"') == 3
    assert told.count(b'"slot"') == 3
