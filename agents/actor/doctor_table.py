"""The table of doctors: a copy of what the record has of their slots and hours, kept by Faust beside the commands.

A doctor has one entry per UTC day with a taken slot, `{"slots": {"09:30": appointment id, …}}`, and one with the
schedule. A booking writes one small entry. Each entry also says which event of the doctor was the last one when it was
written (`seq`, `command`), and has a `check` of all entries of the doctor. The check shows whether the entries belong
together: a worker that did not know of its successor may have overwritten some of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from hashlib import blake2b
from typing import Any

import faust
from pydantic import ValidationError

from hub.bus.topics import partition_of
from hub.records.ports import LastEvent
from hub.scheduling.schedule_record import ScheduleRecord

Entries = MutableMapping[bytes, dict[str, Any]]

_SCHEDULE = "schedule"
MAX_SCHEDULE = 200_000
"""Characters of a schedule with its history. A message of Kafka has at most a million bytes. A longer schedule is not
kept, so the first command after a take-over reads its doctor from the record."""


class DoctorPartitionedTable(faust.Table[bytes, dict[str, Any]]):
    """A Faust table that puts an entry into its doctor's partition.

    Faust takes the partition from the event that an agent is handling. These entries are written outside of an agent's
    stream, so there is no such event.
    """

    def partition_for_key(self, key: bytes) -> int:
        """Return the partition of the doctor that the key names."""
        if self.partitions is None:
            raise RuntimeError("the table was made without a number of partitions")
        return partition_of(_split(key)[0], self.partitions)


@dataclass(frozen=True)
class Remembered:
    """What the table has of a doctor: it was true when `last` was the last event of the doctor's history."""

    last: LastEvent
    schedule_record: ScheduleRecord
    slot_owners: Mapping[datetime, str]


