"""How much there must be for a run to prove anything: one in which nothing was booked proves nothing."""

from hub.ops.judge.promises import Promise

_PER_MINUTE: dict[Promise, dict[str, float]] = {
    Promise.ACKNOWLEDGED_IS_WRITTEN: {"acknowledged changes": 60},
    Promise.NO_OVERLAP: {"slots held": 30, "slots wanted by several": 5, "refused for a patient elsewhere": 1},
    Promise.APPLIED_ONCE: {
        "commands": 150,
        "sent more than once": 0.5,  # by clients whose line broke just then: none in one of a few short runs
        "asked again later": 3,
        "left without waiting": 2,
    },
    Promise.TOLD_IN_ORDER: {"events told": 100, "connections": 6, "days watched": 1},
    Promise.REMINDED_ONCE: {"reminders due": 2, "reminders on phones": 2, "no-shows": 1},
    Promise.NOTHING_LOST: {"kills": 2, "acknowledged before a kill": 30},
    Promise.REFUSALS_ARE_TRUE: {"refusals": 15, "commands that nobody repeats": 15},
}
"""Well below what a run comes to on a busy machine."""
_REASONS = 3


def enough(seconds: float) -> dict[Promise, dict[str, int]]:
    """Return the least that a run of so many seconds must have of each ground."""
    minutes = max(1.0, seconds / 60)
    least = {
        promise: {what: int(number * minutes) for what, number in wanted.items()}
        for promise, wanted in _PER_MINUTE.items()
    }
    least[Promise.REFUSALS_ARE_TRUE]["reasons"] = _REASONS
    return least
