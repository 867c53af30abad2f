"""The socket metrics can be read, and change with what they count."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from api.sockets.websocket import SharedPacket
from hub.bus.feed import FeedIntervals
from tests.api.rest_clinic import opening
from tests.api.sockets.clinic import SocketClinic, open_sockets
from tests.api.sockets.raw import until


@pytest.fixture
async def clinic() -> AsyncIterator[SocketClinic]:
    async with open_sockets(intervals=FeedIntervals(compare_every=3600, in_flight=0.0)) as clinic:
        yield clinic


async def metrics(clinic: SocketClinic) -> dict[str, float]:
    async with clinic.rest.client.get("/metrics") as response:
        assert response.status == 200
        assert response.content_type == "text/plain"
        return parsed(await response.text())


def parsed(text: str) -> dict[str, float]:
    return {
        sample.name + "".join(sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_sockets_queues_syncs_and_repairs_of_the_feed_are_counted(clinic: SocketClinic) -> None:
    before = await metrics(clinic)
    ada, carl = await clinic.person("ada"), await clinic.raw("carl")
    since = (await ada.ask("sync", {}))["position"]
    clinic.commands.receive = lambda _: None
    await clinic.rest.book("dora", "ada", opening(1))
    await ada.ask("sync", {"since": since})
    first = next(iter(clinic.gateway.server._eio.sockets.values()))
    for _ in range(3):
        first.queue.put_nowait(SharedPacket("2"))
    now = parsed(generate_latest().decode())  # before anybody's writer has a turn
    assert now["clinic_sockets_queued"] == now["clinic_sockets_queued_most"] == 3
    after = await metrics(clinic)
    assert after["clinic_sockets_open"] == 2
    assert after["clinic_feed_followed_doctors"] == 1
    for mode in ("snapshot", "resume"):
        assert after[f"clinic_syncs_total{mode}"] == before.get(f"clinic_syncs_total{mode}", 0) + 1

    await clinic.feed._catch_up()
    await until(lambda: ada.of("appointment"))
    await carl.send("42x")  # no client says this
    await carl.end()
    after = await metrics(clinic)
    assert after["clinic_feed_mended_total"] == before["clinic_feed_mended_total"] + 1
    assert after["clinic_feed_behind_total"] == before["clinic_feed_behind_total"] + 1
    assert after["clinic_sockets_cut_totalbad_packet"] == before.get("clinic_sockets_cut_totalbad_packet", 0) + 1


async def test_metrics_tell_nothing_about_anybody(clinic: SocketClinic) -> None:
    await clinic.person("carl")
    async with clinic.rest.client.get("/metrics") as response:
        text = await response.text()
    assert not [name for name in ("carl", "ada", "@", "127.0.0.1") if name in text]
