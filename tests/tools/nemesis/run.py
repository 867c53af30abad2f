"""One run: the hub, its people, what goes wrong, and rest in the end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hub.ops.judge.reading import read_record
from hub.ops.judge.text_deliveries import AcceptedText
from hub.ops.local.broker import Kind as Broker
from hub.records.documents import from_document
from hub.records.mongo import MongoRecords, connect
from hub.settings import clock_settings, timekeeper
from hub.texting.text import Text
from tests.faults.balancer import balanced
from tests.phones import Phones
from tests.stack import BROKER, Stack
from tests.tools.nemesis.clients import Crowd, Habits
from tests.tools.nemesis.courier import Courier
from tests.tools.nemesis.evidence import Evidence
from tests.tools.nemesis.faults import Nemesis
from tests.tools.nemesis.people import People, Size, let_in
from tests.tools.nemesis.rest import come_to_rest, everybody_is_told
from tests.tools.nemesis.scenario import Fault

MORNING = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
_COURIER_EVERY = 0.7

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is played. `rate`: how fast the hub's clock runs, so that deadlines come due; `agents` and `api`: modules.

    `rest_within` and `dark_within` are real seconds: for everything to come to rest, and then for texts of unknown fate
    to be found out about.
    """

    seed: int
    seconds: float
    faults: Sequence[Fault]
    broker: Broker = BROKER
    rate: float = 120.0
    workers: int = 2
    apis: int = 2
    agents: str = "tests.tools.nemesis.agents"
    api: str = "tests.tools.nemesis.api"
    size: Size = field(default_factory=Size)
    habits: Habits = field(default_factory=Habits)
    rest_within: float = 60.0
    dark_within: float = 0.0


async def play(folder: Path, plan: Plan, say: Say) -> Evidence:
    """Play it on a stack in this folder; return what there is to judge it by."""
    async with _hub(folder, plan) as stack, _records(stack) as records, Phones(stack.phones.port) as phones:
        clock = timekeeper(stack.settings)
        courier = Courier(stack.settings, clock)
        await courier.sign_in(records)
        ports = [process.port for process in stack.apis]
        async with (
            balanced(stack.settings.host, ports) as balancer,
            let_in(stack.settings, records, clock, balancer.url, plan.size) as people,
        ):
            crowd = Crowd(people, plan.habits, plan.seed)
            nemesis = Nemesis(stack, folder, balancer, phones, clock)
            sending = asyncio.create_task(courier.send_for_ever(_COURIER_EVERY))
            working = asyncio.create_task(crowd.work())
            over = asyncio.get_running_loop().time() + plan.seconds
            alive = asyncio.create_task(nemesis.keep_alive())
            await _beside(working, nemesis.play(plan.faults, say))
            await _beside(working, asyncio.sleep(max(0.0, over - asyncio.get_running_loop().time())))
            crowd.go_home()
            await working
            await _ended(sending, alive)
            unrest = await come_to_rest(people, records, clock, plan.rest_within, plan.dark_within)
            return await _collect(stack, people, records, phones, courier, nemesis, crowd, unrest)


async def _collect(  # noqa: PLR0917  # each has a part of it
    stack: Stack,
    people: People,
    records: MongoRecords,
    phones: Phones,
    courier: Courier,
    nemesis: Nemesis,
    crowd: Crowd,
    unrest: str,
) -> Evidence:
    # The clock runs on, and deadlines would come due while the record is read.
    await asyncio.gather(*(stack.end(process) for process in stack.agents if process.alive))
    stopped = people.clock()
    await everybody_is_told(people, records)
    record = await read_record(records, people.clock)
    found = await records.texts._collection.find({}).to_list(None)
    texts = [from_document(Text, document) for document in found]
    arrived = [AcceptedText(each.text_id or each.sid, each.at) for each in await phones.sent()]
    return Evidence(
        rate=people.clock.rate,
        history=people.history,
        dashboards=people.dashboards,
        watches=crowd.watches,
        record=record,
        texts={text.id: text for text in texts},
        arrived=arrived,
        letters=courier.letters,
        injuries=sorted(nemesis.injuries, key=lambda injury: injury.fault.at),
        deaths=nemesis.deaths,
        stopped=stopped,
        unrest=unrest,
    )


@asynccontextmanager
async def _hub(folder: Path, plan: Plan) -> AsyncIterator[Stack]:
    async with Stack(folder, plan.broker, **clock_settings(MORNING, plan.rate), texts_per_second=200.0) as stack:
        await stack.start_engines()
        await stack.start_phones()
        for _ in range(plan.workers):
            await stack.add_agents(plan.agents)
        for _ in range(plan.apis):
            await stack.add_api(plan.api)
        yield stack


@asynccontextmanager
async def _records(stack: Stack) -> AsyncIterator[MongoRecords]:
    assert stack.settings.mongodb_url
    records = connect(stack.settings.mongodb_url)
    try:
        yield records
    finally:
        await records.close()


async def _beside(working: asyncio.Task[None], other: Coroutine[None, None, None]) -> None:
    """Await the other; the end of the work before it is an error, and raised."""
    task = asyncio.create_task(other)
    await asyncio.wait({working, task}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        await working
        raise RuntimeError("everybody went home too early")
    task.result()


async def _ended(*tasks: asyncio.Task[None]) -> None:
    """Cancel what ran beside the work; raises what one of them had died of before."""
    for task in tasks:
        task.cancel()
    for end in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(end, Exception):
            raise end
