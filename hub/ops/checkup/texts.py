"""A look at what carriers said lately of the clinic's own numbers."""

from collections.abc import Mapping
from datetime import timedelta

from hub.clock import system_clock
from hub.ops.checkup.finding import Finding
from hub.records.errors import StoreUnavailable
from hub.records.mongo import connect
from hub.texting.failure_reasons import line_halt_reason

_LATELY = timedelta(days=1)


async def check_texts(url: str, numbers: Mapping[str, str]) -> list[Finding]:
    """Return of which numbers (setting → E.164) carriers have kept back texts within a day; changes nothing."""
    try:
        records = connect(url)
    except ValueError:
        return []  # said of the database already
    try:
        halts = {setting: await records.line_halts.latest(number) for setting, number in numbers.items()}
    except StoreUnavailable:
        return []
    finally:
        await records.close()
    since = system_clock() - _LATELY
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
