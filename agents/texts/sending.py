"""Sends the outbox: at each line's rate, and never twice if a text may already have been sent.

Only the worker that owns partition 0 sends. If two workers believe that they own it, the claim in the record decides.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog
from prometheus_client import Counter

from agents.texts.delivery_polling import POLL_INTERVAL, DeliveryPolling
from agents.texts.gateway import SmsGateway
from agents.texts.line_throttle import PROBE_INTERVAL, LineThrottle
from agents.texts.outbox_reading import OutboxReader
from agents.texts.reconciliation import CHECK_INTERVAL, Reconciliation
from hub.clock import Timekeeper
from hub.records.errors import BrokenRecord, StoreUnavailable
from hub.records.ports import Records
from hub.texting.callback_urls import status_callback
from hub.texting.outcomes import Outcome, SendResult
from hub.texting.relevance import skip_reason
from hub.texting.segments import segments
from hub.texting.text import Line, SkipReason, StatusUpdate, Text, TextStatus

log = structlog.get_logger(__name__)
TRIED = Counter("clinic_texts_tried_total", "Attempts to send a text, by result.", ["fate"])
SKIPPED = Counter("clinic_texts_skipped_total", "Texts that were not sent because they had become useless.", ["reason"])

OUTBOX_INTERVAL = 0.5
"""Seconds between two reads of an outbox that was empty."""
FINISH_TIMEOUT = 5.0
"""Seconds that a stopping worker waits for Twilio's answers to its POSTs."""
_READ_INTERVAL = 5.0
"""Seconds for which what was read is sent before the outbox is read again."""
_MAX_CONCURRENT = 16
"""Concurrent POSTs of one line. Twilio accepts more than both lines use together."""
_FIRST_BACKOFF, _MAX_BACKOFF = 2.0, 300.0
"""Seconds before the first retry, doubled for each further one up to the maximum."""
_MAX_DOUBLINGS = 10
_LINES: Sequence[Line] = ("patient", "doctor")


