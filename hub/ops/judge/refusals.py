"""Judges refusals: what a refusal says was so at some moment between the sending of the command and its answer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest

from hub.client.answers import Answer
from hub.client.asking import Kind
from hub.ops.judge.history import Entry, History, Told, named
from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Hold, Record, holds_of
from hub.scheduling.decision import RefusalCode
from hub.scheduling.values import APPOINTMENT_DURATION, HORIZON, Status

_ALLOWED: Mapping[Kind, frozenset[Status]] = {
    "book": frozenset(),
    "confirm": frozenset({Status.SCHEDULED}),
    "cancel": frozenset({Status.SCHEDULED, Status.CONFIRMED}),
    "complete": frozenset({Status.SCHEDULED, Status.CONFIRMED, Status.NO_SHOW}),
    "reschedule": frozenset({Status.SCHEDULED, Status.CONFIRMED}),
}
"""From which statuses each change is possible."""

_STATUS_AFTER: Mapping[str, Status] = {
    "booked": Status.SCHEDULED,
    "confirmed": Status.CONFIRMED,
    "cancelled": Status.CANCELLED,
    "completed": Status.COMPLETED,
    "no_show": Status.NO_SHOW,
    "rescheduled": Status.SCHEDULED,
}
"""Events that change the status."""


@dataclass(frozen=True)
class Tolerance:
    """What times may differ by without anybody having lied.

    `clocks`: by how much the clocks of client and hub may differ. `writing`: how long after its decision an event may
    come into the record; until then another doctor's actor meets what the event ends.
    """

    clocks: timedelta = timedelta(milliseconds=50)
    writing: timedelta = timedelta(seconds=5)


def untrue(history: History, record: Record, tolerance: Tolerance) -> Iterator[Violation]:
    """Find refusals that were not true at any moment between the sending of the command and its answer."""
    for entry in history.entries:
        for told in entry.tellings:
            answer = told.answer
            true_if = _TRUE_IF.get(answer.code or "") if answer else None
            if answer and true_if and not true_if(_Case(entry, told, answer, record, tolerance)):
                what = f"a refusal was not true: {answer.code}"
                yield Violation(Promise.REFUSALS_ARE_TRUE, what, named(told.ask))


class _Case:
    """A refused command, and what the record knows of the time between its sending and its answer."""

    def __init__(self, entry: Entry, told: Told, answer: Answer, record: Record, tolerance: Tolerance) -> None:
        self.entry = entry
        self.who = told.ask.who
        self.wish = told.ask.wish
        self.record = record
        self.writing = tolerance.writing
        # From the first asking of the command on: the others may have been given its decision.
        self.since = entry.first.at - tolerance.clocks
        self.until = answer.at + tolerance.clocks
        self.appointment = record.appointments.get(self.wish.appointment_id or "")
        doctor_id = self.appointment.doctor_id if self.appointment else self.wish.doctor_id
        self.doctor_id = doctor_id or ""
        self.doctors = record.doctors_between(self.doctor_id, self.since, self.until, tolerance.writing)

    @property
    def own(self) -> list[Hold]:
        """The slots that the appointment in question held in this time."""
        holds = holds_of(self.appointment) if self.appointment else []
        return [hold for hold in holds if hold.stood(self.since, self.until)]

    @property
    def statuses(self) -> list[Status]:
        """How the appointment in question stood in this time; nothing if the record does not have it."""
        events = (
            [event for event in self.appointment.history if event.type in _STATUS_AFTER] if self.appointment else []
        )
        return [
            _STATUS_AFTER[event.type]
            for event, following in zip_longest(events, events[1:])
            if event.at <= self.until and (following is None or following.at >= self.since)
        ]

    def met(self, holds: Sequence[Hold], since: datetime) -> bool:
        """Whether the start that is asked for would have overlapped another appointment since then."""
        start = self.wish.start
        return start is not None and any(
            hold.overlaps(start) and hold.appointment.id != self.wish.appointment_id and hold.stood(since, self.until)
            for hold in holds
        )


def _slot_taken(case: _Case) -> bool:
    return case.met(case.record.holds_of_doctor.get(case.doctor_id, ()), case.since)


def _patient_busy(case: _Case) -> bool:
    patient_id = case.appointment.patient_id if case.appointment else case.wish.patient_id or case.who.id
    return case.met(case.record.holds_of_patient.get(patient_id, ()), case.since - case.writing)


def _wrong_status(case: _Case) -> bool:
    """Say whether the change was not possible as it stood, or would have moved it to where it was."""
    if any(hold.start == case.wish.start for hold in case.own):
        return True
    return any(status not in _ALLOWED[case.wish.kind] for status in case.statuses)


def _in_the_past(case: _Case) -> bool:
    starts = [hold.start for hold in case.own] + ([case.wish.start] if case.wish.start else [])
    return any(start <= case.until for start in starts)


def _too_early(case: _Case) -> bool:
    return any(case.since < hold.start - APPOINTMENT_DURATION for hold in case.own)


def _too_far_ahead(case: _Case) -> bool:
    return case.wish.start is not None and case.wish.start - case.since > HORIZON


def _off_grid(case: _Case) -> bool:
    start = case.wish.start
    return start is not None and any(not doctor.on_grid(start) for doctor in case.doctors)


def _outside_hours(case: _Case) -> bool:
    start = case.wish.start
    return start is not None and any(not doctor.works_at(start) for doctor in case.doctors)


def _doctor_unavailable(case: _Case) -> bool:
    return any(doctor.disabled for doctor in case.doctors)


def _not_found(case: _Case) -> bool:
    """Say whether there is no such doctor; or no such appointment, or it is of other people."""
    if case.wish.kind == "book":
        return not case.doctors
    return case.appointment is None or case.who.id not in {case.appointment.doctor_id, case.appointment.patient_id}


def _forbidden(case: _Case) -> bool:
    if case.who.role == "patient":
        return case.wish.kind == "complete" or case.wish.patient_id not in {None, case.who.id}
    return case.wish.kind == "book" and case.wish.doctor_id != case.who.id


def _key_reused(case: _Case) -> bool:
    return len(case.entry.wishes) > 1


_TRUE_IF: Mapping[str, Callable[[_Case], bool]] = {
    RefusalCode.SLOT_TAKEN: _slot_taken,
    RefusalCode.PATIENT_BUSY: _patient_busy,
    RefusalCode.WRONG_STATUS: _wrong_status,
    RefusalCode.IN_THE_PAST: _in_the_past,
    RefusalCode.TOO_EARLY: _too_early,
    RefusalCode.TOO_FAR_AHEAD: _too_far_ahead,
    RefusalCode.OFF_GRID: _off_grid,
    RefusalCode.OUTSIDE_HOURS: _outside_hours,
    RefusalCode.DOCTOR_UNAVAILABLE: _doctor_unavailable,
    RefusalCode.NOT_FOUND: _not_found,
    RefusalCode.FORBIDDEN: _forbidden,
    RefusalCode.IDEMPOTENCY_KEY_REUSED: _key_reused,
}
"""What has to hold for each refusal. Others do not speak of appointments."""
