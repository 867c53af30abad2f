"""What `clinic-hub check` says of topics that keep messages for longer than the settings say."""

from datetime import timedelta
from types import SimpleNamespace

from aiokafka.admin.config_resource import ConfigResource
from aiokafka.errors import KafkaError

from hub.bus import topics
from hub.ops.checkup.broker import check_retention

DAY = timedelta(days=1)


class Admin:
    """Stands for the admin client of a broker with these topics: policy and milliseconds, or a broker that says no."""

    def __init__(self, kept: dict[str, tuple[str, str]] | None) -> None:
        self._kept = kept

    async def describe_configs(self, wanted: list[ConfigResource]) -> list[SimpleNamespace]:
        if self._kept is None:
            raise KafkaError("not authorized")
        found = [(name, self._kept[name]) for name in (each.name for each in wanted)]
        return [
            SimpleNamespace(
                resources=[
                    (0, "", 2, name, [("cleanup.policy", policy, False), ("retention.ms", kept, False)])
                    for name, (policy, kept) in found
                ]
            )
        ]


async def test_topics_that_keep_for_longer_are_named_with_what_to_do() -> None:
    admin = Admin(
        {
            topics.COMMANDS: ("delete", "604800000"),
            topics.EVENTS: ("delete", "86400000"),
            topics.SESSIONS: ("delete", "-1"),
            topics.REJECTED: ("compact", "3600000"),
        }
    )
    names = [topics.COMMANDS, topics.EVENTS, topics.SESSIONS, topics.REJECTED]
    found = await check_retention(admin, names, DAY)
    assert [(each.grade, each.says.split()[0]) for each in found] == [
        ("wrong", topics.COMMANDS),
        ("wrong", topics.SESSIONS),
        ("wrong", topics.REJECTED),
    ]
    assert "KAFKA_RETENTION_HOURS says 24" in found[0].says
    assert "retention.ms=86400000,segment.ms=3600000" in found[0].says


async def test_nothing_is_said_where_nothing_is_known_or_everything_may_be_kept() -> None:
    assert await check_retention(Admin(None), [topics.COMMANDS], DAY) == []
    assert await check_retention(Admin({topics.COMMANDS: ("delete", "-1")}), [topics.COMMANDS], None) == []
    assert await check_retention(Admin({}), [], DAY) == []
