"""Sends what is in the outbox: paced per line, looked at once more right before, never twice when it may have gone out.

The rule for a try whose fate is unknown (the process died after the claim, or Twilio did not answer clearly) is in
`docs/texts.md`. One worker sends, the one that owns the first partition; should two believe it, a claim decides.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from prometheus_client import Counter

from agents.texts.delivery_polling import POLL_INTERVAL, DeliveryPolling
from hub.clock import Timekeeper
from hub.records.errors import BrokenRecord, StoreUnavailable
from hub.records.ports import Records
from hub.texting.callback_urls import status_callback
from hub.texting.outcomes import Outcome, SendResult
from hub.texting.relevance import skip_reason
from hub.texting.text import Line, SkipReason, StatusUpdate, Text, TextKind, TextStatus
from hub.texting.twilio import Twilio, TwilioUnreachable

log = structlog.get_logger(__name__)
TRIED = Counter("clinic_texts_tried_total", "Tries to send a text, by what they came to.", ["fate"])
SKIPPED = Counter("clinic_texts_skipped_total", "Texts that were not worth sending any more.", ["reason"])

LOOK_EVERY = 0.5
"""Seconds between two looks into an outbox that was empty."""
SETTLE_EVERY = 5.0
"""Seconds between two looks for texts whose fate is unknown."""
FIRST_LOOK, LAST_LOOK = timedelta(seconds=30), timedelta(minutes=2)
"""When Twilio's list is asked for a text of unknown fate; from the last look on, one that is not there never was."""
HALTED_FOR = 60.0
"""Seconds until a line that was halted is tried again, with one text."""
KEPT_BACK_FOR = timedelta(minutes=10)
"""How long after carriers were last reported to keep back what we send it leaves so slowly. Only the next reports show
whether that has been mended: that Twilio takes a text says nothing."""
_HALTS_EVERY = 2.0
"""Seconds for which it is believed what the record says of that."""
FINISH_WITHIN = 5.0
"""Seconds that a stop waits for Twilio's answers to what has been posted."""
_READ_AT_ONCE = 200
_SEND_AT_ONCE = 16
"""Texts of a line of which the answer is awaited; Twilio takes more than both lines' at a time."""
_BACK_OFF_FIRST, _BACK_OFF_MOST = 2.0, 300.0
_DOUBLINGS_MOST = 10
_REPAIRS: Mapping[TextKind, int] = {"reminder": 1, "booked": 2, "rescheduled": 2, "cancelled": 2}
"""How often a text is posted again, at the most, when Twilio did not answer clearly and does not list it."""
_LINES: Sequence[Line] = ("patient", "doctor")


@dataclass(frozen=True)
class SmsGateway:
    """How texts leave: Twilio, our numbers (E.164) by line, where Twilio reports, and how many a second per number."""

    twilio: Twilio
    numbers: Mapping[Line, str]
    public_url: str
    per_second: float


