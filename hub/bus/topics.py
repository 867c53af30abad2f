"""The topics: their names, which partition a doctor has, and making them."""

import asyncio
from collections.abc import Collection, Mapping

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, KafkaTimeoutError, TopicAlreadyExistsError, for_code
from aiokafka.partitioner import murmur2

COMMANDS = "clinic.commands"
EVENTS = "clinic.events"
REJECTED = "clinic.rejected"
SESSIONS = "clinic.sessions"


_LOOK_EVERY = 0.1
_LOOKS = 100
"""Ten seconds for a topic to appear."""


_BY_KEY = frozenset({COMMANDS, EVENTS})
"""Where the key decides the partition, so that another count would move doctors. Of the others only one is used."""


class WrongPartitions(Exception):
    """A topic exists with another number of partitions than the settings say; doctors would change their partition."""


def replies(instance: str) -> str:
    """Name the topic on which one api process hears its answers."""
    return f"clinic.replies.{instance}"


def presence(instance: str) -> str:
    """Name the topic that stands for one agents process; see `hub.bus.broker_incarnation`."""
    return f"clinic.agents.{instance}"


def partition_of(doctor_id: str, partitions: int) -> int:
    """Return the doctor's partition, as every Kafka client's default partitioner does for the key."""
    return int(murmur2(doctor_id.encode()) & 0x7FFFFFFF) % partitions


async def make(admin: AIOKafkaAdminClient, wanted: Mapping[str, int], replication: int) -> None:
    """Make the topics (name → partitions) that do not exist, each partition on `replication` brokers.

    Raises `WrongPartitions` when one exists with another count and that matters, `KafkaError` when the broker refuses.
    """
    missing = [NewTopic(name, count, replication) for name, count in wanted.items()]
    answer = await admin.create_topics(missing)
    for name, code, *_ in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(f"the broker did not make the topic {name}")
    for name, found in (await _partitions(admin, wanted)).items():
        # A broker may make a topic by itself, with its own count, for a client that asks too early. More partitions
        # harm only those whose doctors they move.
        if found < wanted[name] or (found > wanted[name] and name in _BY_KEY):
            raise WrongPartitions(
                f"the topic {name} has {found} partitions and KAFKA_PARTITIONS says {wanted[name]}: "
                f"set it to {found}, or stop everything and make the topic again",
            )


async def _partitions(admin: AIOKafkaAdminClient, names: Collection[str]) -> dict[str, int]:
    """Return how many partitions each topic has. Raises `KafkaTimeoutError` when one does not appear.

    Apache Kafka answers that a topic has been made before its brokers know of it: for a moment it has no partitions.
    """
    for _ in range(_LOOKS):
        found = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(list(names))}
        if all(found.get(name) for name in names):
            return found
        await asyncio.sleep(_LOOK_EVERY)
    raise KafkaTimeoutError(f"the broker made {', '.join(sorted(names))} and does not show them")


async def remove(admin: AIOKafkaAdminClient, name: str) -> None:
    """Remove a topic of this process; a broker that is gone needs no tidying."""
    try:
        await admin.delete_topics([name])
    except (KafkaError, OSError):
        return
