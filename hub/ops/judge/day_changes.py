"""Judges requests that move or cancel a doctor's day: each appointment of the day is changed once, or named as left.

Each line of an answer is the answer to one command. So the lines become exchanges of the history, and the checks of
single commands find changes that are missing, made twice, wrong, or refused for a reason that is not true.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from hub.client.answers import Answer
from hub.client.appointment import NamedAppointment
from hub.client.commands import Command, Request
from hub.client.day_changes import Line, command_key
from hub.client.wire import parse
from hub.ops.judge.history import DayChange, Exchange, History
from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import AppointmentEntry, Occupancy, Record
from hub.scheduling.events import AppointmentBooked, AppointmentRescheduled, SlotOffered
from hub.scheduling.schedule import zone
from hub.scheduling.values import rfc3339


def with_their_commands(history: History, record: Record) -> History:
    """Return the history with an exchange for each command of its day changes.

    Only the last attempt of a request is taken: what was refused in an earlier one may have been done in a later one.
    A command of which no line tells is entered if the record has its event: it was left without waiting.
    """
    whole = history.copy()
    for change in history.day_changes:
        told = set()
        for line, at in change.lines:
            if line["type"] in {"changed", "not_changed"}:
                told.add(_id(line))
                whole.enter(_exchange(change, line, at, record))
        for appointment in record.appointments.values():
            if appointment.doctor_id == change.doctor_id and appointment.id not in told:
                request = _request(change, appointment.id, record, None)
                if request.command_id in record.by_command:
                    whole.enter(Exchange(request, abandoned=True))
    return whole


def complete(history: History, record: Record, writing: timedelta) -> Iterator[Violation]:
    """Find appointments of a changed day that no line names, or two, last lines that contradict, and missing ones.

    An appointment has to be named if it was active from `writing` before the request until its first line came.
    """
    for change in history.day_changes:
        if change.finished is None or change.begun_at is None:
            if not change.abandoned:
                yield _about(change, "a day change was not finished", f"{len(change.lines)} lines")
            continue
        named = Counter(_id(line) for line, _ in change.lines if line["type"] in {"changed", "not_changed"})
        for occupancy in record.occupancies_by_doctor.get(change.doctor_id, ()):
            if _belongs(occupancy, change, record, writing) and not named[occupancy.appointment.id]:
                yield _about(change, "a day change skipped an appointment", occupancy.appointment.id)
        for id_, times in named.items():
            if times > 1:
                yield _about(change, "a day change named an appointment twice", id_)
        left = [_id(line) for line, _ in change.lines if line["type"] == "not_changed"]
        said = [_id(line) for line in change.finished["notChanged"]], change.finished["changed"]
        if said != (left, len(named) - len(left)):
            yield _about(change, "the last line of a day change contradicts the others", str(said))


def _belongs(occupancy: Occupancy, change: DayChange, record: Record, writing: timedelta) -> bool:
    begin, end = record.doctors[change.doctor_id].day_bounds(change.day)
    return (
        begin <= occupancy.start < end
        and change.begun_at is not None
        and occupancy.active_since is not None
        and occupancy.active_since < change.at - writing
        and (occupancy.freed is None or occupancy.freed.at > change.begun_at)
    )


def _exchange(change: DayChange, line: Line, at: datetime, record: Record) -> Exchange:
    """Return the exchange of one line."""
    planned = datetime.fromisoformat(line["start"]) if line["type"] == "not_changed" else None
    request = _request(change, _id(line), record, planned)
    done = line["type"] == "changed"
    answer = Answer(
        key=request.key,
        ok=done,
        appointment=parse(NamedAppointment, line["appointment"]) if done else None,
        code=None if done else line["code"],
        detail=None if done else line["detail"],
        status=None,
        attempts=1,
        seconds=(at - change.at).total_seconds(),
        at=at,
        replayed=done and line["replayed"],
    )
    return Exchange(request, answer, planned=planned)


def _request(change: DayChange, appointment_id: str, record: Record, planned: datetime | None) -> Request:
    """Return the command for an appointment. `planned` is its start before; without it, the record has it."""
    key = command_key(change.key, appointment_id)
    command = Command("cancel", appointment_id=appointment_id, reason=change.reason)
    request = Request(change.user, command, key, "rest", change.at)
    if change.reason is not None:
        return request
    if planned is None:
        planned = _planned(change, record, request.command_id)
    target = _target(change, record, planned) if planned else None
    command = Command("reschedule", appointment_id=appointment_id, start=target)
    return Request(change.user, command, key, "rest", change.at)


def _planned(change: DayChange, record: Record, command_id: str) -> datetime | None:
    """Return the start that the request had read, from the event of its command; None without an event.

    Its patient may have moved the appointment meanwhile: then it is one of the earlier starts.
    """
    for recorded in record.by_command.get(command_id, ()):
        if isinstance(recorded, AppointmentEntry) and isinstance(recorded.event, AppointmentRescheduled):
            moved = recorded.event
            starts = [
                each.start
                for each in recorded.appointment.history
                if isinstance(each, AppointmentBooked | AppointmentRescheduled | SlotOffered) and each.seq < moved.seq
            ]
            return next((each for each in reversed(starts) if _target(change, record, each) == moved.start), starts[-1])
    return None


def _target(change: DayChange, record: Record, start: datetime) -> datetime:
    """Return where the request moves an appointment of this start."""
    if change.to is None:
        return start + timedelta(minutes=change.by or 0)
    here = zone(record.doctors[change.doctor_id].zone)
    local = start.astimezone(here)
    return datetime.combine(change.to, local.time(), here).replace(fold=local.fold).astimezone(start.tzinfo)


def _id(line: Line) -> str:
    """Return the appointment of a line `changed` or `not_changed`."""
    return str(line["appointment"]["id"] if line["type"] == "changed" else line["appointmentId"])


def _about(change: DayChange, what: str, case: str) -> Violation:
    request = f"{change.user.role} {change.user.id}, key {change.key}, {change.day} of {change.doctor_id}"
    return Violation(Promise.REFUSALS_ARE_TRUE, what, f"{request}, sent at {rfc3339(change.at)}: {case}")
