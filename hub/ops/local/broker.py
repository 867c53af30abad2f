"""The broker for one machine: the embedded one, which needs no download, or Apache Kafka, as in production."""

from pathlib import Path
from typing import Literal

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from hub.bus.profiles import PROFILES
from hub.ops.local import tansu
from hub.ops.local.kafka import program as kafka
from hub.ops.local.listening import listens
from hub.ops.local.process import Program

Kind = Literal["embedded", "kafka"]
"""The same names as the profiles in `hub.bus.profiles`."""

_KAFKA_SESSION = 2.0
"""Seconds. Our own Apache Kafka accepts it: `group.min.session.timeout.ms` in its server.properties."""


def broker(kind: Kind, port: int, data: Path) -> Program:
    """Return the program of a broker on this loopback port.

    Apache Kafka keeps its data in the folder `data`, which is created if missing; the embedded broker ignores `data`.
    """
    match kind:
        case "embedded":
            command = tansu.command(port)
            restart_note = "The broker is empty now; every acknowledged change is in the database."
        case "kafka":
            command = kafka.command(port, data)
            restart_note = ""
    return Program(name="broker", command=command, port=port, probe=lambda: _answers(port), restart_note=restart_note)


def broker_settings(kind: Kind, port: int) -> dict[str, object]:
    """Return the settings for processes that use a broker of this kind on this port."""
    settings: dict[str, object] = {"kafka_bootstrap_servers": bootstrap_servers(port), "kafka_profile": kind}
    match kind:
        case "embedded":
            return settings | {"kafka_partitions": tansu.PARTITIONS}
        case "kafka":
            return settings | {"kafka_session_seconds": _KAFKA_SESSION}


def session_timeout(kind: Kind) -> float:
    """Return the seconds for which a silent worker keeps its doctors with a broker that was started here."""
    return _KAFKA_SESSION if kind == "kafka" else PROFILES[kind].session_timeout


def bootstrap_servers(port: int) -> str:
    """Return the value of KAFKA_BOOTSTRAP_SERVERS for a broker on this port."""
    return f"127.0.0.1:{port}"


async def _answers(port: int) -> bool:
    """Return whether the broker answers a metadata request."""
    if not await listens(port):  # checked first: the client logs an error for every refused connection
        return False
    client = AIOKafkaClient(bootstrap_servers=bootstrap_servers(port), request_timeout_ms=2000)
    try:
        await client.bootstrap()
    except (KafkaError, OSError):
        return False
    finally:
        await client.close()
    return True
