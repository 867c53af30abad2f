"""Checks whether the broker answers, and whether its topics match the settings."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from hub.bus import topics
from hub.bus.broker_config import BrokerConfig
from hub.bus.diagnosis import diagnosis
from hub.bus.profiles import PROFILES
from hub.bus.session_limit import SessionRefused, refuse_too_short
from hub.ops.checkup.finding import Finding, Grade

KEPT = (topics.COMMANDS, topics.EVENTS, topics.SESSIONS, topics.REJECTED)
"""The topics whose messages may hold what somebody has said, or who it was."""
_OF_TOPIC = ("cleanup.policy", "retention.ms")
_TIMEOUT = 10.0
"""Seconds for all answers of the broker together."""


async def check_broker(place: BrokerConfig) -> list[Finding]:
    """Return the findings; changes nothing."""
    admin = AIOKafkaAdminClient(**place.client, request_timeout_ms=5_000)
    try:
        async with asyncio.timeout(_TIMEOUT):
            await admin.start()
            return await _look(admin, place)
    except (KafkaError, OSError, TimeoutError) as error:
        return [_finding("wrong", await diagnosis(place, error))]
    finally:
        await admin.close()


async def _look(admin: AIOKafkaAdminClient, place: BrokerConfig) -> list[Finding]:
    findings = [_finding("fine", f"Answers at {place.servers}.")]
    brokers = len((await admin.describe_cluster())["brokers"])
    if brokers < place.replication:
        says = f"KAFKA_REPLICATION says {place.replication}, and there are {brokers} brokers: no topic can be created."
        findings.append(_finding("wrong", says))
    if place.profile not in PROFILES.values():  # KAFKA_SESSION_SECONDS is set
        try:
            await refuse_too_short(admin, place.profile.session_timeout)
        except SessionRefused as error:
            findings.append(_finding("wrong", f"KAFKA_SESSION_SECONDS: {error}. The agents do not start."))
    there = set(await admin.list_topics())
    ours = [topics.COMMANDS, topics.EVENTS]
    for topic in await admin.describe_topics([name for name in ours if name in there]):
        findings += _topic(topic, place)
    findings += await check_retention(admin, [each for each in KEPT if each in there], place.retention)
    if missing := [name for name in ours if name not in there]:
        says = f"Topics not created yet: {' and '.join(missing)}. The api and the agents create them when they start."
        findings.append(_finding("note", says))
    return findings


async def check_retention(
    admin: AIOKafkaAdminClient, names: Sequence[str], retention: timedelta | None
) -> list[Finding]:
    """Return a finding for each topic that keeps messages for longer than the setting says.

    A broker may keep its configuration to itself; then nothing is found.
    """
    if retention is None or not names:
        return []
    wanted = {name: ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(_OF_TOPIC)) for name in names}
    try:
        answers = await admin.describe_configs(list(wanted.values()))
    except KafkaError:
        return []
    findings = []
    for _code, _message, _kind, name, entries in (one for answer in answers for one in answer.resources):
        found = {entry[0]: entry[1] for entry in entries}
        if found.keys() >= set(_OF_TOPIC) and not _keeps_no_longer(found, retention):
            findings.append(_finding("wrong", _kept_longer(name, found, retention)))
    return findings


def _keeps_no_longer(found: Mapping[str, str], retention: timedelta) -> bool:
    kept = int(found["retention.ms"])
    return "delete" in found["cleanup.policy"] and 0 <= kept <= retention / timedelta(milliseconds=1)


def _kept_longer(name: str, found: Mapping[str, str], retention: timedelta) -> str:
    wanted = ",".join(f"{key}={value}" for key, value in topics.kept_for(retention).items())
    return (
        f"{name} keeps messages by {found['cleanup.policy']} for {found['retention.ms']} ms, and KAFKA_RETENTION_HOURS "
        f"says {retention / timedelta(hours=1):g}: kafka-configs.sh --alter --entity-type topics --entity-name {name} "
        f"--add-config {wanted}"
    )


def _topic(topic: Mapping[str, Any], place: BrokerConfig) -> list[Finding]:
    name, partitions = topic["topic"], topic["partitions"]
    findings = []
    if len(partitions) != place.partitions:
        says = (
            f"{name} has {len(partitions)} partitions and KAFKA_PARTITIONS says {place.partitions}: nothing starts. "
            f"Set it to {len(partitions)}, or stop the hub and create the topic again."
        )
        findings.append(_finding("wrong", says))
    copies = min(len(partition["replicas"]) for partition in partitions)
    if copies < place.replication:
        says = f"{name} has {copies} copies and KAFKA_REPLICATION says {place.replication}."
        findings.append(_finding("wrong", says))
    return findings


def _finding(grade: Grade, says: str) -> Finding:
    return Finding("broker", grade, says)
