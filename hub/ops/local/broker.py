"""The broker for one machine: the embedded one, which is there at once, or Apache Kafka, as it runs in production."""

from pathlib import Path
from typing import Literal

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from hub.ops.local import tansu
from hub.ops.local.kafka import program as kafka
from hub.ops.local.listening import listens
from hub.ops.local.process import Program

Kind = Literal["embedded", "kafka"]
"""Named as the profiles of `hub.bus.profiles` are."""


def broker(kind: Kind, port: int, data: Path) -> Program:
    """Return the program of a broker on this loopback port. Apache Kafka keeps its data in `data`, made if missing."""
    match kind:
        case "embedded":
            command = tansu.command(port)
            after_death = "It is empty now; what was acknowledged is in the database."
        case "kafka":
            command = kafka.command(port, data)
            after_death = ""
    return Program(name="broker", command=command, port=port, answers=lambda: _answers(port), after_death=after_death)


def broker_settings(kind: Kind, port: int) -> dict[str, object]:
    """Return the settings of processes that use a broker of this kind on this port."""
    here: dict[str, object] = {"kafka_bootstrap_servers": bootstrap_servers(port), "kafka_profile": kind}
    return here | {"kafka_partitions": tansu.PARTITIONS} if kind == "embedded" else here


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
