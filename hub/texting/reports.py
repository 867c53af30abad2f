"""Applies a delivery report from Twilio: a status callback, or the answer when the hub polls Twilio."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter

from hub.texting.outcomes import SendResult, classify_error_code, retry_delay
from hub.texting.ports import TextStore
from hub.texting.text import StatusUpdate, TextStatus, repetition_of

log = structlog.get_logger(__name__)
STOPPED = Counter(
    "clinic_texts_stopped_by_carriers_total",
    "Texts that carriers or Twilio blocked for a reason that the clinic has to correct, by Twilio's code.",
    ["code"],
)

_HALT_EVIDENCE_AGE = timedelta(hours=1)
"""A report halts the line only if the text was updated less than this long ago. Older reports say nothing about now."""
_NOT_DELIVERED = frozenset({TextStatus.FAILED, TextStatus.UNDELIVERED})
_STATUSES: Mapping[str, TextStatus] = {
    # Any report, also one before `sent`, proves that Twilio has the text.
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending", "sent", "partially_delivered"), TextStatus.SENT),
    **dict.fromkeys(("delivered", "read"), TextStatus.DELIVERED),
    "undelivered": TextStatus.UNDELIVERED,
    **dict.fromkeys(("failed", "canceled"), TextStatus.FAILED),
}


@dataclass(frozen=True)
class Report:
    """Twilio's report about a message. `status` is Twilio's word. `error_code` is 0 if there is none.

    `phone` is the recipient's number, `our_number` the sender's, as Twilio writes them.
    """

    sid: str
    status: str
    error_code: int
    phone: str
    our_number: str


async def record_report(store: TextStore, text_id: str, report: Report, now: datetime) -> bool:
    """Write the reported status and its consequences. Returns False for an unknown status.

    A repeated or an older report changes nothing. Raises `StoreUnavailable`.
    """
    status = _STATUSES.get(report.status)
    if status is None:
        return False
    if status in _NOT_DELIVERED:
        await _record_failure(store, text_id, report, status, now)
    else:
        await store.texts.settle(text_id, StatusUpdate(status, sid=report.sid), now)
    return True


async def _record_failure(store: TextStore, text_id: str, report: Report, status: TextStatus, now: datetime) -> None:
    """Write that a text was not delivered. Depending on the code, add an opt-out, halt the line, or plan one retry."""
    code = report.error_code
    result = classify_error_code(code)
    if result is SendResult.OPTED_OUT:
        await store.opt_outs.add(report.phone, report.our_number, now)
        status = TextStatus.OPTED_OUT
    before = await store.texts.by_id(text_id)
    moved = await store.texts.settle(text_id, StatusUpdate(status, sid=report.sid, error_code=code or None), now)
    if result is SendResult.HALT and moved and before:  # a repeated report says nothing new about the line
        STOPPED.labels(str(code)).inc()
        log.error("texts_stopped_by_carriers", code=code)
        if now - before.updated_at < _HALT_EVIDENCE_AGE:
            await store.line_halts.put(report.our_number, code, now)
    delay = retry_delay(code)
    text = await store.texts.by_id(text_id)
    # Read again whether or not this report moved the text: the process may have died between the two writes, and then
    # this is the repeated report.
    if delay is not None and text is not None and text.status in _NOT_DELIVERED:
        repetition = repetition_of(text, now, not_before=now + delay)
        if repetition is not None:
            await store.texts.add_all([repetition])
