"""Timings of the two kinds of broker, with the reason for each figure."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class BrokerProfile:
    """Timings of a broker, in seconds unless the name ends in `_ms`.

    `session_timeout`: how long a silent worker keeps its partitions. After a kill -9 its doctors wait that long.
    KAFKA_SESSION_SECONDS replaces it.
    `heartbeat`: the interval of heartbeats. A worker learns of a rebalance only by a heartbeat; until then the doctors
    of a leaving worker are unserved. At most a third of the session timeout.
    `rebalance_timeout`: how long a rebalance waits for workers that have to give up partitions.
    `fetch_wait_ms`: how long the broker may hold a fetch that finds no data.
    """

    session_timeout: float
    heartbeat: float
    rebalance_timeout: float
    fetch_wait_ms: int


PROFILES: dict[Literal["kafka", "embedded"], BrokerProfile] = {
    # session_timeout: Apache Kafka refuses less than group.min.session.timeout.ms (default 6 s).
    # heartbeat: with 2 s, bookings waited for up to 3.8 s when a worker was stopped.
    # fetch_wait_ms: Kafka answers a fetch as soon as there is data, but holds other requests on the same connection
    # (end offsets, fetches of newly assigned partitions) until then. In rolling restarts the longest command took 1.2
    # to 2.5 s with 500 ms and 0.5 to 0.9 s with 100 ms. With 100 ms an idle process uses 0.5 % of a core more.
    "kafka": BrokerProfile(session_timeout=6.0, heartbeat=0.3, rebalance_timeout=10.0, fetch_wait_ms=100),
    # fetch_wait_ms: Tansu holds a fetch for the whole wait, even if there is data, so it delays every command on an
    # idle hub. With less than 50 ms, fetches return nothing once a partition has about ten thousand batches.
    "embedded": BrokerProfile(session_timeout=1.0, heartbeat=0.3, rebalance_timeout=10.0, fetch_wait_ms=50),
}
