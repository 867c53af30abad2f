"""One run: starts the hub and its clients, injects faults, waits until the hub is quiescent, and collects evidence."""

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
from hub.settings import clock_settings, offer_policy, timekeeper
from hub.texting.text import Text
from tests.faults.balancer import balanced
from tests.phones import Phones
from tests.stack import BROKER, Stack
from tests.tools.nemesis.clients import Behaviour, RandomClients
from tests.tools.nemesis.erasures import finished_erasures, words_left
from tests.tools.nemesis.evidence import Evidence
from tests.tools.nemesis.faults import Nemesis
from tests.tools.nemesis.one_shot_commands import OneShotSender
from tests.tools.nemesis.people import MOST_ACTIVE, People, Size, connect_people
from tests.tools.nemesis.quiescence import until_dashboards_complete, until_quiescent
from tests.tools.nemesis.scenario import Fault

MORNING = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
_ONE_SHOT_INTERVAL = 0.7

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """The parameters of a run. `rate`: speed of the hub's clock, so that deadlines come due. `agents`, `api`: modules.
    `secured`: the broker has TLS, log-in and rights.

    `quiescent_within`: real seconds until nothing is under way. `settled_within`: further seconds until the result of
    every text is known.
    """

    seed: int
    seconds: float
    faults: Sequence[Fault]
    broker: Broker = BROKER
    secured: bool = False
    rate: float = 120.0
    workers: int = 2
    apis: int = 2
    agents: str = "tests.tools.nemesis.agents"
    api: str = "tests.tools.nemesis.api"
    size: Size = field(default_factory=Size)
    behaviour: Behaviour = field(default_factory=Behaviour)
    quiescent_within: float = 60.0
    settled_within: float = 0.0


async def play(folder: Path, plan: Plan, say: Say) -> Evidence:
    """Run the plan on a stack in this folder, and return the evidence."""
    async with _hub(folder, plan) as stack, _records(stack) as records, Phones(stack.phones.port) as phones:
        clock = timekeeper(stack.settings)
        one_shot_sender = OneShotSender(stack.settings, clock)
        await one_shot_sender.sign_in(records)
        ports = [process.port for process in stack.apis]
        async with (
            balanced(stack.settings.host, ports) as balancer,
            connect_people(stack.settings, records, clock, balancer.url, plan.size) as people,
        ):
            random_clients = RandomClients(people, plan.behaviour, plan.seed)
            nemesis = Nemesis(stack, folder, balancer, phones, clock)
            sending = asyncio.create_task(one_shot_sender.send_forever(_ONE_SHOT_INTERVAL))
            working = asyncio.create_task(random_clients.work())
            over = asyncio.get_running_loop().time() + plan.seconds
            alive = asyncio.create_task(nemesis.keep_alive())
            await _beside(working, nemesis.play(plan.faults, say))
            await _beside(working, asyncio.sleep(max(0.0, over - asyncio.get_running_loop().time())))
            random_clients.stop()
            await working
            await _ended(sending, alive)
            policy = offer_policy(stack.settings)
            unfinished = await until_quiescent(
                people, records, clock, policy, plan.quiescent_within, plan.settled_within
            )
            return await _collect(stack, people, records, phones, one_shot_sender, nemesis, random_clients, unfinished)


async def _collect(  # noqa: PLR0917  # each part has some of the evidence
    stack: Stack,
    people: People,
    records: MongoRecords,
    phones: Phones,
    one_shot_sender: OneShotSender,
    nemesis: Nemesis,
    random_clients: RandomClients,
    unfinished: str,
) -> Evidence:
    # Stopped first: otherwise deadlines would come due while the record is read.
    await asyncio.gather(*(stack.end(process) for process in stack.agents if process.alive))
    stopped = people.clock()
    await until_dashboards_complete(people, records)
    record = await read_record(records, people.clock)
    found = await records.texts._collection.find({}).to_list(None)
    texts = [from_document(Text, document) for document in found]
    arrived = [AcceptedText(each.text_id or each.sid, each.at) for each in await phones.sent()]
    return Evidence(
        rate=people.clock.rate,
        history=people.history,
        dashboards=people.dashboards,
        watches=random_clients.watches,
        record=record,
        texts={text.id: text for text in texts},
        arrived=arrived,
        one_shot_commands=one_shot_sender.one_shot_commands,
        injected_faults=sorted(nemesis.injected_faults, key=lambda injected: injected.fault.at),
        deaths=nemesis.deaths,
        stopped=stopped,
        unfinished=unfinished,
        offers=offer_policy(stack.settings),
        finished_erasures=await finished_erasures(records, people),
        words_left=await words_left(records, people),
    )


@asynccontextmanager
async def _hub(folder: Path, plan: Plan) -> AsyncIterator[Stack]:
    more: dict[str, object] = {**clock_settings(MORNING, plan.rate), "active_appointments_per_patient": MOST_ACTIVE}
    more |= {"waitlist_hours": "00:00-24:00"}  # long runs go through a night
    async with Stack(folder, plan.broker, secured=plan.secured, **more, texts_per_second=200.0) as stack:
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
    """Await `other`. Raises the error of `working` if that ends first."""
    task = asyncio.create_task(other)
    await asyncio.wait({working, task}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        await working
        raise RuntimeError("everybody went home too early")
    task.result()


async def _ended(*tasks: asyncio.Task[None]) -> None:
    """Cancel the tasks. Raises the error of a task that had failed."""
    for task in tasks:
        task.cancel()
    for end in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(end, Exception):
            raise end
