"""The judge and day changes: no appointment of the day is skipped, changed twice or elsewhere, or untruly left."""

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from hub.client.answers import Answer
from hub.client.commands import Command, Request, User
from hub.client.day_changes import command_key
from hub.ids import derived_id
from hub.ops.judge.day_changes import complete, with_their_commands
from hub.ops.judge.history import DayChange, History
from hub.ops.judge.record import Record
from hub.scheduling.apply import apply
from hub.scheduling.day_change import PlannedChange, cancelled, moved_by
from hub.scheduling.events import AppointmentRescheduled, OfferAccepted, SlotOffered
from hub.scheduling.values import Actor, Role, rfc3339
from tests.unit.judge_examples import ADA, ANN, BOB, MONDAY, NINE, TEN, FaultlessClinic, found

ROBIN = User("robin", "receptionist", "Robin")
HALF_AN_HOUR = timedelta(minutes=30)
LAST = MONDAY.replace(hour=17, minute=30)


class ClinicWithDesk(FaultlessClinic):
    """A clinic with a receptionist, who changes days as the hub does."""

    looks_again = True
    """Whether each appointment is read again before its command. It may be moved after that, too."""

    def change_day(
        self, *, by: int | None = None, reason: str | None = None, meanwhile: Callable[[], object] = lambda: None
    ) -> DayChange:
        """Change Ada's Monday. `meanwhile` happens after it was planned."""
        change = DayChange(ROBIN, ADA.id, MONDAY.date(), f"day-{len(self.history.day_changes)}", self.now)
        change.by, change.reason = by, reason
        self.history.on_day_change(change)
        ours = [each for each in self.appointments if each.doctor_id == ADA.id]
        plan = cancelled(ours) if by is None else moved_by(ours, by)
        self._pass()
        change.on_line({"type": "begun", "total": len(plan)}, self.now)
        meanwhile()
        self.carry_out(change, plan)
        return change

    def carry_out(self, change: DayChange, plan: list[PlannedChange]) -> None:
        lines = [self._line(change, planned) for planned in plan]
        for line in lines:
            change.on_line(line, self.now)
        left = [line for line in lines if line["type"] == "not_changed"]
        finished = {"type": "finished", "changed": len(lines) - len(left), "notChanged": left, "position": {}}
        change.on_line(finished, self.now)

    def _line(self, change: DayChange, planned: PlannedChange) -> dict[str, Any]:
        kind = "cancel" if planned.to is None else "reschedule"
        command = Command(kind, appointment_id=planned.appointment_id, start=planned.to)
        request = Request(ROBIN, command, command_key(change.key, planned.appointment_id), "rest", self.now)
        self._pass()
        now = next(each for each in self.appointments if each.id == planned.appointment_id)
        if self.looks_again and now.start != planned.start:
            return left(planned, "wrong_status")
        answer = self._decided(request)
        self._pass()
        if not answer.ok:
            return left(planned, str(answer.code))
        shown = answer.appointment.model_dump(mode="json", by_alias=True)
        return {"type": "changed", "appointment": shown, "replayed": answer.replayed}


def left(planned: PlannedChange, code: str) -> dict[str, Any]:
    ids = {"appointmentId": planned.appointment_id, "patientId": planned.patient_id}
    return {"type": "not_changed", **ids, "start": rfc3339(planned.start), "code": code, "detail": "it is so"}


def morning() -> tuple[ClinicWithDesk, list[Answer]]:
    """Return a clinic at eight, in which Ann and Bob have three appointments with Ada."""
    clinic = ClinicWithDesk()
    booked = [clinic.book(ANN, ADA, NINE), clinic.book(BOB, ADA, TEN), clinic.book(ANN, ADA, LAST)]
    clinic.now = MONDAY.replace(hour=8)
    return clinic, booked


def test_days_that_are_moved_and_cancelled_break_no_promise() -> None:
    clinic, booked = morning()
    change = clinic.change_day(by=30)
    assert [line["type"] for line, _ in change.lines] == ["begun", "not_changed", "changed", "changed", "finished"]
    clinic.book(BOB, ADA, NINE)
    clinic.change_day(by=-60, meanwhile=lambda: clinic.change(ANN, "reschedule", booked[2], LAST - HALF_AN_HOUR))
    clinic.change_day(reason="ill", meanwhile=lambda: clinic.change(ANN, "cancel", booked[0]))
    assert clinic.judged() == []


def test_an_appointment_may_be_moved_right_after_it_was_read() -> None:
    clinic, booked = morning()
    clinic.looks_again = False
    noon = NINE.replace(hour=12)
    clinic.change_day(by=60, meanwhile=lambda: clinic.change(BOB, "reschedule", booked[1], noon))
    (moved,) = [each for each in clinic.appointments if each.patient_id == BOB.id]
    assert moved.start == TEN + timedelta(hours=1)  # an hour after its start in the plan, not after its last one
    assert clinic.judged() == []


def test_an_attempt_that_broke_off_is_judged_by_the_next_one() -> None:
    clinic, _ = morning()
    change = clinic.change_day(by=30)
    lines = [line for line, _ in change.lines]
    change.lines = []
    for line in [lines[0], {**lines[1], "code": "slot_taken"}, *lines]:
        change.on_line(line, clinic.now)
    assert clinic.judged() == []
    change.lines = change.lines[:1]
    assert found(clinic.judged()) == {"a day change was not finished"}
    change.abandoned = True
    assert clinic.judged() == []  # what was done is of this request all the same


