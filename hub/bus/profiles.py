"""What differs between the two kinds of broker, with the reason for each figure."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class BrokerProfile:
    """Times of a broker. All in seconds, except the one that says otherwise.

    `session_timeout`: how long a silent worker keeps its doctors; that long they are silent after a kill -9.
    `heartbeat`: how often a worker says that it lives, and hears that others come or go: until then, nobody has the
    doctors of who goes. At most a third of the session.
    `rebalance_timeout`: how long a rebalance waits for workers that have to let go first.
    `fetch_wait_ms`: how long the broker may hold a fetch that finds nothing.
    """

    session_timeout: float
    heartbeat: float
    rebalance_timeout: float
    fetch_wait_ms: int


PROFILES: dict[Literal["kafka", "embedded"], BrokerProfile] = {
    # Apache Kafka refuses sessions under group.min.session.timeout.ms (6 s unless set otherwise). With a heartbeat of
    # 2 s, bookings waited for up to 3.8 s when a worker was stopped. It answers a fetch the moment there is data, and
    # whatever else the connection is asked only after it: where partitions end, what the worker has just been given.
    # In rolling restarts the longest command took 1.2 to 2.5 s with 500 ms, 0.5 to 0.9 s with 100 ms; an idle process
    # takes half a percent of a core more.
    "kafka": BrokerProfile(session_timeout=6.0, heartbeat=0.3, rebalance_timeout=10.0, fetch_wait_ms=100),
    # Tansu holds a fetch for the whole wait, data or not, so the wait is what a quiet command pays. Under 50 ms it
    # finds nothing any more once a partition has some ten thousand batches.
    "embedded": BrokerProfile(session_timeout=1.0, heartbeat=0.3, rebalance_timeout=10.0, fetch_wait_ms=50),
}
