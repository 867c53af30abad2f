"""A worker's last offset commit arrives at the empty broker that has replaced the previous one.

It happens when the broker comes back empty while a commit is being repeated; here the commit is made by hand.
"""

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from agents.app import GROUP
from hub.bus import topics
from hub.bus.broker_config import broker_config
from tests.faults.judged_run import judged_run
from tests.stack import Stack

pytestmark = pytest.mark.stack

DOCTORS, PATIENTS, SLOTS_EACH = 12, 6, 4
FORMERLY = 600
"""The offset that the worker had reached: more than the number of commands that follow."""
ANSWERED_WITHIN = 60.0


async def test_a_commit_to_a_previous_broker_hides_no_command(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start_engines()
        await _commit(stack, FORMERLY)
        agents = await stack.add_agents()
        await stack.add_api()
        assert "commits_beyond_end" in agents.written()
        async with judged_run(stack, DOCTORS, PATIENTS) as run:
            async with asyncio.timeout(ANSWERED_WITHIN):
                await run.rush(run.slots(SLOTS_EACH))
            await stack.restart(agents)
            assert "commits_beyond_end" not in agents.written(), "what was committed since is true"
            await run.rush(run.slots(2 * SLOTS_EACH)[-SLOTS_EACH * DOCTORS :])
            _, violations = await run.verdict()
            assert violations == []
            assert all(answer.decided for answer in run.answers)


async def _commit(stack: Stack, offset: int) -> None:
    """Commit an offset for every command partition, as the agents' consumer group."""
    place = broker_config(stack.settings)
    admin = AIOKafkaAdminClient(**place.client)
    consumer = AIOKafkaConsumer(**place.client, group_id=GROUP, enable_auto_commit=False)
    partitions = [TopicPartition(topics.COMMANDS, number) for number in range(place.partitions)]
    try:
        await admin.start()
        await topics.create(admin, {topics.COMMANDS: place.partitions}, place.replication)
        await consumer.start()
        consumer.assign(partitions)
        await consumer.commit(dict.fromkeys(partitions, offset))
        assert {await consumer.committed(partition) for partition in partitions} == {offset}
    finally:
        await consumer.stop()
        await admin.close()
