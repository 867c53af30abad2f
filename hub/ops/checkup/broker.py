"""Checks whether the broker answers, and whether its topics match the settings."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from hub.bus import topics
from hub.bus.broker_config import BrokerConfig
from hub.bus.diagnosis import diagnosis
from hub.bus.profiles import PROFILES
from hub.bus.session_limit import SessionRefused, refuse_too_short
from hub.ops.checkup.finding import Finding, Grade

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
    if missing := [name for name in ours if name not in there]:
        says = f"Topics not created yet: {' and '.join(missing)}. The api and the agents create them when they start."
        findings.append(_finding("note", says))
    return findings


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
