"""`clinic-hub check` with services that work, are missing, or do not match the settings."""

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
from hub.records.mongo import connect
from hub.settings import Settings
from tests.stack import Stack

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


async def test_a_service_that_does_not_answer_is_reported_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URL", f"mongodb://root:hunter2@{NOBODY}/clinic")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", NOBODY)
    database, broker = await said("wrong")
    assert database.startswith(f"database: No database answers at {NOBODY}")
    assert broker.startswith(f"broker: No broker answers at {NOBODY}")
    assert "hunter2" not in database


async def test_each_missing_or_different_index_is_reported(url: str) -> None:
    assert "sessions" in str(await check_database(url))
    records = connect(url)
    await records.prepare()
    await records.close()
    assert [finding.grade for finding in await check_database(url)] == ["fine", "note"]
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
