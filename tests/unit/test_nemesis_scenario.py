"""What goes wrong follows from the seed, and from nothing else."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from hub.ops.local.broker import Kind as Broker
from tests.tools.nemesis.scenario import kinds_on, scenario
from tests.tools.nemesis.verdict import without_outages

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


@pytest.mark.parametrize(
    ("outages", "until"),
    [
        ([], 30),
        ([(-9, -1)], 30),
        ([(-9, 5)], 35),
        ([(10, 20)], 40),
        ([(10, 20), (15, 25)], 45),  # together, not one after the other
        ([(35, 40), (25, 30)], 40),  # the first one makes room for the second
        ([(31, 40)], 30),
    ],
)
def test_the_time_after_a_fault_does_not_run_while_an_engine_is_away(
    outages: list[tuple[int, int]], until: int
) -> None:
    def at(second: int) -> datetime:
        return datetime(2026, 6, 1, tzinfo=UTC) + timedelta(seconds=second)

    stretches = [(at(began), at(ended)) for began, ended in outages]
    assert without_outages(at(0), timedelta(seconds=30), stretches) == at(until)
