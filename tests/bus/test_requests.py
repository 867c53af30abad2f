"""Request and reply: a command is resent until it is answered, or until the caller has waited long enough."""

import asyncio
from datetime import timedelta

import pytest

from hub.bus.messages import Reply
from hub.bus.ports import NoAnswer
from hub.bus.requests import Requests, RequestTimeouts
from hub.bus.signatures import NOT_SIGNED
from hub.clock import system_clock
from hub.scheduling.commands import Command, CommandAdapter
from hub.scheduling.decision import RefusalCode, Refused
from tests.agents.actor_fixtures import ASKED, account, book
from tests.stack import until


class FakeSender:
    """Records what is sent. If `down` is set, sending fails. If `stuck` is set, sending hangs."""

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
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
def requests(sender: FakeSender) -> Requests:
    return Requests(sender, system_clock, RequestTimeouts())


@pytest.fixture
def impatient(sender: FakeSender) -> Requests:
    """Resends after 20 ms and gives up after 200 ms."""
    return Requests(sender, system_clock, RequestTimeouts(resend_after=0.02, give_up_after=0.2))


def reply_to(command: Command) -> Reply:
    return refused(command, RefusalCode.SLOT_TAKEN)


def test_by_default_a_command_is_resent_after_one_second_and_given_up_after_ten() -> None:
    assert RequestTimeouts() == RequestTimeouts(resend_after=1, give_up_after=10)


async def test_a_reply_reaches_the_caller_after_one_send(sender: FakeSender, requests: Requests) -> None:
    command = book()
    asking = asyncio.create_task(requests.ask(command))
    await until(lambda: bool(sender.sent), "the command is sent")
    requests.on_reply(reply_to(command))
    assert await asking == reply_to(command)
    assert [CommandAdapter.validate_json(encoded) for _, encoded in sender.sent] == [command]


async def test_answers_find_their_commands_in_whatever_order_they_come(sender: FakeSender, requests: Requests) -> None:
    commands = [book(at=number) for number in range(5)]
    asking = [asyncio.create_task(requests.ask(command)) for command in commands]
    await until(lambda: len(sender.sent) == 5, "all are sent")
    for command in reversed(commands):
        requests.on_reply(reply_to(command))
    assert [reply.command_id for reply in await asyncio.gather(*asking)] == [command.id for command in commands]


async def test_a_command_that_nobody_answers_is_sent_again_as_the_very_same_command(
    sender: FakeSender, impatient: Requests
) -> None:
    command = book()
    asking = asyncio.create_task(impatient.ask(command))
    await until(lambda: len(sender.sent) == 3, "it is sent three times")
    impatient.on_reply(reply_to(command))
    assert await asking == reply_to(command)
    assert len({encoded for _, encoded in sender.sent}) == 1


async def test_a_command_that_nobody_ever_answers_is_given_up_and_forgotten(
    sender: FakeSender, impatient: Requests
) -> None:
    command = book()
    with pytest.raises(NoAnswer):
        await impatient.ask(command)
    assert 4 <= len(sender.sent) <= 6
    impatient.on_reply(reply_to(command))  # too late: nobody waits, and nothing breaks
    again = asyncio.create_task(impatient.ask(command))
    before = len(sender.sent)
    await until(lambda: len(sender.sent) > before, "it is sent anew")
    impatient.on_reply(reply_to(command))
    assert await again == reply_to(command)


@pytest.mark.parametrize("trouble", ["down", "stuck"])
async def test_a_broker_that_comes_back_gets_the_command(sender: FakeSender, trouble: str) -> None:
    patient = Requests(sender, system_clock, RequestTimeouts(resend_after=0.02, give_up_after=30.0))
    setattr(sender, trouble, True)
    command = book()
    asking = asyncio.create_task(patient.ask(command))
    await until(lambda: sender.attempts >= 2, "it was tried again")
    assert not sender.sent
    setattr(sender, trouble, False)
    await until(lambda: bool(sender.sent), "it is sent")
    patient.on_reply(reply_to(command))
    assert await asking == reply_to(command)


@pytest.mark.parametrize("trouble", ["down", "stuck"])
async def test_without_a_broker_a_client_waits_no_longer_than_without_agents(
    sender: FakeSender, impatient: Requests, trouble: str
) -> None:
    setattr(sender, trouble, True)
    with pytest.raises(NoAnswer):
        await asyncio.wait_for(impatient.ask(book()), 2)


