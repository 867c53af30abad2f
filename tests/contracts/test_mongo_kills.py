"""What was acknowledged is there after kill -9 of the database, also when that follows within milliseconds."""

import asyncio
import contextlib
import random
from pathlib import Path

from hub.ids import new_id
from hub.records.errors import StoreUnavailable
from hub.records.mongo import connect
from hub.records.ports import Saved
from tests.contracts.histories import HALF_HOUR, NINE, Histories
from tests.stack import Stack

KILLS, WRITERS = 8, 3


async def test_mixed_batches_are_there_after_a_kill_of_the_database(tmp_path: Path, histories: Histories) -> None:
    chance = random.Random(7)
    async with Stack(tmp_path, mongodb_url=None) as stack:
        await stack.start_engines()
        assert stack.settings.mongodb_url
        database = stack.engines["database"]
        records = connect(stack.settings.mongodb_url)
        await records.prepare()
        acknowledged: list[str] = []

        async def write(doctor: str) -> None:
            slot = NINE
            with contextlib.suppress(StoreUnavailable):
                while True:
                    first = histories.book(doctor, new_id(), slot)
                    second = histories.book(doctor, new_id(), slot + HALF_HOUR)
                    batch = [first, histories.confirm(first), second]
                    assert await records.appointments.save(batch) == Saved()
                    acknowledged.extend((first.id, second.id))
                    slot += 2 * HALF_HOUR

        for kill in range(KILLS):
            writers = [asyncio.create_task(write(f"doctor-{kill}-{number}")) for number in range(WRITERS)]
            await asyncio.sleep(chance.uniform(0.2, 0.8))
            await stack.kill(database)
            await asyncio.gather(*writers)
            await stack.restart(database)
            kept = await records.appointments.by_ids(acknowledged)
            assert [id_ for id_ in acknowledged if id_ not in kept] == []
            assert len(acknowledged) > kill
        await records.close()
