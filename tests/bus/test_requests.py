"""Request and reply: a command is sent until it is answered, or until its client has waited long enough."""

import asyncio
from datetime import timedelta

import pytest

from hub.bus import requests as module
from hub.bus.messages import Declined, Reply
from hub.bus.ports import NoAnswer
from hub.bus.requests import Requests
from hub.clock import system_clock
from hub.scheduling.commands import Command, CommandAdapter
from hub.scheduling.decision import RefusalCode
from tests.agents.actor_fixtures import NOW, book
from tests.stack import until


class Way:
    """Keeps what is sent over it; `down` makes it refuse, `stuck` makes it hang."""

    def __init__(self) -> None:
        self.sent: list[tuple[Command, bytes]] = []
        self.attempts = 0
        self.down = False
        self.stuck = False

    async def send(self, command: Command, encoded: bytes) -> None:
        self.attempts += 1
        if self.down:
            raise ConnectionError("no broker")
        if self.stuck:
            await asyncio.Event().wait()
        self.sent.append((command, encoded))


@pytest.fixture
def way() -> Way:
    return Way()


@pytest.fixture
def requests(way: Way) -> Requests:
    return Requests(way, system_clock)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat after 20 ms; give up after 200."""
    monkeypatch.setattr(module, "REPEAT_AFTER", 0.02)
    monkeypatch.setattr(module, "GIVE_UP_AFTER", 0.2)


def reply_to(command: Command) -> Reply:
    return Declined(command_id=command.id, code=RefusalCode.SLOT_TAKEN, detail="taken")


def test_a_command_is_repeated_after_a_second_and_given_up_after_ten() -> None:
    assert (module.REPEAT_AFTER, module.GIVE_UP_AFTER) == (1, 10)


async def test_an_answer_reaches_who_asked_after_one_sending(way: Way, requests: Requests) -> None:
    command = book()
    asking = asyncio.create_task(requests.ask(command))
    await until(lambda: bool(way.sent), "the command is sent")
    requests.answered(reply_to(command))
    assert await asking == reply_to(command)
    assert [CommandAdapter.validate_json(encoded) for _, encoded in way.sent] == [command]


async def test_answers_find_their_commands_in_whatever_order_they_come(way: Way, requests: Requests) -> None:
    commands = [book(at=number) for number in range(5)]
    asking = [asyncio.create_task(requests.ask(command)) for command in commands]
    await until(lambda: len(way.sent) == 5, "all are sent")
    for command in reversed(commands):
        requests.answered(reply_to(command))
    assert [reply.command_id for reply in await asyncio.gather(*asking)] == [command.id for command in commands]


@pytest.mark.usefixtures("quick")
async def test_a_command_that_nobody_answers_is_sent_again_as_the_very_same_command(
    way: Way, requests: Requests
) -> None:
    command = book()
    asking = asyncio.create_task(requests.ask(command))
    await until(lambda: len(way.sent) == 3, "it is sent three times")
    requests.answered(reply_to(command))
    assert await asking == reply_to(command)
    assert len({encoded for _, encoded in way.sent}) == 1


@pytest.mark.usefixtures("quick")
async def test_a_command_that_nobody_ever_answers_is_given_up_and_forgotten(way: Way, requests: Requests) -> None:
    command = book()
    with pytest.raises(NoAnswer):
        await requests.ask(command)
    assert 4 <= len(way.sent) <= 6
    requests.answered(reply_to(command))  # too late: nobody waits, and nothing breaks
    again = asyncio.create_task(requests.ask(command))
    before = len(way.sent)
    await until(lambda: len(way.sent) > before, "it is sent anew")
    requests.answered(reply_to(command))
    assert await again == reply_to(command)


@pytest.mark.parametrize("trouble", ["down", "stuck"])
@pytest.mark.usefixtures("quick")
async def test_a_broker_that_comes_back_gets_the_command(way: Way, requests: Requests, trouble: str) -> None:
    setattr(way, trouble, True)
    command = book()
    asking = asyncio.create_task(requests.ask(command))
    await until(lambda: way.attempts >= 2, "it was tried again")
    assert not way.sent
    setattr(way, trouble, False)
    await until(lambda: bool(way.sent), "it is sent")
    requests.answered(reply_to(command))
    assert await asking == reply_to(command)


@pytest.mark.parametrize("trouble", ["down", "stuck"])
@pytest.mark.usefixtures("quick")
async def test_without_a_broker_a_client_waits_no_longer_than_without_agents(
    way: Way, requests: Requests, trouble: str
) -> None:
    setattr(way, trouble, True)
    with pytest.raises(NoAnswer):
        await asyncio.wait_for(requests.ask(book()), 2)


async def test_who_asks_the_same_at_the_same_time_shares_the_sending_and_the_answer(
    way: Way, requests: Requests
) -> None:
    command = book()
    asking = [asyncio.create_task(requests.ask(command)) for _ in range(3)]
    await until(lambda: bool(way.sent), "it is sent")
    requests.answered(reply_to(command))
    requests.answered(reply_to(command))
    assert await asyncio.gather(*asking) == [reply_to(command)] * 3
    assert len(way.sent) == 1


async def test_one_who_hangs_up_takes_nothing_from_the_others(way: Way, requests: Requests) -> None:
    command = book()
    first = asyncio.create_task(requests.ask(command))
    second = asyncio.create_task(requests.ask(command))
    await until(lambda: bool(way.sent), "it is sent")
    first.cancel()
    await asyncio.wait({first})
    assert first.cancelled()
    requests.answered(reply_to(command))
    assert await second == reply_to(command)


@pytest.mark.usefixtures("quick")
async def test_when_all_have_hung_up_nobody_is_missed(way: Way, requests: Requests) -> None:
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    asking = asyncio.create_task(requests.ask(book()))
    await until(lambda: bool(way.sent), "it is sent")
    asking.cancel()
    await until(lambda: not requests._asking, "it is given up")
    asyncio.get_running_loop().set_exception_handler(None)
    assert failures == []


async def test_another_command_under_an_id_that_is_under_way_is_refused_at_once(way: Way, requests: Requests) -> None:
    command = book("carl", at=0, key="mine")
    asking = asyncio.create_task(requests.ask(command))
    await until(lambda: bool(way.sent), "it is sent")
    other = await requests.ask(book("carl", at=1, key="mine"))
    assert isinstance(other, Declined)
    assert other.code == "idempotency_key_reused"
    requests.answered(reply_to(command))
    assert await asking == reply_to(command)
    assert len(way.sent) == 1


async def test_an_answer_to_nobody_is_nothing(requests: Requests) -> None:
    requests.answered(reply_to(book()))


async def test_what_a_new_worker_may_not_decide_any_more_is_asked_anew(way: Way, requests: Requests) -> None:
    command = book("carl").model_copy(update={"expires": NOW + timedelta(seconds=15)})
    asking = asyncio.create_task(requests.ask(command))
    await until(lambda: len(way.sent) == 1, "it is sent")
    requests.answered(_declined(command, RefusalCode.EXPIRED))
    await until(lambda: len(way.sent) == 2, "it is asked anew")
    anew, _ = way.sent[1]
    assert (anew.id, anew.at > command.at) == (command.id, True)
    assert anew.expires is not None
    assert anew.expires - anew.at == timedelta(seconds=15)
    # The one before has refused it, and comes late: nobody believes that any more.
    requests.answered(_declined(command, RefusalCode.SLOT_TAKEN))
    assert not asking.done()
    requests.answered(_declined(anew, RefusalCode.OUTSIDE_HOURS))
    assert (await asking).code is RefusalCode.OUTSIDE_HOURS  # type: ignore[union-attr]


def _declined(command: Command, code: RefusalCode) -> Declined:
    return Declined(command_id=command.id, at=command.at, code=code, detail="-")