async def test_concurrent_callers_with_the_same_command_share_one_send_and_one_reply(
    sender: FakeSender, requests: Requests
) -> None:
    command = book()
    asking = [asyncio.create_task(requests.ask(command)) for _ in range(3)]
    await until(lambda: bool(sender.sent), "it is sent")
    requests.on_reply(reply_to(command))
    requests.on_reply(reply_to(command))
    assert await asyncio.gather(*asking) == [reply_to(command)] * 3
    assert len(sender.sent) == 1


async def test_of_concurrent_callers_with_the_same_command_the_later_ones_are_told_that_it_is_a_repetition(
    sender: FakeSender, requests: Requests
) -> None:
    command = book()
    asking = [asyncio.create_task(requests.ask(command)) for _ in range(3)]
    await until(lambda: bool(sender.sent), "it is sent")
    schedule = account("ada").schedule
    assert schedule
    requests.on_reply(Reply(command_id=command.id, at=command.at, result=schedule))
    assert [reply.replayed for reply in await asyncio.gather(*asking)] == [False, True, True]


async def test_a_cancelled_caller_does_not_affect_the_others(sender: FakeSender, requests: Requests) -> None:
    command = book()
    first = asyncio.create_task(requests.ask(command))
    second = asyncio.create_task(requests.ask(command))
    await until(lambda: bool(sender.sent), "it is sent")
    first.cancel()
    await asyncio.wait({first})
    assert first.cancelled()
    requests.on_reply(reply_to(command))
    assert await second == reply_to(command)


async def test_if_all_callers_are_cancelled_no_error_is_reported(sender: FakeSender, impatient: Requests) -> None:
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    asking = asyncio.create_task(impatient.ask(book()))
    await until(lambda: bool(sender.sent), "it is sent")
    asking.cancel()
    await until(lambda: not impatient._asking, "it is given up")
    asyncio.get_running_loop().set_exception_handler(None)
    assert failures == []


async def test_another_command_under_an_id_that_is_under_way_is_refused_at_once(
    sender: FakeSender, requests: Requests
) -> None:
    command = book("carl", at=0, key="mine")
    asking = asyncio.create_task(requests.ask(command))
    await until(lambda: bool(sender.sent), "it is sent")
    other = await requests.ask(book("carl", at=1, key="mine"))
    assert isinstance(other.result, Refused)
    assert other.result.code == "idempotency_key_reused"
    requests.on_reply(reply_to(command))
    assert await asking == reply_to(command)
    assert len(sender.sent) == 1


async def test_a_reply_without_a_caller_is_ignored(requests: Requests) -> None:
    requests.on_reply(reply_to(book()))


async def test_an_expired_command_is_issued_again(sender: FakeSender, requests: Requests) -> None:
    command = book("carl").model_copy(update={"expires": ASKED + timedelta(seconds=15)})
    asking = asyncio.create_task(requests.ask(command))
    await until(lambda: len(sender.sent) == 1, "it is sent")
    requests.on_reply(refused(command, RefusalCode.EXPIRED))
    await until(lambda: len(sender.sent) == 2, "it is asked anew")
    anew, _ = sender.sent[1]
    assert (anew.id, anew.at > command.at, anew.asked_at) == (command.id, True, command.at)
    assert anew.expires is not None
    assert anew.expires - anew.at == timedelta(seconds=15)
    # The one before has refused it, and comes late: nobody believes that any more.
    requests.on_reply(refused(command, RefusalCode.SLOT_TAKEN))
    assert not asking.done()
    requests.on_reply(refused(anew, RefusalCode.OUTSIDE_HOURS))
    assert (await asking).result.code is RefusalCode.OUTSIDE_HOURS  # type: ignore[union-attr]


def refused(command: Command, code: RefusalCode) -> Reply:
    return Reply(command_id=command.id, at=command.at, result=Refused(code, "-"))


async def test_the_refusal_of_a_signature_does_not_answer_a_command(sender: FakeSender, impatient: Requests) -> None:
    command = book()
    asking = asyncio.create_task(impatient.ask(command))
    await until(lambda: bool(sender.sent), "it is sent")
    impatient.on_reply(Reply(command_id=command.id, at=command.at, result=NOT_SIGNED))  # perhaps of a stranger's copy
    impatient.on_reply(reply_to(command))
    assert await asking == reply_to(command)
