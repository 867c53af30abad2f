"""The minimum coverage of a run: a run in which nothing was booked proves nothing."""

from hub.ops.judge.promises import Promise

_PER_MINUTE: dict[Promise, dict[str, float]] = {
    Promise.ACKNOWLEDGED_IS_WRITTEN: {"acknowledged changes": 60},
    Promise.NO_OVERLAP: {"slots held": 30, "slots wanted by several": 5, "refused for a patient elsewhere": 1},
    Promise.APPLIED_ONCE: {
        "commands": 150,
        "sent more than once": 0.5,  # only by clients whose connection broke: a short run may have none
        "asked again later": 3,
        "left without waiting": 2,
        "day changes": 0.5,  # by two people, now and then: a short run on a slow machine may have none
        "appointments in day changes": 0.5,
    },
    Promise.TOLD_IN_ORDER: {"events received": 100, "connections": 6, "days watched": 1, "lists read": 5},
    Promise.REMINDED_ONCE: {"reminders due": 2, "reminders on phones": 2, "no-shows": 1},
    Promise.NOTHING_LOST: {"kills": 1, "acknowledged before a kill": 30},
    Promise.WAITLIST: {"joined a line": 3, "offers": 5, "accepted": 1, "lapsed": 1, "offers on phones": 2},
    Promise.REFUSALS_ARE_TRUE: {"refusals": 15, "commands that nobody repeats": 15},
}
"""Well below what a run reaches on a busy machine."""
_REASONS = 3
_LONG = 5
"""Minutes. In a shorter run there may be no join and no erasure, and in a longer one there are few: of few people."""


def required_coverage(seconds: float) -> dict[Promise, dict[str, int]]:
    """Return the minimum counts for a run of this many seconds."""
    minutes = max(1.0, seconds / 60)
    least = {
        promise: {what: int(number * minutes) for what, number in wanted.items()}
        for promise, wanted in _PER_MINUTE.items()
    }
    least[Promise.REFUSALS_ARE_TRUE]["reasons"] = _REASONS
    least[Promise.APPLIED_ONCE]["joins"] = int(minutes >= _LONG)
    least[Promise.ACKNOWLEDGED_IS_WRITTEN]["patients erased"] = int(minutes >= _LONG)
    return least
