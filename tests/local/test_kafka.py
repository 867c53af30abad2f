"""Apache Kafka on one machine: downloaded once, with its data in a folder; clear errors when a tool is missing."""

import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from hub.bus.topics import COMMANDS, EVENTS
from hub.ops.checkup.broker import check_retention
from hub.ops.local.broker import bootstrap_servers
from hub.ops.local.kafka.fetch import KafkaMissing, fetch
from hub.ops.local.ports import free_port
from tests.local.conftest import CLINIC_HUB, StartHub
from tests.stack import BROKER, Stack, is_gone, until

on_kafka = pytest.mark.skipif(BROKER != "kafka", reason="Maven has to fetch it: KAFKA=1 make test")


@pytest.fixture
def _no_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()


def tool(name: str, folder: Path, script: str = "exit 0") -> None:
    program = folder / "bin" / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.usefixtures("_no_tools")
async def test_missing_tools_are_named_with_the_packages_to_install(tmp_path: Path) -> None:
    with pytest.raises(KafkaMissing, match=r"needs Java 17 or newer and Maven\. .*apt-get install default-jre"):
        await fetch(print, tmp_path / "kafka")
    tool("java", tmp_path)
    with pytest.raises(KafkaMissing, match=r"needs Maven\."):
        await fetch(print, tmp_path / "kafka")


@pytest.mark.usefixtures("_no_tools")
async def test_a_failed_download_shows_the_output_of_maven_and_leaves_no_files(tmp_path: Path) -> None:
    tool("java", tmp_path)
    tool("mvn", tmp_path, "echo Could not transfer artifact; exit 1")
    with pytest.raises(KafkaMissing, match="Could not transfer artifact"):
        await fetch(print, tmp_path / "kafka")
    assert os.listdir(tmp_path) == ["bin"]  # noqa: PTH208  # pathlib may not be asked in an async function


@on_kafka
async def test_topics_outlive_the_broker_until_its_data_is_lost(tmp_path: Path) -> None:
    async with Stack(tmp_path, broker="kafka") as stack:
        await stack.start_engines()
        servers = str(stack.settings.kafka_bootstrap_servers)
        await make_topic(servers, "before")
        await stack.restart(stack.broker)
        assert await topics(servers) == ["before"]
        await stack.end(stack.broker)
        await stack.restart(stack.broker)
        assert await topics(servers) == ["before"]
        await stack.kill(stack.broker)
        stack.empty_broker()
        await stack.restart(stack.broker)
        assert await topics(servers) == []


@on_kafka
async def test_a_metadata_request_creates_no_topic(tmp_path: Path) -> None:
    async with Stack(tmp_path, broker="kafka") as stack:
        await stack.start_engines()
        servers = str(stack.settings.kafka_bootstrap_servers)
        admin = AIOKafkaAdminClient(bootstrap_servers=servers)
        await admin.start()
        await admin.describe_topics(["asked-for-too-early"])
        await admin.close()
        assert await topics(servers) == []


@on_kafka
async def test_apache_kafka_keeps_each_topic_for_the_hours_of_the_settings_and_check_names_one_that_it_keeps_longer(
    tmp_path: Path,
) -> None:
    async with Stack(tmp_path, broker="kafka", kafka_retention_hours=3) as stack:
        await stack.start()
        admin = AIOKafkaAdminClient(bootstrap_servers=str(stack.settings.kafka_bootstrap_servers))
        await admin.start()
        # All but Kafka's own and Faust's, in one of which nothing is written, in the other no word of a person.
        faust = {"clinic-agents-__assignor-__leader", "clinic-agents-days-changelog"}
        ours = [name for name in await admin.list_topics() if not name.startswith("__") and name not in faust]
        assert {COMMANDS, EVENTS} <= {*ours}
        kept = await configuration(admin, ours)
        assert {each["retention.ms"] for each in kept.values()} == {str(3 * 3_600_000)}, kept
        assert {each["cleanup.policy"] for each in kept.values()} == {"delete"}
        assert await check_retention(admin, ours, timedelta(hours=3)) == []
        found = await check_retention(admin, [EVENTS], timedelta(hours=2))
        assert [(each.grade, each.says.split()[0]) for each in found] == [("wrong", EVENTS)]
        await admin.close()


@on_kafka
async def test_a_run_on_apache_kafka_keeps_its_topics_for_the_next_run(up: StartHub) -> None:
    for _ in range(2):
        hub = await up("--broker", "kafka")
        children = hub.children()
        assert "broker" in children
        hub.process.terminate()
        code, said = await hub.end()
        assert code == 0, said
        assert is_gone(children["broker"])
    assert (hub.data / "kafka" / "log" / "meta.properties").exists()


@on_kafka
async def test_the_kafka_command_runs_until_it_is_stopped_and_restarts_a_dead_broker(start: StartHub) -> None:
    port = free_port()
    hub = await start(command=(CLINIC_HUB, "kafka", "--port", str(port)))
    assert hub.process.stdout
    assert f"KAFKA_BOOTSTRAP_SERVERS={bootstrap_servers(port)}" in (await hub.process.stdout.readline()).decode()
    (broker,) = children_of(hub.process.pid)
    os.kill(broker, signal.SIGKILL)
    assert "was killed by SIGKILL and was started again" in (await hub.process.stdout.readline()).decode()
    hub.process.send_signal(signal.SIGINT)
    code, _ = await hub.end()
    assert code == 130
    await until(lambda: is_gone(broker), "the broker is gone")


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def make_topic(servers: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.close()


async def configuration(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    """Return the configuration of each topic."""
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    parts = [one for answer in answers for one in answer.resources]
    return {name: {entry[0]: entry[1] for entry in entries} for _, _, _, name, entries in parts}


async def topics(servers: str) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        return [name for name in await admin.list_topics() if not name.startswith("__")]
    finally:
        await admin.close()
