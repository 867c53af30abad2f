"""The address and properties of the broker. Every Kafka client of the hub is created from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hub.bus.profiles import PROFILES, BrokerProfile
from hub.bus.reply_sockets import sockets_in
from hub.bus.security import PLAIN, client_security
from hub.bus.signatures import CommandSignatures
from hub.settings import Settings, address

_BATCH_BYTES = 256 * 1024
"""How much of a partition leaves in one request. aiokafka has one request under way for each broker, so with its 16 KB
the commands of a rush for the slots of one doctor would leave 25 at a time."""


@dataclass(frozen=True)
class BrokerConfig:
    """`servers` is a comma-separated list of host:port. `partitions` and `replication` apply to topics we create.

    `security` has the arguments of `hub.bus.security` for every client.
    """

    servers: str
    profile: BrokerProfile
    partitions: int
    replication: int
    signatures: CommandSignatures
    reply_sockets: Path
    """The folder in which api processes listen for replies of agents on the same machine (`hub.bus.reply_sockets`)."""
    retention: timedelta | None = timedelta(days=1)
    """How long the topics that we create keep a message; None: for ever."""
    security: Mapping[str, Any] = field(default_factory=lambda: PLAIN, repr=False)

    @property
    def client(self) -> dict[str, Any]:
        """The arguments that every aiokafka client of the hub is created with: where, and how to log in."""
        return {"bootstrap_servers": self.servers, **self.security}

    @property
    def producer(self) -> dict[str, Any]:
        """The arguments of every producer."""
        return {**self.client, "acks": "all", "request_timeout_ms": 5_000, "max_batch_size": _BATCH_BYTES}


def broker_config(settings: Settings) -> BrokerConfig:
    """Return the broker that the settings name. Raises `BadSettings` if they name none."""
    profile = PROFILES[settings.kafka_profile]
    return BrokerConfig(
        servers=address(settings, "kafka_bootstrap_servers"),
        profile=replace(profile, session_timeout=settings.kafka_session_seconds or profile.session_timeout),
        partitions=settings.kafka_partitions,
        replication=settings.kafka_replication,
        signatures=signatures(settings),
        reply_sockets=sockets_in(settings.data_dir),
        retention=timedelta(hours=settings.kafka_retention_hours) if settings.kafka_retention_hours else None,
        security=client_security(settings),
    )


def signatures(settings: Settings) -> CommandSignatures:
    """Return what signs the commands of this hub, and knows its signatures."""
    retired = [each.get_secret_value() for each in settings.jwt_retired_secret_keys]
    return CommandSignatures(settings.jwt_secret_key.get_secret_value(), retired)
