"""Judges requests about the lines: who joins and leaves, and what is offered out of turn, is done once and truly."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from hub.ops.judge.answers import REASONS
from hub.ops.judge.erasures import caused_by_erasure
from hub.ops.judge.history import History, LineAnswer, LineRequest
from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import AppointmentEntry, LineEntry, Record, RecordEntry
from hub.ops.judge.tolerance import Tolerance
from hub.scheduling.decision import RefusalCode
from hub.scheduling.events import SlotOffered
from hub.scheduling.waitlist_events import WaitlistBooked, WaitlistExpired, WaitlistJoined, WaitlistLeft


def judged(history: History, record: Record, tolerance: Tolerance) -> Iterator[Violation]:
    """Find requests that were acknowledged and not done, refused and done, refused untruly, or not decided."""
    for request in history.line_requests.values():
        recorded = record.by_command.get(request.command_id, ())
        if not request.abandoned and not any(each.id or each.code for each in request.answers):
            yield _about(Promise.REFUSALS_ARE_TRUE, "a command was not decided", request)
        if len({each.id for each in request.answers if each.id}) > 1:
            yield _about(Promise.APPLIED_ONCE, "a command was acknowledged for two entries", request)
        for answer in request.answers:
            yield from _contradictions(history, record, tolerance, request, answer, recorded[0] if recorded else None)


def requested(history: History, record: Record) -> Iterator[Violation]:
    """Find changes of a line by a user of the history whom the history does not show to have asked for them."""
    since = history.first_request_times()
    for recorded in record.by_doctor.values():
        for each in recorded:
            by = each.event.by
            by_client = by.via in {"rest", "socket"} and by.id in since and each.event.at >= since[by.id]
            is_of_line = isinstance(each.event, WaitlistJoined | WaitlistLeft | SlotOffered)
            if by_client and is_of_line and not _was_requested(each, history):
                case = f"{each.event.type} {each.where}, seq {each.event.seq}, command {each.event.command_id}"
                yield Violation(Promise.APPLIED_ONCE, "the record has a change that no client requested", case)


def _was_requested(recorded: RecordEntry, history: History) -> bool:
    event = recorded.event
    if caused_by_erasure(recorded, history):
        return True
    if isinstance(event, WaitlistLeft) and isinstance(recorded, LineEntry):
        # A join of two people ends the entry of the first one if the other one waits for the same doctor.
        patients = {each.patient_id for each in recorded.entry.history if isinstance(each, WaitlistJoined)}
        if any(first in patients for _, first, _ in history.joins):
            return True
    request = history.line_requests.get(event.command_id)
    return request is not None and _fits(request, recorded, history)


def _fits(request: LineRequest, recorded: RecordEntry, history: History) -> bool:
    """Whether the event is what was asked for."""
    match recorded:
        case LineEntry(event=WaitlistJoined(patient_id=patient_id), entry=entry):
            patients = history.joined(request.patient_id)
            return request.kind == "join" and patient_id in patients and entry.doctor_id == request.doctor_id
        case LineEntry(event=WaitlistLeft(), entry=entry):
            return request.kind == "leave" and entry.id == request.entry_id
        case AppointmentEntry(event=SlotOffered(entry_id=entry_id, start=start, out_of_turn=out_of_turn)):
            return (request.kind, request.entry_id, request.start, True) == ("offer", entry_id, start, out_of_turn)
        case _:
            return False


def _contradictions(  # noqa: PLR0913, PLR0917  # all the evidence that there is
    history: History,
    record: Record,
    tolerance: Tolerance,
    request: LineRequest,
    answer: LineAnswer,
    recorded: RecordEntry | None,
) -> Iterator[Violation]:
    is_done = recorded is not None and _fits(request, recorded, history)
    if answer.id and not (recorded and is_done and recorded.where == answer.id):
        yield _about(Promise.ACKNOWLEDGED_IS_WRITTEN, "an acknowledged change is not in the record", request)
    if answer.code is None:
        return
    # When its patient has been joined since, a repetition is another command.
    is_other = answer.code == RefusalCode.IDEMPOTENCY_KEY_REUSED and len(history.joined(request.patient_id)) > 1
    # So it is when the patient has been erased since.
    is_other = is_other or answer.code == "patient_erased"
    # A refusal is not recorded: the same request may be granted when it is repeated later, also by a caller who left.
    was_repeated = request.abandoned or any(each.id and each.at > answer.at for each in request.answers)
    is_later = was_repeated and recorded is not None and recorded.event.at > answer.at - tolerance.clocks
    if is_done and not is_other and not is_later:
        yield _about(Promise.APPLIED_ONCE, "a refused command was applied", request)
    if answer.code not in REASONS:
        yield _about(Promise.REFUSALS_ARE_TRUE, "a refusal has no known reason code", request)
    # The record knows appointments and entries by the account with which their patient has been joined since.
    asked = [replace(request, patient_id=each) for each in history.joined(request.patient_id)]
    true_if = _TRUE_IF.get(answer.code)
    if true_if and not any(true_if(record, tolerance, each, answer) for each in asked):
        yield _about(Promise.REFUSALS_ARE_TRUE, f"the reason of a refusal was not true: {answer.code}", request)


def _waited(record: Record, tolerance: Tolerance, request: LineRequest, answer: LineAnswer) -> bool:
    """Return whether the patient waited for the doctor at some moment between the request and its answer."""
    since, until = request.at - tolerance.clocks, answer.at + tolerance.clocks
    for entry in record.entries.values():
        patients = {each.patient_id for each in entry.history if hasattr(each, "patient_id")}
        if entry.doctor_id != request.doctor_id or not patients & {request.patient_id, entry.patient_id}:
            continue
        ends = (each.at for each in entry.history if isinstance(each, WaitlistLeft | WaitlistBooked | WaitlistExpired))
        if entry.created_at <= until and next(ends, until) >= since:
            return True
    return False


def _had_offer(record: Record, tolerance: Tolerance, request: LineRequest, answer: LineAnswer) -> bool:
    """Return whether the patient had an open offer, of any doctor."""
    since, until = request.at - tolerance.clocks - tolerance.writing, answer.at + tolerance.clocks
    return any(began <= until and ended >= since for _, began, ended in record.offers_of(request.patient_id))


def _was_taken(record: Record, tolerance: Tolerance, request: LineRequest, answer: LineAnswer) -> bool:
    since, until = request.at - tolerance.clocks, answer.at + tolerance.clocks
    return any(
        each.start == request.start and each.during(since, until)
        for each in record.occupancies_by_doctor.get(request.doctor_id, ())
    )


_TRUE_IF: Mapping[str, Callable[[Record, Tolerance, LineRequest, LineAnswer], bool]] = {
    RefusalCode.ALREADY_WAITING: _waited,
    RefusalCode.OFFER_OPEN: _had_offer,
    RefusalCode.SLOT_TAKEN: _was_taken,
}
"""The condition under which a refusal is true, of those that need the record to tell."""


def _about(promise: Promise, what: str, request: LineRequest) -> Violation:
    case = f"{request.kind} by {request.user.role} {request.user.id}, key {request.key}, doctor {request.doctor_id}"
    return Violation(promise, what, case)
