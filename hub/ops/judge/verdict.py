"""Runs all checks of the judge in one call."""

from collections.abc import Sequence

from hub.ops.judge import (
    answers,
    consistency,
    day_changes,
    erasures,
    joins,
    line_requests,
    notifications,
    patient_limits,
    reads,
    refusals,
    unoffered,
    waitlist,
)
from hub.ops.judge.dashboard import Dashboard
from hub.ops.judge.history import History
from hub.ops.judge.promises import Violation
from hub.ops.judge.record import Record
from hub.ops.judge.tolerance import Tolerance

_TOLERANCE = Tolerance()


def judge(
    history: History, dashboards: Sequence[Dashboard], record: Record, tolerance: Tolerance = _TOLERANCE
) -> list[Violation]:
    """Return all violations of promises. An empty list means that this evidence shows no broken promise.

    `history` has all commands, day changes and reads of its clients. `record` has all appointments of all doctors, read
    after all commands were answered and all dashboards were up to date (see `hub.ops.judge.dashboard.Dashboard.has`).
    The waitlist is judged from the first request of the history on: before, the hub may not have run.
    """
    since = min(history.first_request_times().values(), default=record.read_at)
    skipped = list(day_changes.complete(history, record, tolerance.writing))
    history = day_changes.with_their_commands(history, record)
    found = [
        *consistency.overlaps_of_doctors(record),
        *consistency.overlaps_of_patients(record, tolerance.writing),
        *patient_limits.exceeded(record, tolerance.most_active, tolerance.writing),
        *consistency.hours(record),
        *consistency.numbering(record),
        *consistency.states(record),
        *consistency.deadlines(record),
        *answers.acknowledged(history, record),
        *answers.applied_once(history, record),
        *answers.requested(history, record),
        *answers.decided(history),
        *refusals.untrue(history, record, tolerance),
        *reads.current_and_true(history.reads, record),
        *skipped,
        *joins.complete(history, record),
        *erasures.complete(history, record),
        *erasures.refused_after(history),
        *line_requests.judged(history, record, tolerance),
        *line_requests.requested(history, record),
        *waitlist.offers(record, tolerance.writing),
        *waitlist.rules(record, tolerance.offers, since),
        *waitlist.lapses(record, tolerance.lapsing, since, tolerance.stopped),
        *unoffered.unoffered(record, tolerance, since),
    ]
    for dashboard in dashboards:
        found += notifications.in_order(dashboard)
        found += notifications.accurate(dashboard, record)
        found += notifications.complete(dashboard, record, tolerance.clocks)
        found += notifications.watched_slots(dashboard, record)
    return found