class TextSender:
    """Sends the outbox while this worker leads. Without a way, texts are recorded and not sent."""

    def __init__(self, records: Records, clock: Timekeeper, way: SmsGateway | None) -> None:
        self._records = records
        self._clock = clock
        self._way = way
        self._leading = asyncio.Event()
        self._rooms = {line: asyncio.Semaphore(_SEND_AT_ONCE) for line in _LINES}
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._halted_until: dict[Line, float] = {}
        self._kept_back: dict[Line, bool] = {}
        self._halts_read_at: dict[Line, float] = {}

    def lead(self, *, leads: bool) -> None:
        """Begin or end sending."""
        if leads:
            self._leading.set()
        else:
            self._leading.clear()

    async def run(self) -> None:
        """Send, for ever: the two lines and the settling of the unknown side by side, so that none holds up another."""
        async with asyncio.TaskGroup() as group:
            for line in _LINES:
                group.create_task(self._keep_at(partial(self._serve, line, group), LOOK_EVERY))
            group.create_task(self._keep_at(self._settle_unknown, SETTLE_EVERY))
            if way := self._way:
                late = DeliveryPolling(self._records, self._clock, way.twilio, way.per_second)
                group.create_task(self._keep_at(late.ask, POLL_INTERVAL))

    async def finish(self) -> None:
        """Begin no more, and wait a while for the answers to what has been posted: of the others nobody will know."""
        self.lead(leads=False)
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=FINISH_WITHIN)

    async def _keep_at(self, work: Callable[[], Awaitable[bool]], idle: float) -> None:
        """Do the work again and again while this worker leads; rest when there was none."""
        while True:
            await self._leading.wait()
            try:
                found_work = await work()
            except StoreUnavailable:
                log.warning("texts_wait", reason="the database does not answer")
                found_work = False
            except BrokenRecord as error:
                log.warning("texts_wait", reason=str(error))
                found_work = False
            if not found_work:
                await asyncio.sleep(idle)

    async def _serve(self, line: Line, group: asyncio.TaskGroup) -> bool:
        """Begin to send what waits on a line, at its pace; return whether there was anything."""
        if self._is_halted(line):
            return False
        waiting = await self._records.texts.due(line, self._clock(), _READ_AT_ONCE)
        waiting = [text for text in waiting if text.id not in self._under_way]
        # In one go, and before any takes its turn: what is of no use any more does not hold up what is.
        useful = await self._skip_useless(waiting)
        if line in self._halted_until or await self._is_kept_back(line):
            await self._try_one(line, useful, group)
            return bool(useful)
        for text in useful:
            if not self._leading.is_set() or self._is_halted(line) or await self._is_kept_back(line):
                break
            await self._begin(text, group)
            if self._way:
                await asyncio.sleep(1 / self._way.per_second)
        return bool(waiting)

    async def _try_one(self, line: Line, texts: Sequence[Text], group: asyncio.TaskGroup) -> None:
        """Send one text: somebody may have mended what halted the line, and one shows it."""
        for text in texts[:1]:
            await asyncio.wait([await self._begin(text, group)])
            if await self._is_kept_back(line):
                self._halted_until[line] = asyncio.get_running_loop().time() + HALTED_FOR

    async def _begin(self, text: Text, group: asyncio.TaskGroup) -> asyncio.Task[None]:
        """Let a text be dealt with beside the others, when its line has room: a try that hangs takes one place."""
        room = self._rooms[text.line]
        await room.acquire()
        task = self._under_way[text.id] = group.create_task(self._deal_with(text))

        def ended(_: object) -> None:
            del self._under_way[text.id]
            room.release()

        task.add_done_callback(ended)
        return task

    async def _skip_useless(self, texts: Sequence[Text]) -> list[Text]:
        """Settle the texts that are of no use any more and return the others."""
        if not texts:
            return []
        appointments = await self._records.appointments.by_ids({text.appointment_id for text in texts})
        now = self._clock()
        useful = []
        for text in texts:
            if reason := skip_reason(text, appointments.get(text.appointment_id), now):
                await self._skip(text, reason)
            else:
                useful.append(text)
        return useful

    async def _deal_with(self, text: Text) -> None:
        try:
            await self._send(text)
        except StoreUnavailable:
            # Claimed or not, the record says how far it came.
            log.warning("text_waits", text_id=text.id, reason="the database does not answer")
        except BrokenRecord as error:
            log.warning("text_waits", text_id=text.id, reason=str(error))

    async def _send(self, text: Text) -> None:
        """Look at the appointment once more, claim the text, and only then ask Twilio."""
        if reason := await self._why_not(text):
            await self._skip(text, reason)
            return
        if self._way is None or text.phone is None:
            await self._records.texts.settle(text.id, StatusUpdate(TextStatus.RECORDED), self._clock())
            return
        claimed = await self._records.texts.claim(text, self._clock())
        if claimed is None:
            return  # somebody else sends it
        outcome = await self._way.twilio.send(
            to=text.phone,
            body=text.body,
            sender=self._way.numbers[text.line],
            callback=status_callback(self._way.public_url, text.id),
            valid_for=self._clock.seconds_until(text.useless_after),
        )
        TRIED.labels(outcome.result).inc()
        log.info("text_tried", text_id=text.id, kind=text.kind, fate=outcome.result, cause=outcome.cause)
        await self._follow(claimed, text.phone, outcome)

    async def _why_not(self, text: Text) -> SkipReason | None:
        found = await self._records.appointments.by_ids([text.appointment_id])
        if reason := skip_reason(text, found.get(text.appointment_id), self._clock()):
            return reason
        if self._way and text.phone and await self._records.opt_outs.has(text.phone, self._way.numbers[text.line]):
            return "opted_out"
        return None

    async def _skip(self, text: Text, reason: SkipReason) -> None:
        SKIPPED.labels(reason).inc()
        await self._records.texts.settle(text.id, StatusUpdate(TextStatus.SKIPPED, reason=reason), self._clock())

    async def _follow(self, text: Text, phone: str, outcome: Outcome) -> None:
        """Keep what a try came to."""
        now, texts = self._clock(), self._records.texts
        code = outcome.code or None
        match outcome.result:
            case SendResult.SENT:
                self._halted_until.pop(text.line, None)
                await texts.settle(text.id, StatusUpdate(TextStatus.SENT, sid=outcome.sid), now)
            case SendResult.LATER:
                await self._try_later(text, code)
            case SendResult.PERMANENT:
                await texts.settle(text.id, StatusUpdate(TextStatus.FAILED, error_code=code), now)
            case SendResult.OPTED_OUT:
                if self._way:
                    await self._records.opt_outs.add(phone, self._way.numbers[text.line], now)
                await texts.settle(text.id, StatusUpdate(TextStatus.OPTED_OUT, error_code=code), now)
            case SendResult.HALT:
                self._halted_until[text.line] = asyncio.get_running_loop().time() + HALTED_FOR
                log.error("texts_halted", line=text.line, code=outcome.code, cause=outcome.cause, retry_in_s=HALTED_FOR)
                await texts.postpone(text, now, now, code)
            case SendResult.UNKNOWN:
                await texts.settle(text.id, StatusUpdate(TextStatus.UNKNOWN, error_code=code), now)

    async def _try_later(self, text: Text, code: int | None) -> None:
        """Put a text back that did not go out, unless it will be of no use by then."""
        doublings = min(text.attempts - 1, _DOUBLINGS_MOST)
        wait = min(_BACK_OFF_FIRST * 2**doublings, _BACK_OFF_MOST) * random.uniform(0.5, 1.5)  # noqa: S311
        not_before = self._clock.after(wait)
        if not_before >= text.useless_after:
            await self._records.texts.settle(text.id, StatusUpdate(TextStatus.FAILED, error_code=code), self._clock())
        else:
            await self._records.texts.postpone(text, not_before, self._clock(), code)

    async def _settle_unknown(self) -> bool:
        """Find out about texts that Twilio may have or not; always rests afterwards."""
        way = self._way
        if way is None:
            return False
        long_ago = self._clock() - FIRST_LOOK * self._clock.rate
        for text in await self._records.texts.unsettled(long_ago):
            if text.phone is None or not self._leading.is_set():
                continue
            try:
                found = await way.twilio.find(text.phone, text.body, way.numbers[text.line], text.created_at)
            except TwilioUnreachable as error:
                log.warning("text_not_found_out", text_id=text.id, cause=str(error))
                continue  # perhaps it is about this one
            if sid := await self._not_of_another(text, found):
                await self._records.texts.settle(text.id, StatusUpdate(TextStatus.SENT, sid=sid), self._clock())
            else:
                await self._absent(text)
        return False

    async def _not_of_another(self, text: Text, sids: Sequence[str]) -> str | None:
        """Return the SID among those found that no other text has."""
        for sid in sids:
            owner = await self._records.texts.by_sid(sid)
            if owner is None or owner.id == text.id:
                return sid
        return None

    async def _absent(self, text: Text) -> None:
        """Decide about a text that Twilio does not list: see the ambiguity rule in `docs/texts.md`."""
        now = self._clock()
        if text.kind == "reminder" and now - text.updated_at < LAST_LOOK * self._clock.rate:
            return  # its list may lag behind: a second reminder is worse than a later one
        if text.repairs >= _REPAIRS[text.kind] or now >= text.useless_after:
            await self._records.texts.settle(text.id, StatusUpdate(TextStatus.FAILED), now)
            log.warning("text_given_up", text_id=text.id, kind=text.kind, attempts=text.attempts)
        else:
            await self._records.texts.repair(text, now)

    async def _is_kept_back(self, line: Line) -> bool:
        """Return whether carriers were reported, lately, to keep back what this line sends."""
        now = asyncio.get_running_loop().time()
        if self._way and now >= self._halts_read_at.get(line, -_HALTS_EVERY) + _HALTS_EVERY:
            halt = await self._records.line_halts.latest(self._way.numbers[line])
            self._halts_read_at[line] = now
            kept_back = halt is not None and self._clock() < halt.at + KEPT_BACK_FOR * self._clock.rate
            if halt and kept_back and not self._kept_back.get(line):
                log.error("texts_slowed", line=line, code=halt.code, one_in_s=HALTED_FOR)
            self._kept_back[line] = kept_back
        return self._kept_back.get(line, False)

    def _is_halted(self, line: Line) -> bool:
        return asyncio.get_running_loop().time() < self._halted_until.get(line, 0.0)
