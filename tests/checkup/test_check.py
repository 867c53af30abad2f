"""`clinic-hub check` with services that work, are missing, or do not match the settings."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from hub.bus.broker_config import broker_config
from hub.clock import system_clock
from hub.ops.checkup.broker import check_broker
from hub.ops.checkup.check import check, lines
from hub.ops.checkup.database import check_database
from hub.ops.checkup.texts import check_texts
from hub.ops.local.data_dir_lock import RunInfo, locked_data_dir
from hub.ops.local.twilio_stub.program import account
from hub.records.mongo import connect
from hub.settings import Settings, as_text
from tests.shown_time import on_machines_clock
from tests.stack import Stack
from tests.tools.mongo_proxy.proxy import MongoProxy
from tests.tools.mongo_proxy.rules import hello_says

NOBODY = "127.0.0.1:9"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


async def said(grade: str) -> list[str]:
    return [f"{finding.part}: {finding.says}" for finding in await check() if finding.grade == grade]


async def test_with_nothing_set_nothing_is_wrong() -> None:
    assert await said("wrong") == []
    assert [line[0] for line in lines(await check())] == ["✓", "·", "·", "·", "·"]


async def test_with_invalid_settings_nothing_else_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "hunter2")
    monkeypatch.setenv("MONGODB_URL", f"mongodb://{NOBODY}/clinic")
    (wrong,) = await said("wrong")
    assert wrong.startswith("settings: PORT: ")
    assert "hunter2" not in wrong


async def test_it_says_what_a_name_that_gsm7_lacks_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINIC_NAME", "Clínica São José")
    (wrong,) = await said("wrong")
    assert wrong.startswith("settings: CLINIC_NAME: GSM-7, the alphabet of texts, lacks í and ã.")
    monkeypatch.setenv("TEXTS_UNICODE", "true")
    assert await said("wrong") == []
    (note,) = [says for says in await said("note") if "CLINIC_NAME" in says]
    assert note.startswith("settings: CLINIC_NAME has í ã, which GSM-7 lacks: every text is sent as Unicode")
    assert "takes up to 2 segments" in note
    monkeypatch.setenv("CLINIC_NAME", "   ")
    assert await said("wrong") == ["settings: CLINIC_NAME: is blank: give it a value, or leave the variable out"]


async def test_what_a_run_on_the_data_dir_has_started_is_checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    stub = {name: as_text(value) for name, value in account(9).items()}
    started = {"kafka_bootstrap_servers": NOBODY, "kafka_profile": "embedded", "kafka_partitions": "4"} | stub
    run = RunInfo(pid=os.getpid(), mongodb_url=f"mongodb://{NOBODY}/clinic", settings=started)
    async with locked_data_dir(tmp_path / "data") as lock:
        lock.publish(run)
        wrong = [says.split(":")[0] for says in await said("wrong")]
        assert wrong == ["database", "broker", "twilio"]
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:10")
        assert "broker: No broker answers at 127.0.0.1:10" in str(await said("wrong"))
        lock.publish(RunInfo(pid=os.getpid()))
        monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS")
        assert await said("wrong") == []
    assert "broker: KAFKA_BOOTSTRAP_SERVERS is not set, and no hub" in str(await said("note"))


async def test_a_service_that_does_not_answer_is_reported_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URL", f"mongodb://root:hunter2@{NOBODY}/clinic")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", NOBODY)
    database, broker = await said("wrong")
    assert database.startswith(f"database: No database answers at {NOBODY}")
    assert broker.startswith(f"broker: No broker answers at {NOBODY}")
    assert "hunter2" not in database


@on_machines_clock
async def test_each_missing_or_different_index_is_reported(url: str) -> None:
    assert "sessions" in str(await check_database(url))
    records = connect(url)
    await records.prepare()
    await records.close()
    assert [finding.says for finding in await check_database(url) if finding.grade == "wrong"] == []
    client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(url)
    appointments = client.get_default_database()["appointments"]
    await appointments.drop_index("doctor_slot")
    await appointments.drop_index("doctor_seq")
    await appointments.create_index([("doctorId", 1), ("start", 1)], name="doctor_slot")
    client.close()
    wrong = [finding.says for finding in await check_database(url) if finding.grade == "wrong"]
    assert [says.split("'")[1] for says in wrong] == ["doctor_slot", "doctor_seq"]


async def test_texts_blocked_by_carriers_are_reported_for_a_day(url: str) -> None:
    records, now = connect(url), system_clock()
    await records.line_halts.put("+12025550100", 30034, now)
    await records.line_halts.put("+12025550101", 30007, now - timedelta(hours=25))
    await records.close()
    numbers = {"TWILIO_FROM_PATIENT": "+12025550100", "TWILIO_FROM_DOCTOR": "+12025550101"}
    (finding,) = await check_texts(url, numbers)
    assert (finding.grade, "TWILIO_FROM_PATIENT" in finding.says, "30034" in finding.says) == ("wrong", True, True)
    assert "not registered" in finding.says
    for unusable in (f"mongodb://{NOBODY}/clinic", "no URL"):
        assert await check_texts(unusable, numbers) == []


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({}, []),
        ({"kafka_partitions": 9}, ["clinic.commands has", "clinic.events has"]),
        ({"kafka_replication": 3}, ["KAFKA_REPLICATION says 3"]),
    ],
)
async def test_topics_that_do_not_match_the_settings_are_reported(
    stack: Stack, changed: dict[str, object], wrong: list[str]
) -> None:
    findings = await check_broker(broker_config(stack.settings.model_copy(update=changed)))
    said = [finding.says for finding in findings if finding.grade == "wrong"]
    assert len(said) >= len(wrong)
    assert all(any(says.startswith(start) for says in said) for start in wrong)
    assert bool(said) == bool(wrong)


async def database_says(url: str) -> dict[str, str]:
    """Return what is found of a database, as {grade: all sentences of that grade}."""
    found = await check_database(url)
    return {
        grade: " ".join(one.says for one in found if one.grade == grade and "index" not in one.says)
        for grade in ("fine", "note", "wrong")
    }


@on_machines_clock
async def test_the_server_is_described(proxy: MongoProxy) -> None:
    members = {"hosts": ["a:1", "b:1", "c:1"], "setName": "rs0"}
    with proxy.rule(hello_says(**members)):
        told = await database_says(proxy.url("described"))
    assert "works as MongoDB 8." in told["fine"]
    assert "its kind is replica set." in told["fine"]
    assert "acknowledged when 2 of 3 members have it" in told["fine"]
    assert "Reads go to the primary." in told["fine"]
    assert "clock and this machine's differ by less than a second" in told["fine"]
    assert told["wrong"] == ""


@pytest.mark.parametrize(
    ("hello", "grade", "says"),
    [
        ({"maxWireVersion": 13}, "wrong", "is too old: the hub needs MongoDB 6.0 or newer."),
        ({"hosts": ["a:1", "b:1"]}, "note", "2 of 2 members"),
        ({"hosts": ["a:1", "b:1"], "arbiters": ["c:1"]}, "note", "an arbiter has no data"),
        ({"setName": None}, "note", "It is no replica set: nothing takes over when it is lost"),
        ({"msg": "isdbgrid"}, "fine", "its kind is mongos."),
        ({"localTime": system_clock() + timedelta(hours=1)}, "wrong", "s ahead of this machine's."),
        ({"localTime": system_clock() - timedelta(hours=1)}, "wrong", "s behind this machine's."),
    ],
)
async def test_what_a_clinic_should_know_of_its_server_is_said(
    proxy: MongoProxy, hello: dict[str, object], grade: str, says: str
) -> None:
    with proxy.rule(hello_says(**hello)):
        assert says in (await database_says(proxy.url("described")))[grade]


async def test_a_read_preference_that_is_not_followed_is_said(proxy: MongoProxy) -> None:
    told = await database_says(proxy.url("described", "readPreference=secondaryPreferred"))
    assert "says readPreference=secondaryPreferred, which the hub does not follow" in told["note"]


async def test_a_server_that_refuses_is_quoted_without_the_password(proxy: MongoProxy) -> None:
    told = await database_says(proxy.url("described").replace("127.0.0.1", "clinic:hunter2@127.0.0.1"))
    assert "authentication failed (code 18)" in told["wrong"]
    assert "hunter2" not in str(told)


async def test_writes_that_an_election_could_undo_are_refused_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINIC_ENV", "production")
    monkeypatch.setenv("JWT_SECRET_KEY", "q0Zr7_vTn2kLx9WbYc4Dh8JsPe6MuA1fGi3RtXo5VwK")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", NOBODY)
    monkeypatch.setenv("MONGODB_URL", f"mongodb://{NOBODY}/clinic?w=1")
    (wrong,) = await said("wrong")
    assert "MONGODB_URL says w=1: a write that only one server has is lost" in wrong
