"""Judges joins: what a patient without a log-in had is the account's now, except for what was named as a conflict."""

from collections.abc import Iterator

from hub.ops.judge.history import History
from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Record


def complete(history: History, record: Record) -> Iterator[Violation]:
    """Find appointments that a finished join has left behind without naming them.

    A booking that was under way then may follow later, so it is not judged here.
    """
    for (patient_id, into), conflicts in history.finished_joins.items():
        at = min(at for (_, *joined), at in history.joins.items() if joined == [patient_id, into])
        for appointment in record.appointments.values():
            if appointment.patient_id == patient_id and appointment.created_at < at and appointment.id not in conflicts:
                case = f"{appointment.id} of {patient_id}, who was joined with {into}"
                yield Violation(Promise.ACKNOWLEDGED_IS_WRITTEN, "a join has left an appointment behind", case)
