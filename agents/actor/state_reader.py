"""Reads doctors from the record, and keeps what this worker knows of them between batches."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import structlog

from agents.actor.catching_up import MOST_CHANGES, caught_up, has_another_history
from agents.actor.doctor_table import DoctorTable
from agents.actor.line_reader import LineReader
from hub.clock import Clock
from hub.records.ports import LastEvent, Records
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import BookAppointment, Command, RescheduleAppointment, ScheduleChange
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.line import OfferPolicy, to_withdraw
from hub.scheduling.schedule_record import ScheduleRecord, unchanged_schedule
from hub.scheduling.waitlist_commands import (
    JoinWaitlist,
    OfferSlot,
    TendWaitlist,
    WaitlistCommand,
)

log = structlog.get_logger(__name__)

_LOOK_BACK = timedelta(hours=27)
"""How far back a doctor's slots are read. A no-show can be checked in until the end of its day, which takes back its
slot, and the longest day of any zone has 26 hours."""


@dataclass(frozen=True)
class _KnownDoctor:
    """A doctor as of this worker's last read or write: the schedule, the last `seq`, the day of the read."""

    schedule_record: ScheduleRecord
    seq: int
    read_on: date


class StateReader:
    """What the actors of one worker know of their doctors: in memory, in the table, and else in the record."""

    def __init__(self, records: Records, table: DoctorTable, clock: Clock, policy: OfferPolicy | None = None) -> None:
        self._records = records
        self._lines = LineReader(records, policy or OfferPolicy())
        self._table = table
        self._clock = clock
        self._known: dict[str, _KnownDoctor] = {}
        self._generation = 0

    @property
    def generation(self) -> int:
        """A number that changes with each `forget_all`. What was read in an older generation must not be used."""
        return self._generation

    def forget_all(self) -> None:
        """Trust nothing that was read: after a rebalance another worker may have written for any doctor."""
        self._generation += 1
        self._known.clear()
        self._lines.forget_all()
        self._table.index()

    def forget(self, doctor_id: str) -> None:
        """Read this doctor again before the next decision."""
        self._known.pop(doctor_id, None)
        self._lines.forget(doctor_id)

    def keep(self, state: DoctorState, last: LastEvent, days: Collection[date]) -> None:
        """Keep the doctor's state after a write, whose last event is `last` and which changed these UTC days.

        A doctor who has been forgotten since the state was read stays forgotten.
        """
        doctor_id = state.schedule.id
        if known := self._known.get(doctor_id):
            self._known[doctor_id] = _KnownDoctor(state.schedule_record, state.seq, known.read_on)
            self._table.update(state.schedule_record, last, days, state.slot_owners)
            self._lines.keep(doctor_id, state.line)

    async def states(self, commands: Sequence[Command]) -> dict[str, DoctorState]:
        """Return what these commands are decided against, by doctor; a doctor who does not exist is left out."""
        today = self._clock().date()
        doctor_ids = {command.doctor_id for command in commands}
        await self._read({id_ for id_ in doctor_ids if not ((k := self._known.get(id_)) and k.read_on == today)})
        await self._read_lines(commands)
        appointments = await self._named(commands)
        while behind := {each.doctor_id for each in appointments.values() if self._is_behind(each)}:
            await self._read(behind)
            await self._read_lines(commands)
            appointments = await self._named(commands)  # read again, or they could be older than the slots
        entries = await self._records.waitlist.by_ids(ids) if (ids := entries_named(commands)) else {}
        return {
            doctor_id: DoctorState(
                schedule_record=known.schedule_record,
                seq=known.seq,
                slot_owners=self._table.slot_owners(doctor_id, self._days_named(doctor_id, commands, appointments)),
                appointments={each.id: each for each in appointments.values() if each.doctor_id == doctor_id},
                line=self._lines.get(doctor_id),
                entries={each.id: each for each in entries.values() if each.doctor_id == doctor_id},
            )
            for doctor_id in doctor_ids
            if (known := self._known.get(doctor_id))
        }

    async def appointments(self, ids: Collection[str]) -> dict[str, Appointment]:
        """Return the appointments that exist among the ids, from the record."""
        return await self._records.appointments.by_ids(ids) if ids else {}

    async def current_appointments(self, ids: Collection[str]) -> dict[str, Appointment]:
        """Return the appointments that exist among the ids, and never what a former primary has of them."""
        return await self._records.appointments.current(ids) if ids else {}

    async def outdated(self, doctor_ids: Collection[str]) -> set[str]:
        """Return the doctors of whom the record has an event that this worker does not know."""
        seqs = {id_: known.seq for id_ in doctor_ids if (known := self._known.get(id_))}
        return await self._records.appointments.moved_on(seqs) if seqs else set()

    async def with_candidate(self, state: DoctorState) -> DoctorState:
        """Return the state with a line that knows whether the next one to be offered something is free."""
        return await self._lines.looked_up(state, self._clock())

    async def _read_lines(self, commands: Sequence[Command]) -> None:
        """Read the lines that commands need and that are not known."""
        needed = {each.doctor_id for each in commands if isinstance(each, WaitlistCommand)}
        if unread := {id_ for id_ in needed if id_ in self._known and self._lines.get(id_) is None}:
            generation = self._generation
            lines = await self._lines.read(unread, self._clock())
            if self._generation == generation:
                self._lines.put({id_: line for id_, line in lines.items() if id_ in self._known})

    async def _read(self, doctor_ids: Collection[str]) -> None:
        """Get to know doctors as they are now: from the table and what has changed since, and else from the record."""
        if not doctor_ids:
            return
        for doctor_id in doctor_ids:
            self._lines.forget(doctor_id)
        if rest := set(doctor_ids) - await self._catch_up(doctor_ids):
            await self._read_whole(rest)

    async def _catch_up(self, doctor_ids: Collection[str]) -> set[str]:
        """Read what has changed since the table was written, in one read for each doctor.

        Returns the doctors that are known now. The others are not in the table, or it does not fit the record.
        """
        now, generation = self._clock(), self._generation
        inside = {each: found for each in doctor_ids if (found := self._table.remembered(each))}
        read = self._records.appointments.changed_since
        changed = await asyncio.gather(*(read(id_, each.last.seq, MOST_CHANGES + 1) for id_, each in inside.items()))
        if self._generation != generation:
            return set(doctor_ids)  # what was read may be from before another worker's writes: nothing is decided on it
        known = set()
        for (doctor_id, before), changes in zip(inside.items(), changed, strict=True):
            if after := caught_up(before, changes):
                self._table.update(after.schedule_record, after.last, after.days_since(before), after.slot_owners)
                self._table.remove_before(after.schedule_record, after.last, (now - _LOOK_BACK).date())
                self._known[doctor_id] = _KnownDoctor(after.schedule_record, after.last.seq, now.date())
                known.add(doctor_id)
            elif has_another_history(before, changes):
                log.error(
                    "record_older_than_table",
                    doctor_id=doctor_id,
                    table_seq=before.last.seq,
                    action="the doctor is read from the record; see docs/operations.md if a backup was restored",
                )
        return known

    async def _read_whole(self, doctor_ids: Collection[str]) -> None:
        """Read doctors from the record, and make the table right for them."""
        now, generation, appointments = self._clock(), self._generation, self._records.appointments
        accounts = await self._records.users.by_ids(doctor_ids)
        last = dict(zip(accounts, await asyncio.gather(*map(appointments.last_event, accounts)), strict=True))
        # The seqs before the slots and the schedules: a write in between meets the fence of the seq.
        changed, slot_owners = await asyncio.gather(
            appointments.schedule_records(accounts.keys()), appointments.slot_owners(accounts.keys(), now - _LOOK_BACK)
        )
        if self._generation != generation:
            return  # what was read may be from before another worker's writes
        for doctor_id, account in accounts.items():
            if account.schedule is None:
                continue
            schedule_record = changed.get(doctor_id) or unchanged_schedule(account.schedule)
            event = last[doctor_id]
            self._table.replace(schedule_record, event, slot_owners.get(doctor_id, {}))
            self._known[doctor_id] = _KnownDoctor(schedule_record, event.seq if event else 0, now.date())

    async def _named(self, commands: Sequence[Command]) -> dict[str, Appointment]:
        """Return the appointments that the commands name or may end, and those that repeated commands have made."""
        ids = {id_ for command in commands if (id_ := self._named_by(command))}
        for doctor_id in {each.doctor_id for each in commands if isinstance(each, TendWaitlist)}:
            if (line := self._lines.get(doctor_id)) and (known := self._known.get(doctor_id)):
                ids |= {each.appointment_id for each in to_withdraw(known.schedule_record.current, line)}
        return await self.appointments(ids)

    def _named_by(self, command: Command) -> str | None:
        """Return the id of the appointment that a command names or, if it is repeated, has made."""
        if isinstance(command, OfferSlot | TendWaitlist):
            return command.id
        if isinstance(command, ScheduleChange | WaitlistCommand):
            return None
        if not isinstance(command, BookAppointment):
            return command.appointment_id
        owners = self._table.slot_owners(command.doctor_id, {command.start.date()})
        return command.id if command.id in owners.values() else None

    def _days_named(
        self, doctor_id: str, commands: Sequence[Command], appointments: Mapping[str, Appointment]
    ) -> set[date]:
        """Return the UTC days whose slots these commands of the doctor depend on or change."""
        days = {each.start.date() for each in appointments.values() if each.doctor_id == doctor_id}
        for command in commands:
            if command.doctor_id != doctor_id:
                continue
            if isinstance(command, BookAppointment | RescheduleAppointment | OfferSlot):
                days.add(command.start.date())
            elif isinstance(command, ScheduleChange | TendWaitlist):
                days |= self._table.days(doctor_id)
        return days

    def _is_behind(self, appointment: Appointment) -> bool:
        """Whether the record has an event of this doctor that this worker does not know: another worker wrote it."""
        known = self._known.get(appointment.doctor_id)
        return known is not None and appointment.last.seq > known.seq


def entries_named(commands: Sequence[Command]) -> set[str]:
    """Return the ids of the entries of the waitlist that these commands name or, if they are repeated, have made."""
    named = set()
    for command in commands:
        if isinstance(command, WaitlistCommand) and not isinstance(command, TendWaitlist):
            named.add(command.id if isinstance(command, JoinWaitlist) else command.entry_id)
    return named