def test_an_appointment_that_no_line_names_is_reported_but_not_one_that_was_booked_or_freed_meanwhile() -> None:
    clinic, booked = morning()

    def meanwhile() -> None:
        clinic.change(BOB, "cancel", booked[1])

    change = DayChange(ROBIN, ADA.id, MONDAY.date(), "k", clinic.now, reason="ill")
    clinic.history.on_day_change(change)
    clinic.book(BOB, ADA, TEN + HALF_AN_HOUR)
    plan = cancelled(each for each in clinic.appointments if each.start in {NINE, LAST})
    meanwhile()
    clinic.now += timedelta(seconds=10)
    change.on_line({"type": "begun", "total": 2}, clinic.now)
    clinic.carry_out(change, plan)
    assert clinic.judged() == []
    change.lines = [line for line in change.lines if line[0]["type"] != "changed"]
    assert "a day change skipped an appointment" in found(clinic.judged())


def test_an_appointment_that_was_left_out_of_the_plan_is_reported() -> None:
    clinic, booked = morning()
    change = DayChange(ROBIN, ADA.id, MONDAY.date(), "k", clinic.now, reason="ill")
    clinic.history.on_day_change(change)
    change.on_line({"type": "begun", "total": 2}, clinic.now)
    clinic.carry_out(change, cancelled(each for each in clinic.appointments if each.start != TEN))
    [violation] = clinic.judged()
    assert violation.what == "a day change skipped an appointment"
    assert booked[1].appointment.id in violation.case


@pytest.mark.parametrize(
    ("plant", "what"),
    [
        (lambda lines: lines.insert(2, lines[2]), "a day change named an appointment twice"),
        (lambda lines: lines[-1].update(changed=3), "the last line of a day change contradicts the others"),
        (lambda lines: lines[1].update(code="slot_taken"), "the reason of a refusal was not true: slot_taken"),
        (lambda lines: lines[1].update(code="wrong_status"), "the reason of a refusal was not true: wrong_status"),
        (
            lambda lines: lines[2]["appointment"].update(start=rfc3339(TEN)),
            "an acknowledged change is not in the record",
        ),
        (
            lambda lines: lines.__setitem__(
                2, {**lines[1], "start": rfc3339(TEN), "appointmentId": lines[2]["appointment"]["id"]}
            ),
            "a refused command was applied",
        ),
    ],
)
def test_a_wrong_line_is_reported(plant: Callable[[list[dict[str, Any]]], None], what: str) -> None:
    clinic, _ = morning()
    change = clinic.change_day(by=30)
    lines = deepcopy([line for line, _ in change.lines])
    plant(lines)
    change.lines = [(line, clinic.now) for line in lines]
    assert what in found(clinic.judged())


def test_a_move_to_another_time_than_was_asked_is_reported() -> None:
    clinic, _ = morning()
    change = clinic.change_day(by=30)
    change.by = 60
    assert "the record has a change that no client requested" in found(clinic.judged())


def test_a_change_under_an_id_of_its_own_is_reported() -> None:
    clinic, _ = morning()
    clinic.change_day(by=30).key = "another"
    assert {"an acknowledged change is not in the record", "the record has a change that no client requested"} <= found(
        clinic.judged()
    )


def test_an_accepted_offer_belongs_to_the_day_and_an_open_one_does_not() -> None:
    change = DayChange(ROBIN, ADA.id, MONDAY.date(), "day", NINE, by=30, begun_at=NINE, abandoned=True)
    fields = {"doctor_id": ADA.id, "patient_id": ANN.id, "entry_id": "entry", "until": NINE}
    hub = Actor(id="hub", role=Role.SYSTEM, via="timer")
    desk = Actor(id=ROBIN.id, role=Role.RECEPTIONIST, via="rest")

    def header(seq: int, command_id: str, by: Actor = hub) -> dict[str, Any]:
        at = MONDAY + timedelta(minutes=seq)
        return {"seq": seq, "prev": seq - 1, "at": at, "by": by, "command_id": command_id, "fingerprint": "-"}

    taken = apply(None, SlotOffered(**header(1, "taken"), **fields, start=TEN))
    taken = apply(taken, OfferAccepted(**header(2, "accepted")))
    moving = derived_id(ROBIN.id, command_key(change.key, taken.id))
    taken = apply(
        taken, AppointmentRescheduled(**header(3, moving, desk), previous_start=TEN, start=TEN + HALF_AN_HOUR)
    )
    still_open = apply(None, SlotOffered(**header(4, "open"), **fields, start=LAST))
    history, record = History(), Record([taken, still_open], FaultlessClinic().record().schedule_records.values(), NINE)
    history.on_day_change(change)
    (exchange,) = with_their_commands(history, record).exchanges()
    assert exchange.request.command == Command("reschedule", appointment_id=taken.id, start=TEN + HALF_AN_HOUR)
    change.on_line({"type": "finished", "changed": 0, "notChanged": []}, NINE)
    skipped = [each.case for each in complete(history, record, timedelta(0))]
    assert len(skipped) == 1
    assert skipped[0].endswith(taken.id)
