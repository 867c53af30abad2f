"""During an election of a replica set, no decision uses data from a server that is no longer primary."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack

import pytest

from api.visibility import visible_appointment
from hub.accounts.identity import Identity
from hub.records.errors import StoreUnavailable
from hub.records.mongo import MongoRecords, connect
from hub.records.ports import Saved
from hub.scheduling.values import Role
from tests.agents.actor_fixtures import NOW, SharedStore, book, cancel, confirm, given
from tests.contracts.engine import Engine
from tests.contracts.histories import Histories
from tests.tools.mongo_proxy.former_primary import remembering
from tests.tools.mongo_proxy.proxy import MongoProxy
from tests.tools.mongo_proxy.rules import READS, hello_says, no_primary

ANSWER_WITHIN = 6.0
"""Seconds: five for the database, and one more for a busy machine."""


@pytest.fixture
async def store(proxied: MongoRecords) -> SharedStore:
    """Doctors and patients in a database behind the proxy."""
    store = SharedStore(records=proxied)
    await store.open()
    return store


def database_of(store: SharedStore) -> str:
    assert isinstance(store.records, MongoRecords)
    return str(store.records._database.name)


async def test_a_slot_is_not_refused_because_a_former_primary_still_has_it_taken(
    store: SharedStore, proxy: MongoProxy, engine: Engine
) -> None:
    taken = book("carl", at=0)
    await given(store.worker(), taken)
    with remembering(engine.url("admin"), database_of(store)) as former:
        assert await given(store.worker(), cancel(taken)) == ["cancelled"]
        successor, wanted = store.worker(), book("dora", at=0)
        with proxy.rule(former), pytest.raises(StoreUnavailable):
            await given(successor, wanted)
        assert await given(successor, wanted) == ["scheduled"]


async def test_a_change_is_not_refused_because_a_former_primary_never_saw_the_booking(
    store: SharedStore, proxy: MongoProxy, engine: Engine
) -> None:
    booked = book("carl", at=0)
    with remembering(engine.url("admin"), database_of(store)) as former:
        await given(store.worker(), booked)
        successor, change = store.worker(), confirm(booked)
        with proxy.rule(former), pytest.raises(StoreUnavailable):
            await given(successor, change)
        assert await given(successor, change) == ["confirmed"]


async def test_an_appointment_is_not_said_to_be_missing_because_a_former_primary_never_saw_it(
    store: SharedStore, proxy: MongoProxy, engine: Engine
) -> None:
    booked, appointments = book("carl", at=0), store.records.appointments
    carl = Identity("carl", Role.PATIENT, "session", NOW)
    with remembering(engine.url("admin"), database_of(store)) as former:
        await given(store.worker(), booked)
        with proxy.rule(former), pytest.raises(StoreUnavailable):
            await visible_appointment(appointments, carl, booked.id)
        assert (await visible_appointment(appointments, carl, booked.id)).id == booked.id


@pytest.mark.parametrize("batch", ["one booking", "a booking and its confirmation"])
async def test_nothing_is_acknowledged_that_one_server_has_whatever_the_url_says(
    proxied: MongoRecords, proxy: MongoProxy, engine: Engine, histories: Histories, batch: str
) -> None:
    name = proxied._database.name
    careless = connect(proxy.url(name, "w=1&journal=false&readConcernLevel=local"))
    booked = histories.book()
    wanted = [booked, histories.confirm(booked)] if batch != "one booking" else [booked]
    with remembering(engine.url("admin"), name) as former:
        with proxy.rule(former), pytest.raises(StoreUnavailable):
            await careless.appointments.save(wanted)
        assert await careless.appointments.by_ids([booked.id]) == {}  # rolled back
        assert await careless.appointments.save(wanted) == Saved()
    await careless.close()


async def test_calls_end_in_time_while_nobody_is_primary_and_work_by_themselves_afterwards(
    proxied: MongoRecords, proxy: MongoProxy, histories: Histories
) -> None:
    booked = histories.book()
    with proxy.rule(no_primary()):
        for call in (
            lambda: proxied.appointments.save([booked]),
            lambda: proxied.users.by_email("pat@clinic.test"),
            lambda: proxied.appointments.current([booked.id]),
        ):
            began = time.monotonic()
            with pytest.raises(StoreUnavailable):
                await call()
            assert time.monotonic() - began < ANSWER_WITHIN
    assert await _until_saved(proxied, histories) == Saved()


async def _until_saved(records: MongoRecords, histories: Histories) -> object:
    histories.seqs.clear()
    booked = histories.book()
    async with asyncio.timeout(10):
        while True:
            try:
                return await records.appointments.save([booked])
            except StoreUnavailable:
                await asyncio.sleep(0.1)


@pytest.fixture
async def pair(engine: Engine) -> AsyncIterator[tuple[MongoProxy, MongoProxy]]:
    """A replica set of a primary and a secondary, according to `hello`. Both are proxies of the same database."""
    with ExitStack() as opened:
        primary = opened.enter_context(MongoProxy("127.0.0.1", engine.port))
        secondary = opened.enter_context(MongoProxy("127.0.0.1", engine.port))
        hosts = [f"127.0.0.1:{each.listening_port}" for each in (primary, secondary)]
        common: dict[str, object] = {"setName": "rs0", "hosts": hosts, "primary": hosts[0]}
        opened.enter_context(primary.rule(hello_says(**common, me=hosts[0])))
        as_secondary = {"isWritablePrimary": False, "ismaster": False, "secondary": True, "electionId": None}
        opened.enter_context(secondary.rule(hello_says(**common, me=hosts[1], **as_secondary)))
        yield primary, secondary


@pytest.mark.parametrize("preference", ["secondary", "secondaryPreferred&readPreferenceTags=disk:ssd", "nearest"])
async def test_reads_go_to_the_primary_whatever_the_url_says(
    pair: tuple[MongoProxy, MongoProxy], preference: str
) -> None:
    primary, secondary = pair
    hosts = ",".join(f"127.0.0.1:{each.listening_port}" for each in pair)
    records = connect(f"mongodb://{hosts}/preferred?replicaSet=rs0&readPreference={preference}")
    await records.prepare()
    await records.users.by_email("pat@clinic.test")
    await records.appointments.current(["nothing"])
    await records.photos.get("nothing")
    await records.missing_indexes()
    assert READS & set(primary.names())
    assert not READS & set(secondary.names())
    await records.close()
