"""A change of the number of partitions: the procedure of docs/scaling.md, while clients send requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from agents.app import GROUP
from hub.bus.topics import COMMANDS
from tests.faults.judged_run import judged_run
from tests.stack import BROKER, Stack

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(BROKER != "kafka", reason="the embedded broker is empty at each start: KAFKA=1 make test"),
]

DOCTORS, SLOTS_EACH, PATIENTS = 8, 8, 16
BEFORE, AFTER = 8, 12


async def test_the_number_of_partitions_is_changed_without_losing_a_booking(tmp_path: Path) -> None:
    async with Stack(tmp_path, kafka_partitions=BEFORE) as stack:
        await stack.start(agents=2)
        async with judged_run(stack, DOCTORS, PATIENTS) as run:
            slots = run.slots(SLOTS_EACH)
            asked = len(slots) * PATIENTS
            rush = asyncio.create_task(run.rush(slots))
            await run.until_answered(asked // 4)
            assert await partitions(stack) == BEFORE

            for process in (*stack.apis, *stack.agents):
                await stack.end(process)
            assert len(run.answers) < asked, "it was over already"
            assert await committed(stack)
            await remove_topics(stack)
            async with asyncio.timeout(10):  # else new commands would be skipped up to the old positions
                while await committed(stack):  # noqa: ASYNC110  # no Event: it is another process
                    await asyncio.sleep(0.1)
            stack.settings = stack.settings.model_copy(update={"kafka_partitions": AFTER})
            stack.apis.clear()
            stack.agents.clear()
            for _ in range(2):
                await stack.add_agents()
            await stack.add_api()

            assert await partitions(stack) == AFTER
            await rush
            _, violations = await run.verdict()
            assert violations == []
            assert all(answer.decided for answer in run.answers)


@asynccontextmanager
async def admin_of(stack: Stack) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=str(stack.settings.kafka_bootstrap_servers))
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def remove_topics(stack: Stack) -> None:
    async with admin_of(stack) as admin:
        await admin.delete_topics([name for name in await admin.list_topics() if name.startswith("clinic")])


async def committed(stack: Stack) -> set[int]:
    """Return the command partitions for which the workers' consumer group has an offset."""
    async with admin_of(stack) as admin:
        return {tp.partition for tp in await admin.list_consumer_group_offsets(GROUP) if tp.topic == COMMANDS}


async def partitions(stack: Stack) -> int:
    async with admin_of(stack) as admin:
        (topic,) = await admin.describe_topics([COMMANDS])
        return len(topic["partitions"])
