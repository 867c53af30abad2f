"""Where the broker is and what it is like: what every client of it is made from."""

from dataclasses import dataclass

from hub.bus.profiles import PROFILES, BrokerProfile
from hub.settings import Settings, address


@dataclass(frozen=True)
class BrokerConfig:
    """`servers` is host:port, comma-separated; `partitions` and `replication` are those of the topics we make."""

    servers: str
    profile: BrokerProfile
    partitions: int
    replication: int


def broker_config(settings: Settings) -> BrokerConfig:
    """Return where the settings say that the broker is. Raises `BadSettings` when they do not."""
    return BrokerConfig(
        servers=address(settings, "kafka_bootstrap_servers"),
        profile=PROFILES[settings.kafka_profile],
        partitions=settings.kafka_partitions,
        replication=settings.kafka_replication,
    )
