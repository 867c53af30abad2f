"""The topics: their names, their creation, and the partition of a doctor."""

import asyncio
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, KafkaTimeoutError, NodeNotReadyError, TopicAlreadyExistsError, for_code
from aiokafka.partitioner import murmur2

COMMANDS = "clinic.commands"
EVENTS = "clinic.events"
REJECTED = "clinic.rejected"
SESSIONS = "clinic.sessions"
_REPLIES = "clinic.replies."
_REPLIES_OF = re.compile(re.escape(_REPLIES) + "([0-9a-f]{8})")

_SHORTEST_SEGMENT = timedelta(minutes=10)
_POLL_INTERVAL = 0.1
_POLLS = 100
"""A new topic has 100 polls of 0.1 seconds, that is 10 seconds, to appear."""
_KEYED = frozenset({COMMANDS, EVENTS})
"""Topics whose key decides the partition: another partition count would move doctors. Others use one partition."""


class WrongPartitions(Exception):
    """A topic exists with another number of partitions than the settings name. Doctors would change their partition."""


def replies(instance: str) -> str:
    """Return the name of the topic on which one api process receives replies."""
    return f"{_REPLIES}{instance}"


def instance_of(topic: str) -> str | None:
    """Return the api process that receives replies on the topic; None if it is no topic for replies."""
    found = _REPLIES_OF.fullmatch(topic)
    return found[1] if found else None


def presence(instance: str) -> str:
    """Return the name of the topic with which one process detects a loss of data (`broker_incarnation`).

    No other process may ask for it. A reply topic does not serve: agents send late replies to it, and a broker that
    creates topics automatically then has it again after it has lost its data.
    """
    return f"clinic.presence.{instance}"


def partition_of(doctor_id: str, partitions: int) -> int:
    """Return the partition of a doctor. It is the one that Kafka's default partitioner chooses for the key."""
    return int(murmur2(doctor_id.encode()) & 0x7FFFFFFF) % partitions


def kept_for(retention: timedelta | None) -> dict[str, str]:
    """Return the configuration of a topic that keeps each message for `retention`, None: for ever.

    A broker deletes whole segments, so a message may stay for one segment longer, and for some minutes.
    """
    if retention is None:
        return {"cleanup.policy": "delete", "retention.ms": "-1"}
    segment = max(retention / 24, _SHORTEST_SEGMENT)
    return {"cleanup.policy": "delete", "retention.ms": _ms(retention), "segment.ms": _ms(segment)}


def _ms(duration: timedelta) -> str:
    return str(duration // timedelta(milliseconds=1))


async def create(
    admin: AIOKafkaAdminClient, wanted: Mapping[str, int], replication: int, retention: timedelta | None = None
) -> None:
    """Create the missing topics (name → partitions), each partition on `replication` brokers.

    They keep messages for `retention`. Existing topics stay as they are: `clinic-hub check` looks at them.

    Raises `WrongPartitions` if an existing topic has an unsuitable count, and `KafkaError` if the broker refuses, does
    not answer, or has no controller yet.
    """
    config = kept_for(retention)
    missing = [NewTopic(name, count, replication, topic_configs=config) for name, count in wanted.items()]
    with _controller_needed():
        answer = await admin.create_topics(missing)
    for name, code, *_ in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(f"the broker did not create the topic {name}")
    for name, found in (await _partitions(admin, wanted)).items():
        # A broker may create a topic automatically, with its own partition count, when a client asks for it too early.
        # Additional partitions do no harm unless they move doctors.
        if found < wanted[name] or (found > wanted[name] and name in _KEYED):
            raise WrongPartitions(
                f"the topic {name} has {found} partitions and KAFKA_PARTITIONS says {wanted[name]}: "
                f"set it to {found}, or stop all processes and create the topic again",
            )


async def _partitions(admin: AIOKafkaAdminClient, names: Collection[str]) -> dict[str, int]:
    """Return the partition count of each topic. Raises `KafkaTimeoutError` if a topic does not appear in 10 seconds.

    Apache Kafka confirms a new topic before all brokers know it. For a moment the topic has no partitions.
    """
    for _ in range(_POLLS):
        found = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(list(names))}
        if all(found.get(name) for name in names):
            return found
        await asyncio.sleep(_POLL_INTERVAL)
    raise KafkaTimeoutError(f"the broker created {', '.join(sorted(names))} but does not list them")


async def delete(admin: AIOKafkaAdminClient, name: str) -> None:
    """Delete a topic of this process. Errors are ignored: the broker may be gone."""
    try:
        with _controller_needed():
            await admin.delete_topics([name])
    except (KafkaError, OSError):
        return


@contextmanager
def _controller_needed() -> Iterator[None]:
    """Raise `KafkaError` where aiokafka raises something else, for a call that only the controller can answer.

    A broker that has just started may not know the controller yet. aiokafka then reads an attribute of None.
    """
    try:
        yield
    except AttributeError as error:
        if error.name != "nodeId":
            raise
        raise NodeNotReadyError("the broker knows no controller yet") from error
    except TimeoutError as error:
        raise KafkaTimeoutError("the controller does not answer") from error
