"""Asks the broker for the shortest session timeout of a worker that it accepts."""

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

_SHORTEST = "group.min.session.timeout.ms"


class SessionRefused(Exception):
    """The broker accepts no session timeout as short as the one in the settings. No worker can join its group."""


async def refuse_too_short(admin: AIOKafkaAdminClient, session: float) -> None:
    """Raise `SessionRefused` if the broker says that it accepts no session of so many seconds.

    A broker may keep its configuration to itself; then nothing is known, and nothing is raised.
    """
    shortest = await _shortest(admin)
    if shortest is not None and session < shortest:
        says = f"the broker accepts no session under {shortest:g} s ({_SHORTEST}), and this is {session:g} s"
        raise SessionRefused(says)


async def _shortest(admin: AIOKafkaAdminClient) -> float | None:
    try:
        brokers = (await admin.describe_cluster())["brokers"]
        wanted = ConfigResource(ConfigResourceType.BROKER, str(brokers[0]["node_id"]), {_SHORTEST: None})
        answers = await admin.describe_configs([wanted])
    except (KafkaError, IndexError):
        return None
    for answer in answers:
        for _code, _message, _kind, _name, entries in answer.resources:
            for name, value, *_ in entries:
                if name == _SHORTEST and value:
                    return int(value) / 1000
    return None
