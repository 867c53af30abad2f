"""Names and partitions: the same for every process, and for every other Kafka client."""

from collections import Counter

import pytest
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
