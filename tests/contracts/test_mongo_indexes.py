"""The indexes in MongoDB, and the errors for invalid data and conflicting indexes."""

import asyncio
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase

from hub.records.errors import BrokenRecord
from hub.records.mongo import MongoRecords, connect
from hub.records.ports import Fence, Stopped
from tests.contracts.histories import Histories

Database = AsyncIOMotorDatabase[dict[str, Any]]


@pytest.fixture
def database(url: str) -> Database:
    return AsyncIOMotorClient[dict[str, Any]](url).get_default_database()


@pytest.mark.usefixtures("mongo")
async def test_every_fence_is_an_index_of_that_name(database: Database) -> None:
    places = {Fence.PATIENT_PLACE}  # they share the index of the times
    assert set(await database["appointments"].index_information()) >= set(Fence) - places


async def test_many_processes_may_prepare_the_same_database_at_once_and_again(url: str, histories: Histories) -> None:
    stores = [connect(url) for _ in range(4)]

    await asyncio.gather(*(records.prepare() for records in stores))
    await asyncio.gather(*(records.prepare() for records in stores))

    await stores[0].appointments.save([histories.book(patient="pat")])
    outcome = await stores[1].appointments.save([histories.book(patient="paul")])
    assert outcome == Stopped(0, Fence.DOCTOR_SLOT)
    for records in stores:
        await records.close()


async def test_an_index_of_an_earlier_version_is_dropped_by_many_processes_at_once(
    url: str, database: Database
) -> None:
    old = [("doctorId", 1), ("status", 1), ("start", 1)]
    await database["appointments"].create_index(old, name="of_doctor_by_status")
    many = [connect(url) for _ in range(4)]
    await asyncio.gather(*(one.prepare_fences() for one in many))
    assert "of_doctor_by_status" in await database["appointments"].index_information()
    await asyncio.gather(*(one.prepare() for one in many))
    assert "of_doctor_by_status" not in await database["appointments"].index_information()
    for one in many:
        await one.close()


async def test_data_that_violates_a_fence_is_reported_without_personal_data(url: str, database: Database) -> None:
    await database["users"].insert_many([{"_id": name, "email": "pat@clinic.test"} for name in ("pat", "paul")])
    records = connect(url)

    with pytest.raises(BrokenRecord, match=r"'users'.*email") as raised:
        await records.prepare()

    assert "pat@clinic.test" not in str(raised.value)
    await records.close()


async def test_an_index_with_another_definition_is_named(url: str, database: Database) -> None:
    await database["users"].create_index("email", name="email")
    records = connect(url)

    with pytest.raises(BrokenRecord, match=r"'users'.*email"):
        await records.prepare()
    await records.close()


async def test_an_invalid_document_is_reported_without_its_content(mongo: MongoRecords, database: Database) -> None:
    await database["users"].insert_one({"_id": "pat", "role": "nurse", "email": "pat@clinic.test", "createdAt": "?"})

    with pytest.raises(BrokenRecord, match=r"account pat.*role") as raised:
        await mongo.users.by_id("pat")

    assert "nurse" not in str(raised.value)
    assert "pat@clinic.test" not in str(raised.value)


@pytest.mark.parametrize("url", ["", "http://127.0.0.1/clinic", "mongodb://127.0.0.1:none/clinic"])
async def test_a_url_that_is_not_a_mongodb_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        connect(url)