class DoctorTable:
    """The doctors' slots and schedules on top of a mapping: the Faust table, or a dict in tests."""

    def __init__(self, entries: Entries, max_schedule: int = MAX_SCHEDULE) -> None:
        self._entries = entries
        self._max_schedule = max_schedule
        self._parts: dict[str, set[str]] = defaultdict(set)
        """The second parts of each doctor's keys: days, and the schedule."""
        self._checks: dict[str, int] = {}

    def index(self) -> None:
        """List again which entries there are; after a rebalance the table has the entries of other partitions."""
        self._parts.clear()
        self._checks.clear()
        for key in list(self._entries):
            doctor_id, part = _split(key)
            self._parts[doctor_id].add(part)

    def days(self, doctor_id: str) -> set[date]:
        """Return the days on which a slot is taken, or was taken when the doctor was last read as a whole."""
        return {date.fromisoformat(part) for part in self._parts[doctor_id] if part != _SCHEDULE}

    def slot_owners(self, doctor_id: str, days: Iterable[date]) -> dict[datetime, str]:
        """Return the id of the appointment that owns each taken start (UTC) of these days."""
        return {
            datetime.combine(day, time.fromisoformat(at), UTC): owner
            for day in days
            for at, owner in self._slots(doctor_id, day).items()
        }

    def remembered(self, doctor_id: str) -> Remembered | None:
        """Return what the table has of a doctor; None if it has nothing, or entries that do not belong together."""
        entries = [self._entry(doctor_id, part) for part in self._parts[doctor_id]]
        seq = max((entry.get("seq", 0) for entry in entries), default=0)
        check = f"{self._check(doctor_id):x}"
        newest = next((one for one in entries if one.get("seq") == seq and one.get("check") == check), None)
        schedule_record = self._schedule_record(doctor_id)
        if newest is None or schedule_record is None:
            return None
        slot_owners = self.slot_owners(doctor_id, self.days(doctor_id))
        return Remembered(LastEvent(seq, newest["command"]), schedule_record, slot_owners)

    def update(
        self,
        schedule_record: ScheduleRecord,
        last: LastEvent,
        days: Iterable[date],
        slot_owners: Mapping[datetime, str],
    ) -> None:
        """Write what has changed, up to the event `last`: the slots of these days, and the schedule.

        `slot_owners` has the slots of at least these days. What has not changed is not written.
        """
        doctor_id = schedule_record.doctor_id
        changed: dict[str, dict[str, Any] | None] = {}
        for day in days:
            slots = _of_day(slot_owners, day)
            if slots != self._slots(doctor_id, day):
                changed[day.isoformat()] = {"slots": slots}
        if self._entry(doctor_id, _SCHEDULE).get("version") != schedule_record.version:
            changed[_SCHEDULE] = self._schedule_entry(schedule_record)
        self._put(doctor_id, last, changed)

    def remove_before(self, schedule_record: ScheduleRecord, last: LastEvent, day: date) -> None:
        """Remove the days before `day`. The schedule is written again, because the check changes."""
        doctor_id = schedule_record.doctor_id
        changed: dict[str, dict[str, Any] | None]
        if changed := dict.fromkeys(one.isoformat() for one in self.days(doctor_id) if one < day):
            self._put(doctor_id, last, changed | {_SCHEDULE: self._schedule_entry(schedule_record)})

    def replace(
        self, schedule_record: ScheduleRecord, last: LastEvent | None, slot_owners: Mapping[datetime, str]
    ) -> None:
        """Replace all that the table has of a doctor by what the record says.

        Days without a taken slot are removed. Of a doctor without a history (`last` is None), nothing is kept.
        """
        doctor_id = schedule_record.doctor_id
        if last is None:
            self._put(doctor_id, LastEvent(0, ""), dict.fromkeys(self._parts[doctor_id]))
            return
        changed: dict[str, dict[str, Any] | None] = {_SCHEDULE: self._schedule_entry(schedule_record)}
        for day in self.days(doctor_id) | {start.date() for start in slot_owners}:
            slots = _of_day(slot_owners, day)
            # An entry of a later event than the last one is of a history that a restored database does not have.
            from_ahead = self._entry(doctor_id, day.isoformat()).get("seq", 0) > last.seq
            if from_ahead or slots != self._slots(doctor_id, day) or not slots:
                changed[day.isoformat()] = {"slots": slots} if slots else None
        self._put(doctor_id, last, changed)

    def _put(self, doctor_id: str, last: LastEvent, changed: Mapping[str, dict[str, Any] | None]) -> None:
        """Write these parts of a doctor; None removes a part."""
        check = self._check(doctor_id)
        for part, content in changed.items():
            if part in self._parts[doctor_id]:
                check ^= _token(part, self._entry(doctor_id, part))
            if content is not None:
                check ^= _token(part, {"seq": last.seq})
        self._checks[doctor_id] = check
        for part, content in changed.items():
            if content is None:
                self._parts[doctor_id].discard(part)
                self._entries.pop(_key(doctor_id, part), None)
            else:
                self._parts[doctor_id].add(part)
                said = {"seq": last.seq, "command": last.command_id, "check": f"{check:x}"}
                self._entries[_key(doctor_id, part)] = said | content

    def _check(self, doctor_id: str) -> int:
        """Return a number that depends on which parts the doctor has and on the `seq` of each."""
        if (known := self._checks.get(doctor_id)) is not None:
            return known
        check = 0
        for part in self._parts[doctor_id]:
            check ^= _token(part, self._entry(doctor_id, part))
        self._checks[doctor_id] = check
        return check

    def _schedule_entry(self, schedule_record: ScheduleRecord) -> dict[str, Any] | None:
        written = schedule_record.model_dump_json(by_alias=True)
        fits = len(written) <= self._max_schedule
        return {"version": schedule_record.version, "record": written} if fits else None

    def _schedule_record(self, doctor_id: str) -> ScheduleRecord | None:
        try:
            return ScheduleRecord.model_validate_json(self._entry(doctor_id, _SCHEDULE).get("record", ""))
        except ValidationError:  # missing, or written by another version of the hub
            return None

    def _slots(self, doctor_id: str, day: date) -> dict[str, str]:
        slots: dict[str, str] = self._entry(doctor_id, day.isoformat()).get("slots", {})
        return slots

    def _entry(self, doctor_id: str, part: str) -> dict[str, Any]:
        return self._entries.get(_key(doctor_id, part)) or {}


def _of_day(slot_owners: Mapping[datetime, str], day: date) -> dict[str, str]:
    return {f"{start:%H:%M}": owner for start, owner in sorted(slot_owners.items()) if start.date() == day}


def _token(part: str, entry: Mapping[str, Any]) -> int:
    # A hash: with sums of `seq`, one entry that is too old and one that is too new could hide each other.
    return int.from_bytes(blake2b(f"{part} {entry.get('seq')}".encode(), digest_size=8).digest())


def _key(doctor_id: str, part: str) -> bytes:
    return f"{doctor_id}|{part}".encode()


def _split(key: bytes) -> tuple[str, str]:
    doctor_id, _, part = key.decode().rpartition("|")
    return doctor_id, part
