"""The address and properties of the broker. Every Kafka client of the hub is created from them."""

from dataclasses import dataclass, replace

from hub.bus.profiles import PROFILES, BrokerProfile
from hub.settings import Settings, address


@dataclass(frozen=True)
class BrokerConfig:
    """`servers` is a comma-separated list of host:port. `partitions` and `replication` apply to topics we create."""

    servers: str
    profile: BrokerProfile
    partitions: int
    replication: int


def broker_config(settings: Settings) -> BrokerConfig:
    """Return the broker that the settings name. Raises `BadSettings` if they name none."""
    profile = PROFILES[settings.kafka_profile]
    return BrokerConfig(
        servers=address(settings, "kafka_bootstrap_servers"),
        profile=replace(profile, session_timeout=settings.kafka_session_seconds or profile.session_timeout),
        partitions=settings.kafka_partitions,
        replication=settings.kafka_replication,
    )
