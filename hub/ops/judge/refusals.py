"""Judges refusals: the reason must have been true at some moment between the request and its answer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import zip_longest

from hub.client.answers import Answer
from hub.client.commands import Kind
from hub.ops.judge.history import Entry, Exchange, History, describe
from hub.ops.judge.patient_limits import most_at_once, span_to_come
from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Occupancy, Record, occupancies_of
from hub.ops.judge.tolerance import Tolerance
from hub.scheduling.apply import apply_all
from hub.scheduling.appointment import CHECK_IN_LEAD, Appointment
from hub.scheduling.decision import RefusalCode
from hub.scheduling.values import APPOINTMENT_DURATION, HORIZON, Status, Visit

_ALLOWED: Mapping[Kind, frozenset[Status]] = {
    "book": frozenset(),
    "confirm": frozenset({Status.SCHEDULED}),
    "cancel": frozenset({Status.SCHEDULED, Status.CONFIRMED}),
    "complete": frozenset({Status.SCHEDULED, Status.CONFIRMED, Status.NO_SHOW}),
    "reschedule": frozenset({Status.SCHEDULED, Status.CONFIRMED}),
    "check_in": frozenset({Status.SCHEDULED, Status.CONFIRMED, Status.NO_SHOW}),
    "call_in": frozenset({Status.SCHEDULED, Status.CONFIRMED}),
    "undo_visit": frozenset({Status.SCHEDULED, Status.CONFIRMED}),
    "accept": frozenset({Status.OFFERED}),
    "decline": frozenset({Status.OFFERED}),
}
"""The statuses in which each change is allowed."""

_VISITS_ALLOWED: Mapping[Kind, frozenset[Visit | None]] = {
    "cancel": frozenset({None}),
    "reschedule": frozenset({None}),
    "check_in": frozenset({None}),
    "call_in": frozenset({Visit.ARRIVED}),
    "undo_visit": frozenset(Visit),
}
"""The steps of the visit at which each change is allowed; the other changes are allowed at any."""

_OF_THE_CLINIC: frozenset[Kind] = frozenset({"complete", "check_in", "call_in", "undo_visit"})
"""The changes that a patient may not make."""


def untrue(history: History, record: Record, tolerance: Tolerance) -> Iterator[Violation]:
    """Find refusals whose reason was not true at any moment between the request and its answer."""
    for entry in history.entries:
        for exchange in entry.exchanges:
            answer = exchange.answer
            true_if = _TRUE_IF.get(answer.code or "") if answer else None
            if answer and true_if and not true_if(_Case(entry, exchange, answer, record, tolerance, history)):
                what = f"the reason of a refusal was not true: {answer.code}"
                yield Violation(Promise.REFUSALS_ARE_TRUE, what, describe(exchange.request))


class _Case:
    """A refused command, and the state of the record between its request and its answer."""

    def __init__(  # noqa: PLR0913, PLR0917  # all the evidence that there is
        self,
        entry: Entry,
        exchange: Exchange,
        answer: Answer,
        record: Record,
        tolerance: Tolerance,
        history: History,
    ) -> None:
        self._history = history
        self.entry = entry
        self.user = exchange.request.user
        self.answer = answer
        self.planned = exchange.planned
        self.command = exchange.request.command
        self.record = record
        self.writing = tolerance.writing
        self.most_active = tolerance.most_active
        # From the first request of the command on: a later request may have got the decision of the first.
        self.since = entry.first.at - tolerance.clocks
        self.until = answer.at + tolerance.clocks
        self.appointment = record.appointments.get(self.command.appointment_id or "")
        doctor_id = self.appointment.doctor_id if self.appointment else self.command.doctor_id
        self.doctor_id = doctor_id or ""
        self.doctors = record.doctors_between(self.doctor_id, self.since, self.until, tolerance.writing)

    @property
    def patient_ids(self) -> set[str]:
        """The patient whom the command is about, before and after a join."""
        if self.appointment:
            return {each.patient_id for each in occupancies_of(self.appointment)} | {self.appointment.patient_id}
        return self._history.joined(self.command.patient_id or self.user.id)

    @property
    def erasures(self) -> Mapping[str, datetime]:
        """When patients asked to be erased."""
        return self._history.erasures

    @property
    def own(self) -> list[Occupancy]:
        """The slots that the appointment held in this time."""
        occupancies = occupancies_of(self.appointment) if self.appointment else []
        return [occupancy for occupancy in occupancies if occupancy.during(self.since, self.until)]

    @property
    def states(self) -> list[Appointment]:
        """The appointment as it was at each moment of this time; none if it is not in the record or not valid."""
        history = self.appointment.history if self.appointment else ()
        found = []
        for position, (event, following) in enumerate(zip_longest(history, history[1:]), start=1):
            if event.at <= self.until and (following is None or following.at >= self.since):
                with suppress(ValueError):  # the history is not valid; `consistency.states` reports it
                    found.append(apply_all(None, history[:position]))
        return found

    @property
    def end_of_day(self) -> datetime | None:
        """The end of the appointment's day by the doctor's clock; a zone does not change."""
        schedule = self.doctors[0] if self.doctors else None
        if schedule is None or self.appointment is None:
            return None
        return schedule.day_bounds(schedule.day_of(self.appointment.start))[1]

    def overlapped(self, occupancies: Sequence[Occupancy], since: datetime) -> bool:
        """Whether the requested slot, or that of a no-show to check in, overlapped another one after `since`."""
        missed = self.appointment if self.command.kind == "check_in" else None
        start = missed.start if missed else self.command.start
        return start is not None and any(
            occupancy.overlaps(start)
            and occupancy.appointment.id != self.command.appointment_id
            and occupancy.during(since, self.until)
            for occupancy in occupancies
        )


def _slot_taken(case: _Case) -> bool:
    """Return whether the slot was taken and, if the refusal names an appointment, whether that one took it.

    Only an appointment of the same patient may be named.
    """
    occupancies = case.record.occupancies_by_doctor.get(case.doctor_id, ())
    named = case.answer.appointment_id
    if named is None:
        return case.overlapped(occupancies, case.since)
    theirs = [one for one in occupancies if one.appointment.id == named and one.patient_id in case.patient_ids]
    return case.overlapped(theirs, case.since)


def _patient_busy(case: _Case) -> bool:
    occupancies = [each for id_ in case.patient_ids for each in case.record.occupancies_by_patient.get(id_, ())]
    return case.overlapped(occupancies, case.since - case.writing)


def _too_many_appointments(case: _Case) -> bool:
    """Return whether a patient had all the appointments to come that are allowed."""
    theirs = [each for each in case.record.appointments.values() if each.history[0].at <= case.until]
    spans = [span_to_come(each, case.until) for each in theirs if case.patient_ids & _patients_of(each)]
    since = case.since - case.writing
    meanwhile = [(max(began, since), ended + case.writing) for began, ended in spans if ended >= since]
    return most_at_once(meanwhile) >= max(1, case.most_active)


def _patients_of(appointment: Appointment) -> set[str]:
    return {appointment.patient_id} | {each.patient_id for each in occupancies_of(appointment)}


def _wrong_status(case: _Case) -> bool:
    """Return whether the status did not allow the change, or a move was to the slot that the appointment has.

    A day change also leaves alone what was moved since it was planned.
    """
    if case.planned is not None and any(state.start != case.planned for state in case.states):
        return True
    if any(occupancy.start == case.command.start for occupancy in case.own):
        return True
    visits = _VISITS_ALLOWED.get(case.command.kind)
    if visits is not None and any(state.visit not in visits for state in case.states):
        return True
    if case.command.kind == "accept" and any(
        state.offered_until is not None and state.offered_until <= case.until for state in case.states
    ):
        return True
    return any(state.status not in _ALLOWED[case.command.kind] for state in case.states)


def _in_the_past(case: _Case) -> bool:
    if case.command.kind == "check_in":
        return case.end_of_day is not None and case.end_of_day <= case.until
    starts = [occupancy.start for occupancy in case.own] + ([case.command.start] if case.command.start else [])
    return any(start <= case.until for start in starts)


def _too_early(case: _Case) -> bool:
    lead = CHECK_IN_LEAD if case.command.kind == "check_in" else APPOINTMENT_DURATION
    in_room = case.command.kind == "complete" and all(state.visit is Visit.IN_ROOM for state in case.states)
    return not in_room and any(case.since < occupancy.start - lead for occupancy in case.own)


def _too_far_ahead(case: _Case) -> bool:
    return case.command.start is not None and case.command.start - case.since > HORIZON


def _off_grid(case: _Case) -> bool:
    start = case.command.start
    return start is not None and any(not doctor.on_grid(start) for doctor in case.doctors)


def _outside_hours(case: _Case) -> bool:
    offered = case.appointment if case.command.kind == "accept" else None
    start = offered.start if offered else case.command.start
    return start is not None and any(not doctor.works_at(start) for doctor in case.doctors)


def _doctor_unavailable(case: _Case) -> bool:
    return any(doctor.disabled for doctor in case.doctors)


def _not_found(case: _Case) -> bool:
    """Return whether there is no such doctor or appointment, or the appointment belongs to other users."""
    if case.command.kind == "book":
        return not case.doctors
    if case.appointment is None:
        return True
    # A receptionist acts for every doctor.
    parties = {case.appointment.doctor_id, case.appointment.patient_id}
    return case.user.role != "receptionist" and case.user.id not in parties


def _forbidden(case: _Case) -> bool:
    if case.user.role == "patient":
        return case.command.kind in _OF_THE_CLINIC or case.command.patient_id not in {None, case.user.id}
    if case.user.role == "receptionist":
        return False
    return case.command.kind == "book" and case.command.doctor_id != case.user.id


def _patient_erased(case: _Case) -> bool:
    return any(at <= case.until for id_, at in case.erasures.items() if id_ in case.patient_ids)


def _key_reused(case: _Case) -> bool:
    return len(case.entry.commands) > 1


_TRUE_IF: Mapping[str, Callable[[_Case], bool]] = {
    RefusalCode.SLOT_TAKEN: _slot_taken,
    RefusalCode.PATIENT_BUSY: _patient_busy,
    RefusalCode.TOO_MANY_APPOINTMENTS: _too_many_appointments,
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
    "patient_erased": _patient_erased,
}
"""The condition under which each refusal is true. The other codes are not about appointments."""
