"""Requests to Twilio without a clear answer: what the patient got, and what the record says. See `docs/texts.md`."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.settings import clock_settings
from hub.texting.text import Text, TextKind, TextStatus
from tests.acceptance.running_hub import Person, RunningHub, running_hub
from tests.phones import Arrived
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.stack]

BEFORE_NINE = datetime(2026, 11, 24, 8, 59, 25, tzinfo=UTC)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
"""A slot that is booked within half a minute has its reminder right afterwards."""
REPAIR, AGAIN, SETTLED = timedelta(minutes=2), timedelta(seconds=30), timedelta(minutes=5)
SLACK = timedelta(seconds=12)
"""The hub polls every five seconds, and the machine may be busy."""


class Visit:
    """An appointment at noon, and one kind of text about it."""

    def __init__(self, hub: RunningHub, doctor: Person, patient: Person, kind: TextKind) -> None:
        self.hub = hub
        self.doctor = doctor
        self.patient = patient
        self.kind = kind
        self.id = ""

    async def book(self) -> None:
        self.id = (await self.hub.booked(self.patient, self.doctor, NOON)).id

    async def text(self) -> Text | None:
        found = [text for text in await self.hub.texts_about(self.id) if text.line == "patient"]
        return next((text for text in found if text.kind == self.kind), None)

    async def comes_to(self, *statuses: TextStatus) -> Text:
        """Wait until the text has one of these statuses, and return it."""

        async def look() -> Text | None:
            text = await self.text()
            return text if text and text.status in statuses else None

        found = await self.hub.until(look, f"{self.kind} comes to {statuses}", SETTLED.total_seconds())
        assert found
        return found

    async def arrived(self) -> list[Arrived]:
        """Return the texts of this kind that are on the phone."""
        text = await self.text()
        return [one for one in await self.hub.texts_to(self.patient) if text and one.text_id == text.id]


async def _visit(hub: RunningHub, kind: TextKind, *faults: str, times: int = 1) -> Visit:
    """Book an appointment whose text of this kind meets these faults."""
    visit = Visit(hub, await hub.doctor(), await hub.patient(), kind)

    async def go_wrong() -> None:
        for fault in faults:
            await hub.phones.fault(fault, to=visit.patient.phone, count=times)

    if kind == "booked":
        await go_wrong()
        await visit.book()
    else:
        await visit.book()
        await hub.until_text(visit.patient, 1)
        assert hub.clock() < NOON - timedelta(hours=3), "the machine was too slow for this test"
        await go_wrong()
    return visit


async def _refused(hub: RunningHub, kind: TextKind, fault: str) -> None:
    """The POST did not arrive: the text is sent again when that is certain."""
    visit = await _visit(hub, kind, fault)
    text = await visit.comes_to(TextStatus.DELIVERED)
    (arrived,) = await visit.arrived()
    waited = arrived.at - text.created_at
    wait = REPAIR if kind == "reminder" else AGAIN
    silence = timedelta(seconds=15) if fault == "time_out" else timedelta(0)
    assert wait + silence <= waited <= wait + silence + SLACK, f"{kind} {fault}: {waited}"
    assert (text.attempts, text.repairs, text.sid) == (2, 1, arrived.sid)


async def _always_refused(hub: RunningHub, kind: TextKind, posts: int) -> None:
    """No answer is ever clear: after a number of POSTs the hub gives up, and the clinic sees it."""
    visit = await _visit(hub, kind, "server_error", times=9)
    text = await visit.comes_to(TextStatus.FAILED)
    assert (text.attempts, await visit.arrived()) == (posts, [])
    shown = await hub.records.texts.not_delivered(visit.doctor.id, text.created_at)
    assert [one.id for one in shown] == [text.id]


async def _taken_in_silence(hub: RunningHub, kind: TextKind, fault: str) -> None:
    """Twilio accepted it, but answer and report are lost: the hub finds it in Twilio's list and does not repeat it."""
    visit = await _visit(hub, kind, fault, "callbacks_withheld")
    text = await visit.comes_to(TextStatus.SENT)
    (arrived,) = await visit.arrived()
    assert (text.attempts, text.repairs, text.sid) == (1, 0, arrived.sid)
    await asyncio.sleep((REPAIR + SLACK).total_seconds())
    assert len(await visit.arrived()) == 1


async def test_each_text_of_unknown_result_follows_its_rule(tmp_path: Path) -> None:
    async with Stack(tmp_path, **clock_settings(BEFORE_NINE, 1.0), texts_per_second=100.0) as stack:
        await stack.start()
        async with running_hub(stack) as hub, asyncio.TaskGroup() as group:
            kinds: tuple[TextKind, ...] = ("booked", "reminder")
            for kind in kinds:
                for fault in ("server_error", "time_out"):
                    group.create_task(_refused(hub, kind, fault))
                for fault in ("dropped", "server_error_but_accepted"):
                    group.create_task(_taken_in_silence(hub, kind, fault))
            group.create_task(_always_refused(hub, "booked", posts=3))
            group.create_task(_always_refused(hub, "reminder", posts=2))


async def test_while_twilio_is_unreachable_texts_wait_and_are_then_sent_once(tmp_path: Path) -> None:
    async with Stack(tmp_path, **clock_settings(BEFORE_NINE, 1.0), texts_per_second=100.0) as stack:
        await stack.start()
        async with running_hub(stack) as hub:
            await hub.phones.close_for(8.0)
            visit = Visit(hub, await hub.doctor(), await hub.patient(), "booked")
            await visit.book()
            # Nobody can ask the phones either until they are back.
            text = await visit.comes_to(TextStatus.DELIVERED)
            assert text.attempts > 1
            assert text.repairs == 0
            assert [one.sid for one in await visit.arrived()] == [text.sid]
