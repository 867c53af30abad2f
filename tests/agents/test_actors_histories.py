"""Two workers that both believe to own the doctors, in any interleaving: the invariants hold after every write.

Each call that a worker makes of the record is a point at which the other may handle a batch, or a rebalance may come.
After a rebalance the table may have any mixture of what was ever written to it: see `Changelog`.
That every answer is true is found from the facts anew, without the code under test: see `reasons`.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.actor.actors import DoctorActors
from agents.actor.doctor_table import DoctorTable
from agents.answers import Answer
from hub.bus.messages import notice_of
from hub.records.memory import MemoryRecords
from hub.scheduling.aggregate import Aggregate, events_of
from hub.scheduling.apply import apply_all, as_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import BookAppointment, Command, RescheduleAppointment, ScheduleChange, fingerprint
from hub.scheduling.decision import Refused
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule import Schedule
from hub.scheduling.schedule_record import ScheduleRecord, schedule_id, unchanged_schedule
from tests.agents.actor_fixtures import (
    DOCTORS,
    NOW,
    PATIENTS,
    InterceptedRecords,
    SharedStore,
    account,
    back,
    book,
    cancel,
    confirm,
    hours,
    leave,
    move,
    off,
)
from tests.agents.changelog import Changelog, Entries

Turn = int | Sequence[Command] | None
"""What happens before a call of the record: a rebalance, a batch of the other worker, or nothing.

