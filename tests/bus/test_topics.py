"""Topic names and partitions are the same for every process and every Kafka client."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta
from types import SimpleNamespace

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import NodeNotReadyError, TopicAlreadyExistsError
from aiokafka.partitioner import DefaultPartitioner

from hub.bus import topics


def test_each_instance_has_its_own_topics() -> None:
    assert topics.replies("a") != topics.replies("b")
    assert topics.replies("a") != topics.presence("a")


@pytest.mark.parametrize("partitions", [1, 4, 8])
def test_a_doctor_is_where_every_kafka_client_puts_the_key(partitions: int) -> None:
    theirs = DefaultPartitioner()
    everywhere = list(range(partitions))
    for number in range(200):
        doctor = f"doctor-{number}"
        assert topics.partition_of(doctor, partitions) == theirs(doctor.encode(), everywhere, everywhere)


def test_doctors_are_spread_over_all_partitions() -> None:
    spread = Counter(topics.partition_of(f"doctor-{number}", 8) for number in range(800))
    assert set(spread) == set(range(8))
    assert max(spread.values()) < 200


class AdminOfOthers:
    """Stands for the admin client of a broker that has made all topics by itself, with four partitions each."""

    async def create_topics(self, wanted: Sequence[NewTopic]) -> SimpleNamespace:
        return SimpleNamespace(topic_errors=[(new.name, TopicAlreadyExistsError.errno, "") for new in wanted])

    async def describe_topics(self, names: Collection[str]) -> list[dict[str, object]]:
        return [{"topic": name, "partitions": [0, 1, 2, 3]} for name in names]


async def test_a_topic_of_which_one_partition_is_used_may_have_more() -> None:
    await topics.create(AdminOfOthers(), {topics.SESSIONS: 1, topics.REJECTED: 1, topics.EVENTS: 4}, 1)


@pytest.mark.parametrize("wanted", [{topics.COMMANDS: 1}, {topics.EVENTS: 2}, {topics.EVENTS: 8}, {"another": 5}])
async def test_a_topic_whose_key_decides_the_partition_may_not_nor_may_one_have_fewer(wanted: dict[str, int]) -> None:
    with pytest.raises(topics.WrongPartitions):
        await topics.create(AdminOfOthers(), wanted, 1)


class ClientOfANewBroker:
    """Stands for the Kafka client of a broker that has just started and does not know the controller yet."""

    _request_timeout_ms = 1_000
    cluster = SimpleNamespace(controller=None)

    async def force_metadata_update(self) -> None:
        return None


async def test_a_broker_without_a_controller_is_not_ready() -> None:
    admin = AIOKafkaAdminClient()
    admin._client = ClientOfANewBroker()
    with pytest.raises(NodeNotReadyError):
        await topics.create(admin, {topics.SESSIONS: 1}, 1)
    await topics.delete(admin, topics.SESSIONS)


class AdminOfNone:
    """Stands for the admin client of a broker without topics; remembers what it is asked for."""

    def __init__(self) -> None:
        self.made: list[NewTopic] = []

    async def create_topics(self, wanted: Sequence[NewTopic]) -> SimpleNamespace:
        self.made += wanted
        return SimpleNamespace(topic_errors=[(new.name, 0, "") for new in wanted])

    async def describe_topics(self, names: Collection[str]) -> list[dict[str, object]]:
        return [{"topic": name, "partitions": [0] * 4} for name in names]


@pytest.mark.parametrize(
    ("retention", "kept", "segment"),
    [
        (timedelta(hours=24), "86400000", "3600000"),
        (timedelta(hours=1), "3600000", "600000"),
        (None, "-1", None),
    ],
)
async def test_a_new_topic_keeps_messages_for_as_long_as_the_setting_says(
    retention: timedelta | None, kept: str, segment: str | None
) -> None:
    admin = AdminOfNone()
    await topics.create(admin, {topics.COMMANDS: 4, topics.EVENTS: 4}, 1, retention)
    for made in admin.made:
        assert (made.topic_configs["cleanup.policy"], made.topic_configs["retention.ms"]) == ("delete", kept)
        assert made.topic_configs.get("segment.ms") == segment
