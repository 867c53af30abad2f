"""What goes wrong follows from the seed, and from nothing else."""

from collections import Counter

import pytest

from hub.ops.local.broker import Kind as Broker
from tests.tools.nemesis.scenario import kinds_on, scenario

SESSION = 6.0


def test_a_seed_gives_the_same_faults_each_time_and_another_seed_others() -> None:
    once, again, another = (scenario(seed, 300, "kafka", SESSION) for seed in (1, 1, 2))
    assert once == again
    assert once != another


@pytest.mark.parametrize("broker", ["embedded", "kafka"])
def test_every_kind_comes_before_one_comes_twice_too_often(broker: Broker) -> None:
    for seed in range(20):
        counts = Counter(fault.kind for fault in scenario(seed, 300, broker, SESSION))
        assert set(counts) == set(kinds_on(broker))
        assert max(counts.values()) - min(counts.values()) <= 2


def test_faults_come_in_order_within_the_time_and_some_at_once() -> None:
    faults = scenario(5, 120, "embedded", SESSION)
    times = [fault.at for fault in faults]
    assert times == sorted(times)
    assert times[-1] < 120
    assert len(set(times)) < len(times)


def test_workers_are_silent_for_longer_than_the_broker_waits_for_them() -> None:
    silent = [
        fault.seconds
        for fault in scenario(9, 600, "kafka", SESSION)
        if fault.kind in {"agents paused", "agents stalled before a write"}
    ]
    assert min(silent) > SESSION
