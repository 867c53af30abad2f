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
from hub.ops.local.ports import free_port
from hub.records.errors import StoreUnavailable
from hub.scheduling.commands import Command, CommandAdapter
from hub.scheduling.decision import RefusalCode, Refused
from tests.agents.actor_fixtures import MONDAY, SharedStore, book, cancel, verdicts

SECOND = timedelta(seconds=1)
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


def message(value: bytes | None, *, reply_to: str | None = None, key: bytes = b"ada", partition: int = 0) -> Any:
    headers = {REPLY_TO: reply_to.encode()} if reply_to else None
    place = SimpleNamespace(tp=TP("clinic.commands", partition), offset=7)
    return SimpleNamespace(value=value, key=key, headers=headers, message=place)


def encoded(command: Command) -> bytes:
    return CommandAdapter.dump_json(command, by_alias=True, exclude_none=True)


async def test_each_command_is_answered_where_its_sender_listens(store: SharedStore) -> None:
    told = Told()
    handler = CommandHandler(store.worker(), told, lambda: store.now)
    batch = [
        message(encoded(book("carl")), reply_to="clinic.replies.a"),
        message(encoded(book("dora")), partition=3),
        message(encoded(book("emil", at=1)), reply_to="clinic.replies.b", partition=3),
    ]
    await handler.handle(batch)
    (answers,) = told.published
    assert verdicts([answer for answer, _ in answers]) == ["scheduled", "slot_taken", "scheduled"]
    assert [origin for _, origin in answers] == [
        Origin(0, "clinic.replies.a"),
        Origin(3, None),
        Origin(3, "clinic.replies.b"),
    ]


def asked(command: Command, at: datetime) -> Command:
    """Return the command as the api sends it at this time."""
    return command.model_copy(update={"at": at, "expires": at + timedelta(seconds=15)})


async def test_a_copy_of_a_refused_command_is_refused_although_the_slot_is_free_now(store: SharedStore) -> None:
    told = Told()
    handler = CommandHandler(store.worker(), told, lambda: store.now)
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


async def test_a_command_sent_before_a_takeover_is_accepted_only_if_it_is_sent_again(
    store: SharedStore,
) -> None:
    told = Told()
    handler = CommandHandler(store.worker(), told, lambda: store.now)
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
    store.now += timedelta(seconds=16)
    refusals.add(book("emil"), refused)
    assert refusals.get(rival) is None
    refusals.add(rival, refused)
    refusals.clear()
    assert refusals.get(rival) is None


@pytest.mark.parametrize("value", UNREADABLE)
async def test_a_message_that_cannot_be_read_is_put_aside_and_the_others_are_handled(
    store: SharedStore, value: bytes | None
) -> None:
    told = Told()
    handler = CommandHandler(store.worker(), told, lambda: store.now)
    await handler.handle([message(value, key=b"who"), message(encoded(book("carl")), reply_to="here")])
    assert told.rejected == [(value, b"who")]
    (answers,) = told.published
    assert verdicts([answer for answer, _ in answers]) == ["scheduled"]
    assert [origin.reply_to for _, origin in answers] == ["here"]


async def test_a_field_of_a_newer_version_is_not_guessed_at(store: SharedStore) -> None:
    told = Told()
    handler = CommandHandler(store.worker(), told, lambda: store.now)
    newer = encoded(book("carl")).removesuffix(b"}") + b', "roomId": "7"}'
    await handler.handle([message(newer)])
    assert told.rejected == [(newer, b"ada")]


async def test_nothing_is_published_when_the_record_was_not_written() -> None:
    class Away:
        async def handle(self, *_: object) -> object:
            raise StoreUnavailable("away")

    told = Told()
    with pytest.raises(StoreUnavailable):
        await CommandHandler(Away(), told, lambda: MONDAY).handle([message(encoded(book("carl")), reply_to="here")])
    assert told.published == []


async def test_what_was_decided_is_counted_and_can_be_read(store: SharedStore) -> None:
    handler = CommandHandler(store.worker(), Told(), lambda: store.now)
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
