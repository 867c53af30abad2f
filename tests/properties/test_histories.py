"""For any commands in any order, the invariants hold after every step."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from hub.scheduling.apply import apply_all, as_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import (
    AddTimeOff,
    BookAppointment,
    CallInPatient,
    CancelAppointment,
    ChangeHours,
    CheckInPatient,
    Command,
    CommandAdapter,
    CompleteAppointment,
    ConfirmAppointment,
    DisableDoctor,
    EnableDoctor,
    ErasePatient,
    JoinPatient,
    MarkNoShow,
    RemindPatient,
    RemoveTimeOff,
    RescheduleAppointment,
    ScheduleChange,
    UndoVisit,
)
from hub.scheduling.decision import Accepted, RefusalCode, Refused, Repeated
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.events import AnyEvent, Event, ScheduleEvent
from hub.scheduling.schedule import Schedule, Shift
from hub.scheduling.schedule_record import ScheduleRecord, schedule_id, unchanged_schedule
from hub.scheduling.slots import schedule_slot_changes, slot_changes, slots_of
from hub.scheduling.values import APPOINTMENT_DURATION, Actor, Role
from tests.people import ROUND_THE_CLOCK
from tests.properties.reasons import due_now, event_of, patient_now, reasons, status_now, visit_now
from tests.properties.simulated_clinic import ACTORS, DOCTORS, OPENING, PATIENTS, SimulatedClinic

Start = Callable[[Schedule, datetime], datetime]
Kind = Callable[..., Command]

# Few slots, few people: so that they get into each other's way all the time.
a_slot = st.builds(
    lambda day, nth: lambda doctor, now: _nth_start(doctor, now + timedelta(days=day), nth),
    st.integers(0, 2),
    st.integers(0, 3),
)
a_far_slot = st.sampled_from([364, 366, 367, 400]).map(
    lambda days: lambda doctor, now: _nth_start(doctor, now + timedelta(days=days), 0)
)
an_odd_time = st.sampled_from(
    [timedelta(minutes=m) for m in (-300, -30, -15, 0, 30, 540)] + [timedelta(days=d) for d in (365, 366, 367)],
).map(lambda ahead: lambda _doctor, now: _half_hour_after(now + ahead))
a_start = st.one_of(a_slot, a_slot, a_slot, an_odd_time)
a_moment = st.sampled_from(
    [timedelta(minutes=m) for m in (-181, -180, -179, -31, -30, -1, 0, 14, 15, 40)],  # from the start of an appointment
)
an_actor = st.sampled_from(ACTORS)
some_hours = st.sampled_from(
    [
        None,  # those of the hiring
        None,
        (),
        tuple(Shift(weekday=day, opens=9 * 60, closes=10 * 60 + 30) for day in range(7)),
        ROUND_THE_CLOCK,
    ],
)
which = st.integers(0, 30)
lives_for = st.sampled_from([None, timedelta(seconds=15)])
VISIT_CHANGES = (CheckInPatient, CallInPatient, UndoVisit)
CHANGES = (ConfirmAppointment, CancelAppointment, CompleteAppointment, *VISIT_CHANGES)
DEADLINES = (RemindPatient, MarkNoShow)
OFFERS = {"offered", "accepted", "declined", "lapsed"}
"""Happen only where somebody waits, as do the events of a waitlist: see `test_waitlist_histories`."""
EVENTS = {each.model_fields["type"].default for each in get_args(Event | ScheduleEvent)} - OFFERS
REFUSALS = {code.value for code in RefusalCode} - {
    RefusalCode.PATIENT_BUSY.value,  # for the record to find, as the next
    RefusalCode.TOO_MANY_APPOINTMENTS.value,
    RefusalCode.ALREADY_WAITING.value,  # of waitlists, as the next
    RefusalCode.OFFER_OPEN.value,
}
AT_WORK = [doctor for doctor in DOCTORS if not doctor.disabled]


def test_the_invariants_hold_after_the_same_commands_as_ever() -> None:
    _try_histories(200, same_as_ever=True)


@pytest.mark.slow
def test_the_invariants_hold_after_any_commands() -> None:
    _try_histories(2000, same_as_ever=False)


def _try_histories(number: int, *, same_as_ever: bool) -> None:
    """Try random histories. `same_as_ever`: with a fixed seed, so that a change fails only by what it changes."""
    outcomes: set[str] = set()
    run_state_machine_as_test(
        lambda: Histories(outcomes),
        settings=settings(
            max_examples=number,
            stateful_step_count=50,
            deadline=None,
            derandomize=same_as_ever,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
    assert outcomes == EVENTS | REFUSALS, "the histories tried were not rich enough to show anything"


class Histories(RuleBasedStateMachine):
    def __init__(self, outcomes: set[str]) -> None:
        super().__init__()
        self.outcomes = outcomes
        self.clinic = SimulatedClinic()
        self.now = OPENING
        self.sent: list[Command] = []

    @rule(seconds=st.sampled_from([0, 15, 60, 15 * 60, 30 * 60, 60 * 60, 24 * 60 * 60]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.clinic.stored)
    @rule(nth=which, moment=a_moment)
    def time_passes_to_a_moment_of_an_appointment(self, nth: int, moment: timedelta) -> None:
        self.now = max(self.now, self._appointment(nth).start + moment)

    @rule(doctor=st.sampled_from(AT_WORK), patient=st.sampled_from(PATIENTS), start=a_slot)
    def a_patient_books_a_slot(self, doctor: Schedule, patient: str, start: Start) -> None:
        header = self._header(Actor(id=patient, role=Role.PATIENT, via="rest"), doctor.id)
        self.send(BookAppointment(**header, patient_id=patient, start=start(doctor, self.now), reason="cough"))

    @rule(doctor=st.sampled_from(AT_WORK), patient=st.sampled_from(PATIENTS), start=a_far_slot)
    def a_patient_books_a_slot_of_another_year(self, doctor: Schedule, patient: str, start: Start) -> None:
        self.a_patient_books_a_slot(doctor, patient, start)

    @rule(
        doctor=st.sampled_from(DOCTORS), patient=st.sampled_from(PATIENTS), by=an_actor, start=a_start, life=lives_for
    )
    def somebody_books_for_a_patient(
        self, doctor: Schedule, patient: str, by: Actor, start: Start, life: timedelta | None
    ) -> None:
        header = self._header(by, doctor.id, life)
        self.send(BookAppointment(**header, patient_id=patient, start=start(doctor, self.now)))

    @precondition(lambda self: self.clinic.stored)
    @rule(nth=which, kind=st.sampled_from(CHANGES), by=an_actor, life=lives_for)
    def somebody_changes_an_appointment(self, nth: int, kind: Kind, by: Actor, life: timedelta | None) -> None:
        appointment = self._appointment(nth)
        self.send(kind(**self._header(by, appointment.doctor_id, life), appointment_id=appointment.id))

    @precondition(lambda self: self.clinic.stored)
    @rule(nth=which, kind=st.sampled_from(CHANGES), as_patient=st.booleans())
    def a_party_changes_an_appointment(self, nth: int, kind: Kind, *, as_patient: bool) -> None:
        appointment = self._appointment(nth)
        header = self._header(_party(appointment, as_patient=as_patient), appointment.doctor_id)
        self.send(kind(**header, appointment_id=appointment.id))

    @precondition(lambda self: self.clinic.stored)
    @rule(nth=which, kinds=st.lists(st.sampled_from(VISIT_CHANGES), min_size=1, max_size=3), late=a_moment | st.none())
    def the_doctor_sees_a_patient_come_and_go(self, nth: int, kinds: list[Kind], late: timedelta | None) -> None:
        appointment = self._appointment(nth)
        if late is not None:
            self.now = max(self.now, appointment.start + late)
        for kind in kinds:
            header = self._header(_party(appointment, as_patient=False), appointment.doctor_id)
            self.send(kind(**header, appointment_id=appointment.id))

    @rule(doctor=st.sampled_from(AT_WORK), patient=st.sampled_from(PATIENTS), minutes=st.sampled_from([0, 14, 15]))
    def a_patient_walks_in(self, doctor: Schedule, patient: str, minutes: int) -> None:
        self.now = _half_hour_after(self.now) + timedelta(minutes=minutes)
        if doctor.zone == "Asia/Kathmandu":  # whose half hours begin on the quarters of the others
            self.now += timedelta(minutes=15)
        running = self.now - timedelta(minutes=minutes)
        header = self._header(Actor(id=doctor.id, role=Role.DOCTOR, via="rest"), doctor.id)
        self.send(BookAppointment(**header, patient_id=patient, start=running))

    @precondition(lambda self: self.clinic.stored)
    @rule(nth=which, start=a_start, as_patient=st.booleans())
    def a_party_reschedules_an_appointment(self, nth: int, start: Start, *, as_patient: bool) -> None:
        appointment = self._appointment(nth)
        doctor = self.clinic.states[appointment.doctor_id].schedule
        header = self._header(_party(appointment, as_patient=as_patient), doctor.id)
        self.send(
            RescheduleAppointment(**header, appointment_id=appointment.id, start=start(doctor, self.now)),
        )

    @precondition(lambda self: self.clinic.stored)
    @rule(nth=which, kind=st.sampled_from(DEADLINES), by=an_actor, stale=st.booleans())
    def somebody_says_that_a_deadline_is_due(self, nth: int, kind: Kind, by: Actor, *, stale: bool) -> None:
        appointment = self._appointment(nth)
        start = appointment.history[0].start if stale else appointment.start
        self.send(kind(**self._header(by, appointment.doctor_id), appointment_id=appointment.id, start=start))

    @precondition(lambda self: any(each.due for each in self.clinic.stored.values()))
    @rule(
        nth=which,
        late=st.sampled_from([timedelta(0), timedelta(0), timedelta(hours=2, minutes=30), timedelta(hours=4)]),
    )
    def the_next_deadline_comes_at_its_time_or_late(self, nth: int, late: timedelta) -> None:
        waiting = sorted((each for each in self.clinic.stored.values() if each.due), key=lambda each: each.due)
        appointment = waiting[nth % min(2, len(waiting))]
        self.now = max(self.now, appointment.due + late)
        kind = RemindPatient if appointment.due_kind == "reminder" else MarkNoShow
        header = self._header(ACTORS[-1], appointment.doctor_id)
        self.send(kind(**header, appointment_id=appointment.id, start=appointment.start))

    @rule(doctor=st.sampled_from(DOCTORS), by=st.none() | an_actor, shifts=some_hours)
    def somebody_changes_hours(self, doctor: Schedule, by: Actor | None, shifts: tuple[Shift, ...] | None) -> None:
        header = self._header(by or Actor(id=doctor.id, role=Role.DOCTOR, via="rest"), doctor.id)
        self.send(ChangeHours(**header, shifts=doctor.shifts if shifts is None else shifts))

    @rule(doctor=st.sampled_from(DOCTORS), by=st.none() | an_actor, start=a_start, half_hours=st.integers(-4, 6))
    def somebody_enters_time_off(self, doctor: Schedule, by: Actor | None, start: Start, half_hours: int) -> None:
        header = self._header(by or Actor(id=doctor.id, role=Role.DOCTOR, via="rest"), doctor.id)
        one = start(doctor, self.now)
        first, last = sorted([one, one + (half_hours or 1) * APPOINTMENT_DURATION])
        self.send(AddTimeOff(**header, start=first, end=last))

    @rule(doctor=st.sampled_from(DOCTORS), by=st.none() | an_actor, nth=which)
    def somebody_takes_time_off_back(self, doctor: Schedule, by: Actor | None, nth: int) -> None:
        header = self._header(by or Actor(id=doctor.id, role=Role.DOCTOR, via="rest"), doctor.id)
        entered = [off.id for off in self.clinic.states[doctor.id].schedule.time_off] or ["none"]
        self.send(RemoveTimeOff(**header, time_off_id=entered[-1 - nth % len(entered)]))

    @rule(doctor=st.sampled_from(DOCTORS), by=an_actor, kind=st.sampled_from([DisableDoctor, EnableDoctor]))
    def somebody_says_who_works_here(self, doctor: Schedule, by: Actor, kind: Kind) -> None:
        self.send(kind(**self._header(by, doctor.id)))

    @precondition(lambda self: any(doctor.disabled for doctor in self._at_work()))
    @rule()
    def the_clinic_takes_a_doctor_back(self) -> None:
        for doctor in self._at_work():
            if doctor.disabled:
                self.send(EnableDoctor(**self._header(ACTORS[-1], doctor.id)))

    @precondition(lambda self: self.clinic.applied)
    @rule(nth=which)
    def an_applied_command_comes_again(self, nth: int) -> None:
        applied = list(self.clinic.applied.values())
        self.send(applied[-1 - nth % len(applied)])

    @precondition(lambda self: self.clinic.stored)
    @rule(nth=which, by=an_actor, doctor=st.sampled_from(DOCTORS))
    def somebody_speaks_of_an_appointment_to_any_doctor(self, nth: int, by: Actor, doctor: Schedule) -> None:
        self.send(CancelAppointment(**self._header(by, doctor.id), appointment_id=self._appointment(nth).id))

    @precondition(lambda self: self.clinic.stored)
    @rule(nth=which, by=an_actor, previous=st.sampled_from(PATIENTS), patient=st.sampled_from(PATIENTS))
    def somebody_joins_the_patient_of_an_appointment(self, nth: int, by: Actor, previous: str, patient: str) -> None:
        appointment = self._appointment(nth)
        header = self._header(by, appointment.doctor_id)
        joined = {"previous_patient_id": previous, "patient_id": patient}
        self.send(JoinPatient(**header, appointment_id=appointment.id, **joined))

    @precondition(lambda self: self.clinic.stored)
    @rule(nth=which, by=an_actor, patient=st.sampled_from(PATIENTS))
    def somebody_erases_the_patient_of_an_appointment(self, nth: int, by: Actor, patient: str) -> None:
        appointment = self._appointment(nth)
        header = self._header(by, appointment.doctor_id)
        self.send(ErasePatient(**header, appointment_id=appointment.id, patient_id=patient))

    @precondition(lambda self: self.sent)
    @rule(nth=which)
    def an_old_command_comes_again(self, nth: int) -> None:
        self.send(self.sent[-1 - nth % len(self.sent)])

    @precondition(lambda self: len(self.sent) > 1)
    @rule(nth=which, other=which)
    def the_id_of_one_command_comes_with_the_content_of_another(self, nth: int, other: int) -> None:
        old, content = self.sent[-1 - nth % len(self.sent)], self.sent[-1 - other % len(self.sent)]
        self.send(content.model_copy(update={"id": old.id}))

    @precondition(lambda self: self.clinic.stored)
    @rule(nth=which, other=which, field=st.sampled_from(["patient_id", "start", "reason", "appointment_id", "kind"]))
    def an_applied_command_comes_again_with_one_thing_changed(self, nth: int, other: int, field: str) -> None:
        applied = [each for each in self.clinic.applied.values() if not isinstance(each, ScheduleChange)]
        command = applied[-1 - nth % len(applied)]
        changed = {
            "patient_id": PATIENTS[other % len(PATIENTS)],
            "start": OPENING + APPOINTMENT_DURATION * other,
            "reason": "fever",
            "appointment_id": self._appointment(other).id,
            "kind": ["confirm", "cancel", "complete", "check_in", "call_in", "undo_visit"][other % 6],
        }
        if getattr(command, field, None) is not None and (field != "kind" or isinstance(command, CHANGES)):
            written = command.model_dump() | {field: changed[field]}
            if field == "kind":
                written.pop("reason", None)  # only a cancellation has one
            self.send(CommandAdapter.validate_python(written))

    @precondition(lambda self: self.sent)
    @rule(nth=which, by=an_actor)
    def somebody_sends_the_command_of_another(self, nth: int, by: Actor) -> None:
        self.send(self.sent[-1 - nth % len(self.sent)].model_copy(update={"by": by}))

    def send(self, command: Command) -> None:
        """Give a command to the clinic. Checks the decision, and what watchers receive."""
        command = CommandAdapter.validate_json(command.model_dump_json(by_alias=True))  # as it comes over the bus
        clinic, before = self.clinic, dict(self.clinic.stored)
        applied = clinic.applied.get(command.id)
        against = reasons(clinic, command, self.now)
        causes = event_of(clinic, command, self.now) if not against else None
        state = clinic.states[command.doctor_id]
        self.sent.append(command)
        decision = clinic.give(command, self.now)
        self.outcomes.add(decision.code.value if isinstance(decision, Refused) else decision.events[0].type)
        match decision:
            case Accepted(aggregate_id, (event,)):
                assert applied is None, "a command is applied once"
                assert not against, "what is accepted has nothing against it"
                assert (event.type, event.at, event.by) == (causes, self.now, command.by)
                if aggregate_id == schedule_id(command.doctor_id):
                    self._see_that_watchers_are_told_of_hours(state)
                else:
                    self._see_that_watchers_are_told_right(state, aggregate_id, event)
                    return
            case Repeated(aggregate, (event,)):
                assert applied is not None
                same = _asked(applied) == _asked(command) or _same_but_for_erased_words(applied, command, event)
                assert same, "only the same command by the same actor gets the answer"
                of_schedule = isinstance(aggregate, ScheduleRecord)
                now = clinic.states[command.doctor_id].schedule_record if of_schedule else clinic.stored[aggregate.id]
                assert aggregate == now
                assert event in aggregate.history
                assert event.command_id == command.id
            case Refused(RefusalCode.IDEMPOTENCY_KEY_REUSED):
                assert applied is not None
                assert _asked(applied) != _asked(command)
            case Refused(code):
                assert code in against, "a refusal is true at the moment it is given"
                assert applied is None or _asked(applied) != _asked(command)
        assert clinic.stored == before, "what is not accepted changes nothing, nor does a change of hours"
        if not isinstance(decision, Accepted):
            assert clinic.states[command.doctor_id] == state

    @invariant()
    def no_two_active_appointments_of_a_doctor_overlap(self) -> None:
        for doctor in DOCTORS:
            held = sorted(each.start for each in self._appointments_of(doctor.id) if each.active)
            assert all(later - earlier >= APPOINTMENT_DURATION for earlier, later in pairwise(held))

    @invariant()
    def folding_the_history_gives_the_stored_state(self) -> None:
        for appointment in self.clinic.stored.values():
            assert apply_all(None, appointment.history) == appointment
            assert appointment.version == len(appointment.history)
            assert appointment.end - appointment.start == APPOINTMENT_DURATION

    @invariant()
    def the_status_is_what_the_last_event_says(self) -> None:
        assert all(each.status is status_now(each) for each in self.clinic.stored.values())

    @invariant()
    def the_patient_is_whom_the_last_event_names(self) -> None:
        assert all(each.patient_id == patient_now(each) for each in self.clinic.stored.values())

    @invariant()
    def the_visit_is_what_its_events_say_and_the_completion_has_its_instant(self) -> None:
        for each in self.clinic.stored.values():
            assert (each.visit, each.arrived_at, each.in_room_at) == visit_now(each)
            assert each.completed_at == next((e.at for e in each.history if e.type == "completed"), None)

    @invariant()
    def the_calendar_is_what_its_appointments_say(self) -> None:
        for state in self.clinic.states.values():
            of_doctor = self._appointments_of(state.schedule.id)
            assert state.appointments == {each.id: each for each in of_doctor}
            assert state.slot_owners == {each.start: each.id for each in of_doctor if each.active}

    @invariant()
    def seq_counts_every_event_of_a_doctor_and_prev_is_the_one_before(self) -> None:
        for doctor in DOCTORS:
            log = self.clinic.log[doctor.id]
            assert [event.seq for event in log] == list(range(1, len(log) + 1))
            assert [event.prev for event in log] == list(range(len(log)))
            assert self.clinic.states[doctor.id].seq == len(log)

    @invariant()
    def the_next_deadline_is_the_reminder_then_the_no_show_then_none(self) -> None:
        for appointment in self.clinic.stored.values():
            assert (appointment.due, appointment.due_kind) == due_now(appointment)

    @invariant()
    def folding_the_history_gives_the_timetable(self) -> None:
        for doctor in DOCTORS:
            schedule_record = self.clinic.states[doctor.id].schedule_record
            assert apply_all(unchanged_schedule(doctor), schedule_record.history) == schedule_record
            assert schedule_record.version == len(schedule_record.history)
            assert ScheduleRecord.model_validate_json(schedule_record.model_dump_json(by_alias=True)) == schedule_record

    @invariant()
    def nobody_was_put_where_the_doctor_did_not_work(self) -> None:
        for appointment in self.clinic.stored.values():
            schedule_record = self.clinic.states[appointment.doctor_id].schedule_record
            for event in appointment.history:
                if event.type in {"booked", "rescheduled"}:
                    walked_in = event.type == "booked" and event.by.role in {Role.DOCTOR, Role.RECEPTIONIST}
                    assert event.start > event.at or (walked_in and event.at < event.start + timedelta(minutes=15))
                    doctor = as_of(schedule_record, event.prev).current
                    assert doctor.works_at(event.start)
                    assert not doctor.disabled

    @invariant()
    def a_stored_appointment_survives_json(self) -> None:
        for appointment in self.clinic.stored.values():
            assert Appointment.model_validate_json(appointment.model_dump_json(by_alias=True)) == appointment

    def _appointment(self, nth: int) -> Appointment:
        stored = list(self.clinic.stored.values())
        return stored[-1 - nth % len(stored)]

    def _appointments_of(self, doctor_id: str) -> list[Appointment]:
        return [each for each in self.clinic.stored.values() if each.doctor_id == doctor_id]

    def _see_that_watchers_are_told_right(self, before: DoctorState, appointment_id: str, event: Event) -> None:
        after = self.clinic.states[before.schedule.id]
        appointment = after.appointments[appointment_id]
        told = {change.start: change.available for change in slot_changes(before.schedule, event, appointment)}
        days = {before.schedule.day_of(start) for start in (*told, appointment.start)}
        shown, now = self._slots(before, days) | told, self._slots(after, days)
        # Where the doctor does not work any more there is no slot: one that is freed there is told as not available.
        assert shown == dict.fromkeys(shown, False) | now

    def _see_that_watchers_are_told_of_hours(self, before: DoctorState) -> None:
        after = self.clinic.states[before.schedule.id]
        for day in {after.schedule.day_of(self.now + timedelta(days=ahead)) for ahead in (0, 1, 2)}:
            shown, now = self._slots(before, {day}), self._slots(after, {day})
            changes = schedule_slot_changes(before.schedule, after.schedule, day, after.slot_owners, self.now)
            told = {change.start: change.available for change in changes}
            assert len(told) == len(changes)
            assert shown | told == dict.fromkeys(shown, False) | now
            assert all(shown.get(start) != available for start, available in told.items()), "no news is not told"

    def _at_work(self) -> list[Schedule]:
        """Return the current schedules of the initial doctors."""
        return [self.clinic.states[doctor.id].schedule for doctor in AT_WORK]

    def _slots(self, state: DoctorState, days: set[date]) -> dict[datetime, bool]:
        return {
            slot.start: slot.available
            for day in days
            for slot in slots_of(state.schedule, day, state.slot_owners, self.now)
        }

    def _header(self, by: Actor, doctor_id: str, life: timedelta | None = None) -> dict[str, object]:
        return {
            "id": f"command-{len(self.sent) + 1}",
            "doctor_id": doctor_id,
            "by": by,
            "at": self.now,
            "expires": life and self.now + life,
        }


def _party(appointment: Appointment, *, as_patient: bool) -> Actor:
    if as_patient:
        return Actor(id=appointment.patient_id, role=Role.PATIENT, via="sms")
    return Actor(id=appointment.doctor_id, role=Role.DOCTOR, via="socket")


def _asked(command: Command) -> dict[str, object]:
    """Return the content and the sender of a command."""
    return command.model_dump(exclude={"at": True, "expires": True, "by": {"via"}})


def _same_but_for_erased_words(applied: Command, command: Command, event: AnyEvent) -> bool:
    """Whether two commands differ in nothing but the words of an event that have been erased."""
    words = {"reason"}
    return event.fingerprint.startswith("erased ") and (
        {k: v for k, v in _asked(applied).items() if k not in words}
        == {k: v for k, v in _asked(command).items() if k not in words}
    )


def _nth_start(doctor: Schedule, instant: datetime, nth: int) -> datetime:
    starts = list(doctor.starts_of(doctor.day_of(instant)))
    return starts[nth % len(starts)] if starts else _half_hour_after(instant)


def _half_hour_after(instant: datetime) -> datetime:
    return instant.replace(minute=instant.minute // 30 * 30, second=0, microsecond=0) + APPOINTMENT_DURATION
