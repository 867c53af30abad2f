"""Checks whether carriers have blocked texts from the clinic's numbers during the last day."""

from collections.abc import Mapping
from datetime import timedelta

from hub.clock import system_clock
from hub.ops.checkup.finding import Finding
from hub.records.errors import StoreUnavailable
from hub.records.mongo import connect
from hub.texting.failure_reasons import line_halt_reason

_RECENT = timedelta(days=1)


async def check_texts(url: str, numbers: Mapping[str, str]) -> list[Finding]:
    """Return a finding for each number (setting → E.164) whose texts a carrier blocked in the last day."""
    try:
        records = connect(url)
    except ValueError:
        return []  # the check of the database reports it
    try:
        halts = {setting: await records.line_halts.latest(number) for setting, number in numbers.items()}
    except StoreUnavailable:
        return []
    finally:
        await records.close()
    since = system_clock() - _RECENT
    return [
        Finding(
            "twilio",
            "wrong",
            f"Texts from {setting} are kept back: {line_halt_reason(halt.code)} (Twilio's code {halt.code}, last at "
            f"{halt.at:%Y-%m-%d %H:%M} UTC.) Until a while after the last one, one text a minute leaves.",
        )
        for setting, halt in halts.items()
        if halt and halt.at > since
    ]
