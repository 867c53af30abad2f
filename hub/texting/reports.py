"""What follows from what Twilio says has become of a text, whether it reports that or is asked."""

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
    "Texts that carriers or Twilio kept back for a reason that the clinic has to mend, by Twilio's code.",
    ["code"],
)

_STILL_SO = timedelta(hours=1)
"""How long after a text left what carriers did with it says something about the next one."""
_NOT_DELIVERED = frozenset({TextStatus.FAILED, TextStatus.UNDELIVERED})
_REACHED: Mapping[str, TextStatus] = {
    # Whatever Twilio says of a text before `sent`: that it says so means that it has it.
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending", "sent", "partially_delivered"), TextStatus.SENT),
    **dict.fromkeys(("delivered", "read"), TextStatus.DELIVERED),
    "undelivered": TextStatus.UNDELIVERED,
    **dict.fromkeys(("failed", "canceled"), TextStatus.FAILED),
}


@dataclass(frozen=True)
class Report:
    """What Twilio says of a message, `status` in its words. `error_code` is 0 when it gives none.

    `phone` is the recipient's, `our_number` the one that it came from, as Twilio writes them.
    """

    sid: str
    status: str
    error_code: int
    phone: str
    our_number: str


async def record_report(store: TextStore, text_id: str, report: Report, now: datetime) -> bool:
    """Keep how far a text has come and what follows from that; return False for a status that nobody here knows.

    The same report again changes nothing, and an older one neither. Raises `StoreUnavailable`.
    """
    status = _REACHED.get(report.status)
    if status is None:
        return False
    if status in _NOT_DELIVERED:
        await _take_failure(store, text_id, report, status, now)
    else:
        await store.texts.settle(text_id, StatusUpdate(status, sid=report.sid), now)
    return True


async def _take_failure(store: TextStore, text_id: str, report: Report, status: TextStatus, now: datetime) -> None:
    """Keep that a text did not arrive, and what follows: no more texts to this phone, a slow line, or one more try."""
    code = report.error_code
    fate = classify_error_code(code)
    if fate is SendResult.OPTED_OUT:
        await store.opt_outs.add(report.phone, report.our_number, now)
        status = TextStatus.OPTED_OUT
    before = await store.texts.by_id(text_id)
    moved = await store.texts.settle(text_id, StatusUpdate(status, sid=report.sid, error_code=code or None), now)
    if fate is SendResult.HALT and moved and before:  # told again, it is no news about the line
        STOPPED.labels(str(code)).inc()
        log.error("texts_stopped_by_carriers", code=code)
        if now - before.updated_at < _STILL_SO:
            await store.line_halts.put(report.our_number, code, now)
    wait = retry_delay(code)
    text = await store.texts.by_id(text_id)
    # Looked at as it stands now, moved or not: this report may be the second one, after we died between the two writes.
    if wait is not None and text is not None and text.status in _NOT_DELIVERED:
        again = repetition_of(text, now, not_before=now + wait)
        if again is not None:
            await store.texts.add_all([again])
