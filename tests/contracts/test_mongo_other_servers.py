"""Servers other than the embedded one: missing features, refused commands, and the build of indexes."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from functools import partial
from itertools import count
from typing import Any

import aiohttp
import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from hub.accounts.account import Account
from hub.records import indexes
from hub.records.errors import BrokenRecord, DatabaseRefuses, StoreUnavailable
from hub.records.mongo import MongoRecords, connect
from hub.records.ports import Saved
from tests.contracts.histories import NINE, Histories
from tests.tools.mongo_proxy.proxy import Command, Forward, MongoProxy
from tests.tools.mongo_proxy.rules import delayed, hello_says, refused, watched, without_key_pattern
from tests.tools.mongo_proxy.wire import Document

NOBODY = "127.0.0.1:9"
READY = "http://127.0.0.1:{port}/health/ready"
ORDINARY = [one.document["name"] for one in indexes.INDEXES["appointments"] if not one.document.get("unique")]
_numbers = count()


@pytest.fixture
async def unprepared(proxy: MongoProxy) -> AsyncIterator[MongoRecords]:
    """The store on a database without any index, behind the proxy."""
    records = connect(proxy.url(f"other_{next(_numbers)}"))
    yield records
    await records.close()


def _account(name: str, email: str, phone: str) -> Account:
    return Account(id=name, role="patient", name=name, email=email, phone=phone, password_hash="-", created_at=NINE)


async def test_a_duplicate_without_its_fields_is_told_all_the_same(proxied: MongoRecords, proxy: MongoProxy) -> None:
    pat, paul = _account("pat", "pat@clinic.test", "+12025550101"), _account("paul", "paul@clinic.test", "+12025550102")
    await proxied.users.add([pat, paul])
    with proxy.rule(without_key_pattern()):
        assert await proxied.users.add([_account("other", pat.email, "+12025550103")]) == "email"
        assert await proxied.users.add([_account("other", "other@clinic.test", pat.phone or "")]) == "phone"
        assert await proxied.users.change(paul, paul.model_copy(update={"email": pat.email})) == "email"
        assert await proxied.users.change(paul, paul.model_copy(update={"phone": pat.phone})) == "phone"


async def test_data_that_breaks_a_fence_is_named_by_a_server_that_names_no_fields(
    unprepared: MongoRecords, proxy: MongoProxy
) -> None:
    users = unprepared._database["users"]
    await users.insert_many([{"_id": name, "email": name, "phone": "+12025550101"} for name in ("pat", "paul")])
    with proxy.rule(without_key_pattern()), pytest.raises(BrokenRecord, match=r"'users'.*: phone$"):
        await unprepared.prepare()


async def test_a_refusal_that_stays_is_told_in_the_servers_words_without_what_it_quotes(
    proxied: MongoRecords, proxy: MongoProxy
) -> None:
    says = 'not authorized on clinic to execute command { find: "users", filter: { email: "pat@clinic.test" } } at all'
    with proxy.rule(refused(13, says, {"find"})), pytest.raises(DatabaseRefuses) as raised:
        await proxied.users.by_email("pat@clinic.test")
    assert "not authorized on clinic to execute command {…} at all (code 13)" in str(raised.value)


async def test_a_refusal_of_a_whole_bulk_write_is_told_likewise(
    proxied: MongoRecords, proxy: MongoProxy, histories: Histories
) -> None:
    booked = histories.book()
    with (
        proxy.rule(refused(13, "not authorized", {"insert", "update"})),
        pytest.raises(DatabaseRefuses, match="not authorized"),
    ):
        await proxied.appointments.save([booked, histories.confirm(booked)])


async def test_a_log_in_that_is_wrong_is_told_as_such(proxy: MongoProxy) -> None:
    records = connect(proxy.url("clinic").replace("127.0.0.1", "clinic:hunter2@127.0.0.1"))
    with pytest.raises(DatabaseRefuses, match=r"authentication failed \(code 18\)") as raised:
        await records.prepare()
    assert "hunter2" not in str(raised.value)
    await records.close()


async def test_a_server_that_is_too_old_is_refused_by_its_version(unprepared: MongoRecords, proxy: MongoProxy) -> None:
    with proxy.rule(hello_says(maxWireVersion=13)), pytest.raises(DatabaseRefuses, match=r"too old.*6\.0"):
        await unprepared.prepare()


@pytest.mark.parametrize("module", ["api", "agents"])
async def test_a_process_ends_with_the_words_of_a_refusal_that_stays(proxy: MongoProxy, module: str) -> None:
    says = "unsupported expression in partial index: status $in"
    settings = {"MONGODB_URL": proxy.url("refused"), "KAFKA_BOOTSTRAP_SERVERS": NOBODY, "PORT": "0"}
    with proxy.rule(refused(67, says, {"createIndexes"})):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module),
            env=os.environ | settings,  # noqa: TID251  # a child needs its PATH
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(180):
                _, said = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
    assert process.returncode == 1
    assert f"clinic-hub {module} cannot go on:\nthe database refuses: {says} (code 67)" in said.decode()
    assert "Traceback" not in said.decode()


async def test_an_index_build_is_done_when_a_majority_has_it_and_ends_in_time(
    unprepared: MongoRecords, proxy: MongoProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Document] = []

    def note(command: Command) -> None:
        if command.name == "createIndexes":
            asked.append(command.document)

    monkeypatch.setattr(indexes, "make", partial(indexes.make, within=1.0))
    with proxy.rule(watched(note)), proxy.rule(delayed(5.0, {"createIndexes"})):
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await unprepared.prepare()
        assert time.monotonic() - began < 4.0
    assert asked[0]["commitQuorum"] == "majority"
    assert 0 < asked[0]["maxTimeMS"] <= 1000


async def test_a_server_that_knows_no_commit_quorum_builds_without(unprepared: MongoRecords, proxy: MongoProxy) -> None:
    async def strict(command: Command, forward: Forward) -> Document:
        if "commitQuorum" in command.document:
            return {"ok": 0.0, "code": 40415, "errmsg": "BSON field 'createIndexes.commitQuorum' is an unknown field."}
        return await forward(command)

    with proxy.rule(strict):
        await unprepared.prepare()
    assert await unprepared.missing_indexes() == []


async def test_a_single_server_is_not_told_of_a_quorum(unprepared: MongoRecords, proxy: MongoProxy) -> None:
    asked: list[Command] = []
    with proxy.rule(hello_says(setName=None)), proxy.rule(watched(asked.append)):
        await unprepared.prepare()
    assert not any("commitQuorum" in command.document for command in asked)


async def test_fences_are_enough_to_serve_while_another_index_is_built(
    unprepared: MongoRecords, proxy: MongoProxy, histories: Histories
) -> None:
    with proxy.rule(_ordinary_ones_hang):
        async with asyncio.timeout(10):
            await unprepared.prepare_fences()
        building = asyncio.create_task(unprepared.prepare())
        await asyncio.sleep(0.2)
        assert await unprepared.appointments.save([histories.book()]) == Saved()
        assert not building.done()
        building.cancel()


async def test_an_api_serves_while_it_makes_an_index_and_says_so(proxy: MongoProxy) -> None:
    settings = {"MONGODB_URL": proxy.url("upgraded"), "KAFKA_BOOTSTRAP_SERVERS": NOBODY, "PORT": "0"}
    with proxy.rule(_ordinary_ones_hang):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "api"),
            env=os.environ | settings,  # noqa: TID251  # a child needs its PATH
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(180):
                port = (await _logged(process, "listening"))["port"]
                building = await _logged(process, "indexes_missing", collection="appointments", indexes=ORDINARY)
                assert building["action"] == "creating them"
                async with aiohttp.ClientSession() as session, session.get(READY.format(port=port)) as answer:
                    detail = (await answer.json(content_type=None))["detail"]
            assert detail == f"No answer from the broker at {NOBODY}."  # the database is not missing
        finally:
            process.kill()
            await process.wait()


async def _logged(process: asyncio.subprocess.Process, event: str, **fields: object) -> dict[str, Any]:
    """Return the next log line of this event with these fields."""
    assert process.stdout
    while raw := await process.stdout.readline():
        line: dict[str, Any] = json.loads(raw)
        if line["event"] == event and line | fields == line:
            return line
    raise AssertionError(f"ended without {event!r}")


async def _ordinary_ones_hang(command: Command, forward: Forward) -> Document:
    """Delay the build of every index that is not unique beyond the end of the test."""
    if command.name == "createIndexes" and not all(one.get("unique") for one in command.document["indexes"]):
        await asyncio.sleep(60)
    return await forward(command)


@pytest.mark.parametrize(
    ("collection", "name", "options"),
    [
        ("appointments", "doctor_slot", {"unique": True}),
        ("appointments", "patient_time", {"unique": True}),
        ("attempts", "expired", {"expireAfterSeconds": 60}),
        ("sessions", "revoked", {}),
    ],
)
async def test_an_index_with_another_filter_other_gaps_or_another_lifetime_is_missing(
    mongo: MongoRecords, url: str, collection: str, name: str, options: dict[str, object]
) -> None:
    assert await mongo.missing_indexes() == []
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(url)
    there = client.get_default_database()[collection]
    keys = (await there.index_information())[name]["key"]
    await there.drop_index(name)
    await there.create_index(keys, name=name, **options)
    assert await mongo.missing_indexes() == [(collection, name)]
    client.close()
