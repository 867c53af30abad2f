"""The hub on Apache Kafka with TLS, log-in and rights: it works with exactly the documented rights, and not without."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from pydantic import SecretStr

from agents.app import GROUP
from hub.bus import topics
from hub.bus.broker_config import BrokerConfig, broker_config
from hub.bus.diagnosis import diagnosis
from hub.ops.checkup.broker import check_broker
from tests.faults.judged_run import judged_run
from tests.stack import BROKER, Stack
from tests.tools.secured_kafka import PASSWORDS

pytestmark = pytest.mark.skipif(BROKER != "kafka", reason="Maven has to fetch it: KAFKA=1 make test")


@pytest.fixture(scope="module")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with Stack(tmp_path_factory.mktemp("secured"), "kafka", secured=True) as stack:
        await stack.start()
        yield stack


def place(stack: Stack, **changed: object) -> BrokerConfig:
    return broker_config(stack.settings.model_copy(update=changed))


async def test_with_the_documented_rights_a_patient_books_and_everybody_hears_of_it(secured: Stack) -> None:
    async with judged_run(secured, doctors=2, patients=3) as run:
        for patient, slot in zip(run.patients, run.slots(3), strict=False):
            booked = await patient.commands.book(slot.doctor_id, slot.start)
            assert booked.appointment
            assert (await patient.commands.confirm(booked.appointment.id)).ok
        _, violations = await run.verdict()
        assert violations == []


async def test_a_worker_that_takes_over_reads_the_table_and_commits_with_these_rights(secured: Stack) -> None:
    await secured.add_agents()
    await secured.end(secured.agents.pop(0))
    async with judged_run(secured, doctors=2, patients=1) as run:
        slot = run.slots(1)[0]
        assert (await run.patients[0].commands.book(slot.doctor_id, slot.start)).ok
    lacking = [line for log in secured.logs(10_000).values() for line in log.splitlines() if "uthorization" in line]
    assert lacking == []


async def test_the_api_can_neither_tell_of_changes_nor_act_as_the_agents_group(secured: Stack) -> None:
    async with AIOKafkaProducer(**place(secured).client) as stranger:
        for topic in (topics.EVENTS, topics.REJECTED):
            with pytest.raises(TopicAuthorizationFailedError):
                await stranger.send_and_wait(topic, b"{}")
    admin = AIOKafkaAdminClient(**place(secured).client)
    await admin.start()
    try:
        with pytest.raises(GroupAuthorizationFailedError):
            await admin.list_consumer_group_offsets(GROUP)
    finally:
        await admin.close()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"kafka_sasl_password": SecretStr("another")}, "refuses the log-in: KAFKA_SASL_USERNAME is not known"),
        ({"kafka_sasl_username": "stranger"}, "refuses the log-in"),
        ({"kafka_ca_file": None}, "its certificate is not trusted .*KAFKA_CA_FILE must have"),
        ({"kafka_security_protocol": "PLAINTEXT"}, "ends the connection.*KAFKA_SECURITY_PROTOCOL=PLAINTEXT"),
        ({"kafka_sasl_mechanism": "SCRAM-SHA-256"}, "Set KAFKA_SASL_MECHANISM to one that it offers"),
        ({"kafka_security_protocol": "SSL"}, "ends the connection.*KAFKA_SECURITY_PROTOCOL=SSL"),
    ],
    ids=["password", "user", "authority", "plain", "mechanism", "no log-in"],
)
async def test_what_is_wrong_with_the_connection_is_said(secured: Stack, changed: dict[str, Any], says: str) -> None:
    (finding,) = await check_broker(place(secured, **changed))
    assert finding.grade == "wrong"
    assert str(secured.settings.kafka_bootstrap_servers) in finding.says
    assert re.search(says, finding.says), finding.says


async def test_the_check_is_content_with_what_is_right_and_names_a_missing_right(secured: Stack) -> None:
    assert {each.grade for each in await check_broker(place(secured))} == {"fine"}
    assert "lacks a right" in await diagnosis(place(secured), TopicAuthorizationFailedError(topics.EVENTS))


async def test_a_listener_without_tls_is_named(secured: Stack) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"no TLS here")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        where = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        (finding,) = await check_broker(place(secured, kafka_bootstrap_servers=where))
    assert "does not speak TLS" in finding.says


def test_no_password_is_in_the_logs_and_in_what_describes_the_broker(secured: Stack) -> None:
    written = "".join(secured.logs(10_000).values()) + repr(place(secured))
    assert not [password for password in PASSWORDS.values() if password in written]
