"""All that the judge knows to look at, in one call."""

from collections.abc import Sequence

from hub.ops.judge import answers, consistency, refusals, screens
from hub.ops.judge.dashboard import Dashboard
from hub.ops.judge.history import History
from hub.ops.judge.promises import Violation
from hub.ops.judge.record import Record
from hub.ops.judge.refusals import Tolerance

_TOLERANCE = Tolerance()


def judge(
    history: History, dashboards: Sequence[Dashboard], record: Record, tolerance: Tolerance = _TOLERANCE
) -> list[Violation]:
    """Return every violation of a promise; none means that all of them were kept as far as these witnesses saw.

    `history` holds all commands of its clients and `record` everything of all doctors, read when everything had
    come to rest: commands answered, dashboards told (see `hub.ops.judge.dashboard.Dashboard.has`).
    """
    found = [
        *consistency.overlaps_of_doctors(record),
        *consistency.overlaps_of_patients(record, tolerance.writing),
        *consistency.hours(record),
        *consistency.numbering(record),
        *consistency.states(record),
        *consistency.deadlines(record),
        *answers.acknowledged(history, record),
        *answers.applied_once(history, record),
        *answers.asked_for(history, record),
        *answers.decided(history),
        *refusals.untrue(history, record, tolerance),
    ]
    for dashboard in dashboards:
        found += screens.in_order(dashboard)
        found += screens.true(dashboard, record)
        found += screens.complete(dashboard, record, tolerance.clocks)
        found += screens.slots(dashboard, record)
    return found