The number of a rebalance decides what its table has: with an even one, what was written last.
"""
World = Mapping[str, Aggregate]
"""The stored appointments and schedules by id at one moment."""

HALF_HOUR = timedelta(minutes=30)
ALLOWED = {
    "confirm": {"scheduled"},
    "cancel": {"scheduled", "confirmed"},
    "reschedule": {"scheduled", "confirmed"},
}

slots = st.sampled_from([0, 1, 48])  # of two days
keys = st.sampled_from([f"k{number}" for number in range(8)])
bookings = st.builds(
    book,
    patient=st.sampled_from(PATIENTS),
    at=slots,
    doctor=st.sampled_from(DOCTORS),
    key=keys,
    expires=st.sampled_from([None, None, None, NOW - HALF_HOUR]),
)
absences = st.builds(off, slots, st.sampled_from(DOCTORS), keys.map("o{}".format))
commands = st.one_of(
    bookings,
    bookings,
    st.builds(confirm, bookings, keys.map("c{}".format) | keys),
    st.builds(cancel, bookings, keys.map("c{}".format)),
    st.builds(move, bookings, slots, keys.map("c{}".format)),
    st.builds(hours, st.sampled_from([0, 13]), st.just(24), st.sampled_from(DOCTORS), keys.map("h{}".format) | keys),
    st.builds(back, absences, keys.map("h{}".format)),
    absences,
    st.builds(leave, st.just("ben"), keys.map("h{}".format)),
)
batches = st.lists(commands, max_size=6)
turns = st.lists(st.one_of(st.none(), st.none(), st.integers(0, 99), batches), max_size=12)


@given(st.lists(st.tuples(st.integers(0, 1), batches, turns), max_size=6))
@settings(max_examples=200, deadline=None)
async def test_two_workers_with_the_same_doctors_never_break_the_record_nor_answer_wrongly(
    steps: list[tuple[int, list[Command], list[Turn]]],
) -> None:
    run = TwoWorkers()
    await run.open()
    for worker, batch, happens in steps:
        await run.handle(worker, batch, happens)
    run.check_record()


@dataclass
class TwoWorkers:
    """`worlds`: the record after each write. `asked`: every command."""

    records: MemoryRecords = field(default_factory=MemoryRecords)
    worlds: list[World] = field(default_factory=lambda: [{}])
    asked: list[Command] = field(default_factory=list)
    workers: list[DoctorActors] = field(default_factory=list)
    changelog: Changelog = field(default_factory=Changelog)
    tables: list[Entries] = field(default_factory=list)
    happens: list[Turn] = field(default_factory=list)
    interruptions: int = 0

    async def open(self) -> None:
        store = SharedStore(self.records)
        await store.open()
        self._watch_writes()
        self.tables = [Entries(self.changelog), Entries(self.changelog)]
        self.workers = [
            DoctorActors(
                InterceptedRecords(self.records, self._interruption(number)), DoctorTable(table), lambda: store.now
            )
            for number, table in enumerate(self.tables)
        ]

    async def handle(self, worker: int, batch: Sequence[Command], happens: Sequence[Turn]) -> None:
        """Handle a batch with interruptions, and check each answer."""
        self.happens = list(happens)
        await self._handle(worker, batch)
        self.happens = []

    async def _handle(self, worker: int, batch: Sequence[Command]) -> None:
        self.asked += batch
        before = len(self.worlds) - 1
        answers = await self._answers(worker, batch)
        assert len(answers) == len(batch)
        for command, answer in zip(batch, answers, strict=True):
            check_answer(command, answer, self.worlds[before:])

    async def _answers(self, worker: int, batch: Sequence[Command]) -> list[Answer]:
        """Retry a batch, as the dispatcher does, when it failed because of an interruption in every round."""
        while True:
            before = self.interruptions
            with suppress(RuntimeError):
                return await self.workers[worker].handle(batch)
            assert self.interruptions > before, "it failed, and nobody had got in between"

    def _interruption(self, worker: int) -> object:
        async def before_call(_: str) -> None:
            turn = self.happens.pop() if self.happens else None
            self.interruptions += turn is not None
            if isinstance(turn, int):
                self.changelog.recover(self.tables[worker], turn)
                self.workers[worker].forget()
            elif turn:
                # the other one is not disturbed: what it does happens at once
                happens, self.happens = self.happens, []
                await self._handle(1 - worker, turn)
                self.happens = happens

        return before_call

    def _watch_writes(self) -> None:
        write = self.records.appointments._write

        def watched(aggregate: Aggregate) -> None:
            last = aggregate.last
            causes = [
                each for each in self.asked if (each.id, fingerprint(each)) == (last.command_id, last.fingerprint)
            ]
            assert not all(reasons(self.worlds[-1], cause) for cause in causes), "accepted against a rule"
            write(aggregate)
            self.worlds.append({**self.worlds[-1], aggregate.id: aggregate})

        self.records.appointments._write = watched

    def check_record(self) -> None:
        stored, appointments = self.worlds[-1].values(), appointments_in(self.worlds[-1])
        for appointment in appointments:
            assert appointment == apply_all(None, appointment.history)
            for event in appointment.history:
                if event.type in {"booked", "rescheduled"}:
                    doctor = as_of(timetable_in(self.worlds[-1], appointment.doctor_id), event.prev).current
                    assert not against_hours(doctor, event.start)
        for schedule_record in (one for one in stored if isinstance(one, ScheduleRecord)):
            assert schedule_record == apply_all(unchanged_schedule(schedule_record.initial), schedule_record.history)
        active = [appointment for appointment in appointments if appointment.active]
        for one, another in combinations(active, 2):
            if one.doctor_id == another.doctor_id or one.patient_id == another.patient_id:
                assert abs(one.start - another.start) >= HALF_HOUR
        applied = [event.command_id for appointment in stored for event in appointment.history]
        assert len(applied) == len(set(applied))
        for doctor_id in DOCTORS:
            events = sorted(
                (event.seq, event.prev) for one in stored if one.doctor_id == doctor_id for event in one.history
            )
            assert [seq for seq, _ in events] == list(range(1, len(events) + 1))
            assert all(later[1] == earlier[0] for earlier, later in pairwise(events))


def check_answer(command: Command, answer: Answer, worlds: Sequence[World]) -> None:
    """Check an answer against the record. A refusal must have been true at some time during the batch."""
    assert answer.reply.command_id == command.id
    result = answer.reply.result
    if isinstance(result, Refused):
        assert not answer.notices
        assert any(result.code.value in reasons(world, command) for world in worlds), result.code
        return
    schedule_record = timetable_in(worlds[-1], command.doctor_id)
    stored = schedule_record if isinstance(command, ScheduleChange) else worlds[-1][result.id]
    events = events_of(stored, command.id)
    assert events, "an answer without a record"
    assert events[0].fingerprint == fingerprint(command)
    (notice,), (event,) = answer.notices, events
    right = notice_of(RecordedEvent(event, as_of(stored, event.seq)), schedule_record, [])
    if isinstance(stored, ScheduleRecord):
        assert notice.model_copy(update={"taken": ()}) == right
        assert result in [as_of(stored, each.seq).current for each in stored.history if each.seq >= event.seq]
    else:
        assert notice == right


def reasons(world: World, command: Command) -> set[str]:
    """Return every reason to refuse a command in this world; empty if it must be accepted."""
    caused = [event for stored in world.values() for event in events_of(stored, command.id)]
    if any(event.fingerprint == fingerprint(command) for event in caused):
        return {"applied"}
    found = {"idempotency_key_reused"} if caused else set()
    if command.expires is not None and command.expires < NOW:
        found.add("expired")
    if isinstance(command, ScheduleChange):
        return found | _against_arrangement(world, command)
    if isinstance(command, BookAppointment):
        return found | _against_start(world, command.doctor_id, command.patient_id, command.start, but=None)
    stored = world.get(command.appointment_id)
    if stored is None or (stored.doctor_id, stored.patient_id) != (command.doctor_id, command.by.id):
        return found | {"not_found"}
    if stored.status.value not in ALLOWED[command.kind]:
        found.add("wrong_status")
    if isinstance(command, RescheduleAppointment):
        if command.start == stored.start:
            found.add("wrong_status")
        found |= _against_start(world, command.doctor_id, stored.patient_id, command.start, but=stored)
    return found


def appointments_in(world: World) -> list[Appointment]:
    return [one for one in world.values() if isinstance(one, Appointment)]


def timetable_in(world: World, doctor_id: str) -> ScheduleRecord:
    return world.get(schedule_id(doctor_id)) or unchanged_schedule(account(doctor_id).schedule)


def against_hours(doctor: Schedule, start: datetime) -> set[str]:
    """Return the reasons of a doctor's hours against a start. All hours are UTC and the same every day."""
    found = {"doctor_unavailable"} if doctor.disabled else set()
    away = any(off.start <= start < off.end for off in doctor.time_off)
    works = any(shift.opens <= start.hour * 60 + start.minute < shift.closes for shift in doctor.shifts)
    return found | (set() if works and not away else {"outside_hours"})


def _against_arrangement(world: World, command: ScheduleChange) -> set[str]:
    doctor = timetable_in(world, command.doctor_id).current
    match command.kind:
        case "remove_time_off" if command.time_off_id not in [off.id for off in doctor.time_off]:
            return {"not_found"}
        case "disable" if doctor.disabled:
            return {"wrong_status"}
    return set()


def _against_start(world: World, doctor_id: str, patient_id: str, start: datetime, but: Appointment | None) -> set[str]:
    others = [each for each in appointments_in(world) if each.active and (but is None or each.id != but.id)]
    meets = [each for each in others if abs(each.start - start) < HALF_HOUR]
    taken = {"slot_taken"} if any(each.doctor_id == doctor_id for each in meets) else set()
    taken |= against_hours(timetable_in(world, doctor_id).current, start)
    return taken | ({"patient_busy"} if any(each.patient_id == patient_id for each in meets) else set())
