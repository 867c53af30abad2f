"""From messages to answers. Unreadable messages are rejected, and the others are handled."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientSession
from faust.types import TP
from prometheus_client import REGISTRY

from agents.actor.handler import CommandHandler
from agents.actor.refusal_cache import RefusalCache
from agents.answers import Answer
from agents.metrics import PortTaken, serve_metrics
from agents.publisher import Origin
from hub.bus.connection import REPLY_TO
from hub.bus.signatures import NOT_SIGNED, SIGNATURE, CommandSignatures
from hub.ops.local.ports import free_port
from hub.records.errors import StoreUnavailable
from hub.scheduling.commands import Command, CommandAdapter
from hub.scheduling.decision import RefusalCode, Refused
from tests.agents.actor_fixtures import MONDAY, SharedStore, book, cancel, miss, verdicts

SECOND = timedelta(seconds=1)
KEY, FORMER_KEY = "a key of the hub", "its former key"
OURS, FORMERLY_OURS = CommandSignatures(KEY, [FORMER_KEY]), CommandSignatures(FORMER_KEY)
UNREADABLE = [b"", b"{", b"[]", b"\xff\xfe", b'{"kind": "book"}', b'{"kind": "burn", "id": "1"}', b'"book"', None]


class Told:
    """A fake publisher that records notices and replies."""

    def __init__(self) -> None:
        self.published: list[list[tuple[Answer, Origin]]] = []
        self.rejected: list[tuple[bytes | None, bytes | None]] = []

    async def publish(self, answers: Sequence[tuple[Answer, Origin]]) -> None:
        self.published.append(list(answers))

    async def reject(self, value: bytes | None, key: bytes | None) -> None:
        self.rejected.append((value, key))


def message(
    value: bytes | None,
    *,
    reply_to: str = "",
    key: bytes = b"ada",
    partition: int = 0,
    signed_by: CommandSignatures | None = OURS,
) -> Any:
    headers = [(REPLY_TO, reply_to.encode())] if reply_to else []
    if signed_by:
        headers.append((SIGNATURE, signed_by.sign(value or b"", reply_to.encode())))
    place = SimpleNamespace(tp=TP("clinic.commands", partition), offset=7)
    return SimpleNamespace(value=value, key=key, headers=headers, message=place)


def encoded(command: Command) -> bytes:
    return CommandAdapter.dump_json(command, by_alias=True, exclude_none=True)


async def test_each_command_is_answered_where_its_sender_listens(store: SharedStore) -> None:
    told = Told()
    handler = CommandHandler(store.worker(), told, lambda: store.now, OURS)
    batch = [
        message(encoded(book("carl")), reply_to="clinic.replies.0000000a"),
        message(encoded(book("dora")), partition=3),
        message(encoded(book("emil", at=1)), reply_to="clinic.replies.0000000b", partition=3),
    ]
    await handler.handle(batch)
    (answers,) = told.published
    assert verdicts([answer for answer, _ in answers]) == ["scheduled", "slot_taken", "scheduled"]
    assert [origin for _, origin in answers] == [
        Origin(0, "clinic.replies.0000000a"),
        Origin(3, None),
        Origin(3, "clinic.replies.0000000b"),
    ]


def asked(command: Command, at: datetime) -> Command:
    """Return the command as the api sends it at this time."""
    return command.model_copy(update={"at": at, "expires": at + timedelta(seconds=15)})


async def test_a_copy_of_a_refused_command_is_refused_although_the_slot_is_free_now(store: SharedStore) -> None:
    told = Told()
    handler = CommandHandler(store.worker(), told, lambda: store.now, OURS)
    store.now += timedelta(seconds=1)
    holds, rival = book("carl"), asked(book("dora"), store.now)
    older, newer = asked(rival, store.now - SECOND / 2), asked(rival, store.now + SECOND)
    await handler.handle([message(encoded(each)) for each in (holds, rival, cancel(holds), rival)])
    await handler.handle([message(encoded(each)) for each in (rival, older, newer)])
    answers = [answer for answered in told.published for answer, _ in answered]
    assert verdicts(answers) == [
        *("scheduled", "slot_taken", "cancelled", "slot_taken"),
        *("slot_taken", "slot_taken", "scheduled"),
    ]


@pytest.mark.parametrize("batches", [1, 2])
async def test_what_one_api_process_issues_again_is_refused_when_the_client_was_refused_at_another_since(
    store: SharedStore, batches: int
) -> None:
    told = Told()
    handler = CommandHandler(store.worker(), told, lambda: store.now, OURS)
    store.now += SECOND
    holds = book("carl")
    first = asked(book("dora"), store.now)
    at_another = asked(first, store.now + SECOND)
    again = asked(first, store.now + 2 * SECOND).model_copy(update={"asked_at": first.at})
    messages = [message(encoded(each)) for each in (holds, at_another, cancel(holds), again)]
    for part in (messages[: 4 - batches + 1], messages[4 - batches + 1 :]):
        if part:
            await handler.handle(part)
    answers = [answer for answered in told.published for answer, _ in answered]
    assert verdicts(answers) == ["scheduled", "slot_taken", "cancelled", "slot_taken"]
    assert answers[-1].reply.at == again.at  # else the api that waits would not take it for the answer
    await handler.handle([message(encoded(asked(first, store.now + 3 * SECOND)))])
    assert verdicts([answer for answer, _ in told.published[-1]]) == ["scheduled"]  # asked for anew


async def test_a_command_sent_before_a_takeover_is_accepted_only_if_it_is_sent_again(
    store: SharedStore,
) -> None:
    told = Told()
    handler = CommandHandler(store.worker(), told, lambda: store.now, OURS)
    store.now += SECOND
    before, done = asked(book("carl"), store.now), asked(book("dora", at=1), store.now)
    await handler.handle([message(encoded(done))])
    store.now += SECOND
    handler.forget()
    store.now += SECOND
    await handler.handle([message(encoded(each)) for each in (before, done, asked(before, store.now))])
    answers = [answer for answer, _ in told.published[-1]]
    assert verdicts(answers) == ["expired", "scheduled", "scheduled"]


async def test_a_refusal_is_forgotten_when_no_copy_is_carried_out_any_more_and_at_a_rebalance(
    store: SharedStore,
) -> None:
    refusals = RefusalCache(lambda: store.now)
    rival = asked(book("dora"), store.now)
    refused = Refused(RefusalCode.SLOT_TAKEN, "-")
    refusals.add(rival, refused)
    assert refusals.get(rival) == refused
    store.now += timedelta(seconds=16)  # another api process may have issued it again shortly before
    refusals.add(book("emil"), refused)
    assert refusals.get(rival) == refused
    store.now += timedelta(seconds=16)
    refusals.add(book("finn"), refused)
    assert refusals.get(rival) is None
    refusals.add(rival, refused)
    refusals.clear()
    assert refusals.get(rival) is None


@pytest.mark.parametrize("value", UNREADABLE)
async def test_a_message_that_cannot_be_read_is_put_aside_and_the_others_are_handled(
    store: SharedStore, value: bytes | None
) -> None:
    told = Told()
    handler = CommandHandler(store.worker(), told, lambda: store.now, OURS)
    await handler.handle(
        [message(value, key=b"who"), message(encoded(book("carl")), reply_to="clinic.replies.0000000c")]
    )
    assert told.rejected == [(value, b"who")]
    (answers,) = told.published
    assert verdicts([answer for answer, _ in answers]) == ["scheduled"]
    assert [origin.reply_to for _, origin in answers] == ["clinic.replies.0000000c"]


@pytest.mark.parametrize("signed_by", [None, CommandSignatures("another key"), CommandSignatures("")])
async def test_nobody_but_a_process_of_the_hub_can_give_commands(
    store: SharedStore, signed_by: CommandSignatures | None
) -> None:
    told = Told()
    handler = CommandHandler(store.worker(), told, lambda: store.now, OURS)
    booking = book("carl")
    await handler.handle([message(encoded(booking))])
    forged = [miss(booking), cancel(booking), book("dora", at=1)]
    before = _unsigned()
    await handler.handle(
        [message(encoded(each), signed_by=signed_by, reply_to="clinic.replies.0000000d") for each in forged]
    )
    assert [answer.reply.result for answer, _ in told.published[-1]] == [NOT_SIGNED] * 3
    assert _unsigned() == before + 3
    await handler.handle([message(encoded(each)) for each in forged])
    answers = [answer for answer, _ in told.published[-1]]
    assert verdicts(answers) == ["too_early", "cancelled", "scheduled"], "its refusal does not bind the hub's own copy"


async def test_a_signature_is_for_one_command_and_its_sender(store: SharedStore) -> None:
    told = Told()
    handler = CommandHandler(store.worker(), told, lambda: store.now, OURS)
    changed, redirected = (
        message(encoded(book("carl"))),
        message(encoded(book("carl", at=1)), reply_to="clinic.replies.0000000a"),
    )
    changed.value = changed.value.replace(b"carl", b"dora")
    redirected.headers[0] = (REPLY_TO, b"clinic.replies.0000000b")
    await handler.handle([changed, redirected])
    assert [answer.reply.result for answer, _ in told.published[-1]] == [NOT_SIGNED] * 2


async def test_commands_of_a_former_key_are_carried_out_while_it_is_listed(store: SharedStore) -> None:
    told, old = Told(), message(encoded(book("carl")), signed_by=FORMERLY_OURS)
    await CommandHandler(store.worker(), told, lambda: store.now, CommandSignatures(KEY)).handle([old])
    await CommandHandler(store.worker(), told, lambda: store.now, OURS).handle([old])
    answers = [answer for published in told.published for answer, _ in published]
    assert verdicts(answers) == ["forbidden", "scheduled"]


async def test_answers_go_nowhere_but_to_topics_for_replies(store: SharedStore) -> None:
    told = Told()
    handler = CommandHandler(store.worker(), told, lambda: store.now, OURS)
    await handler.handle([message(encoded(book("carl")), signed_by=None, reply_to="clinic.commands")])
    assert [origin.reply_to for _, origin in told.published[-1]] == [None]


async def test_a_field_of_a_newer_version_is_not_guessed_at(store: SharedStore) -> None:
    told = Told()
    handler = CommandHandler(store.worker(), told, lambda: store.now, OURS)
    newer = encoded(book("carl")).removesuffix(b"}") + b', "roomId": "7"}'
    await handler.handle([message(newer)])
    assert told.rejected == [(newer, b"ada")]


async def test_nothing_is_published_when_the_record_was_not_written() -> None:
    class Away:
        async def handle(self, *_: object) -> object:
            raise StoreUnavailable("away")

    told = Told()
    with pytest.raises(StoreUnavailable):
        await CommandHandler(Away(), told, lambda: MONDAY, OURS).handle([message(encoded(book("carl")))])
    assert told.published == []


async def test_what_was_decided_is_counted_and_can_be_read(store: SharedStore) -> None:
    handler = CommandHandler(store.worker(), Told(), lambda: store.now, OURS)
    before = [_figure("done"), _figure("slot_taken")]
    await handler.handle([message(encoded(book("carl"))), message(encoded(book("dora")))])
    assert [_figure("done") - before[0], _figure("slot_taken") - before[1]] == [1, 1]
    port = free_port()
    async with serve_metrics("127.0.0.1", port), ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
            text = await answer.text()
        with pytest.raises(PortTaken):
            async with serve_metrics("127.0.0.1", port):
                pass
    named = ("batch_commands", "batch_seconds", "command_lag_seconds", "command_told_seconds", "commands_queued")
    assert not [name for name in named if f"clinic_{name}" not in text]


def _figure(outcome: str) -> float:
    labels = {"kind": "book", "outcome": outcome}
    return REGISTRY.get_sample_value("clinic_commands_decided_total", labels) or 0.0


def _unsigned() -> float:
    return REGISTRY.get_sample_value("clinic_commands_unsigned_total") or 0.0