class TextSender:
    """Sends the outbox while this worker is the leader. Without a gateway, texts are recorded and not sent."""

    def __init__(self, records: Records, clock: Timekeeper, gateway: SmsGateway | None) -> None:
        self._records = records
        self._clock = clock
        self._gateway = gateway
        self._leading = asyncio.Event()
        self._slots = {line: asyncio.Semaphore(_MAX_CONCURRENT) for line in _LINES}
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._outboxes = {line: OutboxReader(records.texts, line, clock) for line in _LINES}
        self._throttles = {
            line: LineThrottle(line, gateway.numbers[line] if gateway else None, records.line_halts, clock)
            for line in _LINES
        }

    def set_leading(self, *, leading: bool) -> None:
        """Start or stop sending."""
        if leading:
            self._leading.set()
        else:
            self._leading.clear()
            for outbox in self._outboxes.values():
                outbox.forget()

    async def run(self) -> None:
        """Send until cancelled. The lines, reconciliation and polling run concurrently and do not delay each other."""
        async with asyncio.TaskGroup() as group:
            for line in _LINES:
                group.create_task(self._repeat(partial(self._send_due, line, group), OUTBOX_INTERVAL))
            if gateway := self._gateway:
                reconciliation = Reconciliation(self._records, self._clock, gateway, self._leading.is_set)
                group.create_task(self._repeat(reconciliation.check, CHECK_INTERVAL))
                polling = DeliveryPolling(self._records, self._clock, gateway.twilio, gateway.per_second)
                group.create_task(self._repeat(polling.poll, POLL_INTERVAL))

    async def finish(self) -> None:
        """Stop sending, and wait for Twilio's answers to pending POSTs. Without an answer, the outcome is unknown."""
        self.set_leading(leading=False)
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=FINISH_TIMEOUT)

    async def _repeat(self, work: Callable[[], Awaitable[bool]], idle: float) -> None:
        """Repeat the work while this worker is the leader. Sleep for `idle` seconds whenever it returns False."""
        while True:
            await self._leading.wait()
            try:
                found_work = await work()
            except StoreUnavailable:
                log.warning("texts_wait", cause="the database does not answer")
                found_work = False
            except BrokenRecord as error:
                log.warning("texts_wait", cause=str(error))
                found_work = False
            if not found_work:
                await asyncio.sleep(idle)

    async def _send_due(self, line: Line, group: asyncio.TaskGroup) -> bool:
        """Start sending the due texts of a line at its rate. Returns whether there were any."""
        throttle = self._throttles[line]
        if throttle.is_paused():
            return False
        due = [text for text in await self._outboxes[line].due() if text.id not in self._under_way]
        # Skip all useless texts first, so that they do not use up the line's rate.
        useful = await self._skip_useless(due)
        if throttle.is_probing() or await throttle.is_blocked():
            await self._probe(throttle, useful, group)
            return bool(useful)
        again_at = asyncio.get_running_loop().time() + _READ_INTERVAL
        for text in useful:
            if asyncio.get_running_loop().time() >= again_at:
                break  # another text may have become due that is more urgent
            if not self._leading.is_set() or throttle.is_paused() or await throttle.is_blocked():
                break
            await self._start(text, group)
            if self._gateway:
                await asyncio.sleep(segments(text.body) / self._gateway.per_second)  # carriers count segments
        return bool(due)

    async def _probe(self, throttle: LineThrottle, texts: Sequence[Text], group: asyncio.TaskGroup) -> None:
        """Send one text to find out whether the line works again."""
        for text in texts[:1]:
            await asyncio.wait([await self._start(text, group)])
            if await throttle.is_blocked():
                throttle.pause()

    async def _start(self, text: Text, group: asyncio.TaskGroup) -> asyncio.Task[None]:
        """Start a task that sends the text, as soon as its line has a free slot. A POST that hangs holds one slot."""
        slot = self._slots[text.line]
        await slot.acquire()
        task = self._under_way[text.id] = group.create_task(self._try_send(text))

        def ended(_: object) -> None:
            del self._under_way[text.id]
            slot.release()

        task.add_done_callback(ended)
        return task

    async def _skip_useless(self, texts: Sequence[Text]) -> list[Text]:
        """Settle the texts that have become useless and return the others."""
        if not texts:
            return []
        appointments = await self._records.appointments.by_ids(
            {text.appointment_id for text in texts if text.appointment_id}
        )
        now = self._clock()
        useful = []
        for text in texts:
            if reason := skip_reason(text, appointments.get(text.appointment_id or ""), now):
                await self._skip(text, reason)
            else:
                useful.append(text)
        return useful

    async def _try_send(self, text: Text) -> None:
        try:
            await self._send(text)
        except StoreUnavailable:
            # The text stays in its last stored status. It is read again from there, claimed or not.
            log.warning("text_waits", text_id=text.id, cause="the database does not answer")
        except BrokenRecord as error:
            log.warning("text_waits", text_id=text.id, cause=str(error))

    async def _send(self, text: Text) -> None:
        """Read the appointment again, claim the text, and only then post it to Twilio."""
        if reason := await self._skip_reason(text):
            await self._skip(text, reason)
            return
        if self._gateway is None or text.phone is None:
            await self._records.texts.settle(text.id, StatusUpdate(TextStatus.RECORDED), self._clock())
            return
        claimed = await self._records.texts.claim(text, self._clock())
        if claimed is None:
            return  # another worker sends it
        outcome = await self._gateway.twilio.send(
            to=text.phone,
            body=text.body,
            sender=self._gateway.numbers[text.line],
            callback=status_callback(self._gateway.public_url, text.id),
            valid_for=self._clock.seconds_until(text.useless_after),
        )
        TRIED.labels(outcome.result).inc()
        log.info("text_tried", text_id=text.id, kind=text.kind, result=outcome.result, cause=outcome.cause)
        await self._record(claimed, text.phone, outcome)

    async def _skip_reason(self, text: Text) -> SkipReason | None:
        id_ = text.appointment_id
        found = (await self._records.appointments.by_ids([id_])).get(id_) if id_ else None
        if reason := skip_reason(text, found, self._clock()):
            return reason
        gateway = self._gateway
        if gateway and text.phone and await self._records.opt_outs.has(text.phone, gateway.numbers[text.line]):
            return "opted_out"
        return None

    async def _skip(self, text: Text, reason: SkipReason) -> None:
        SKIPPED.labels(reason).inc()
        await self._records.texts.settle(text.id, StatusUpdate(TextStatus.SKIPPED, reason=reason), self._clock())

    async def _record(self, text: Text, phone: str, outcome: Outcome) -> None:
        """Write the outcome of an attempt."""
        now, texts = self._clock(), self._records.texts
        code = outcome.code or None
        match outcome.result:
            case SendResult.SENT:
                self._throttles[text.line].resume()
                await texts.settle(text.id, StatusUpdate(TextStatus.SENT, sid=outcome.sid), now)
            case SendResult.LATER:
                await self._postpone(text, code)
            case SendResult.PERMANENT:
                await texts.settle(text.id, StatusUpdate(TextStatus.FAILED, error_code=code), now)
            case SendResult.OPTED_OUT:
                if self._gateway:
                    await self._records.opt_outs.add(phone, self._gateway.numbers[text.line], now)
                await texts.settle(text.id, StatusUpdate(TextStatus.OPTED_OUT, error_code=code), now)
            case SendResult.HALT:
                self._throttles[text.line].pause()
                log.error(
                    "texts_halted", line=text.line, code=outcome.code, cause=outcome.cause, retry_in_s=PROBE_INTERVAL
                )
                await texts.postpone(text, now, now, code)
            case SendResult.UNKNOWN:
                await texts.settle(text.id, StatusUpdate(TextStatus.UNKNOWN, error_code=code), now)

    async def _postpone(self, text: Text, code: int | None) -> None:
        """Plan a retry of a text that was not sent. Give it up if it would be useless by then."""
        doublings = min(text.attempts - 1, _MAX_DOUBLINGS)
        wait = min(_FIRST_BACKOFF * 2**doublings, _MAX_BACKOFF) * random.uniform(0.5, 1.5)  # noqa: S311
        not_before = self._clock.after(wait)
        if not_before >= text.useless_after:
            await self._records.texts.settle(text.id, StatusUpdate(TextStatus.FAILED, error_code=code), self._clock())
        else:
            await self._records.texts.postpone(text, not_before, self._clock(), code)
