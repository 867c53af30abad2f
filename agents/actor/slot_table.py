"""The table of slot owners by doctor and day: a copy of what the record has, kept by Faust beside the commands.

There is one entry per doctor and UTC day, so that a booking writes one small entry: `{"09:30": appointment id, …}`.
Right after a rebalance the entries may be out of date; `SlotTable.replace` makes those of one doctor right.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, MutableMapping
from datetime import UTC, date, datetime, time

import faust

from hub.bus.topics import partition_of

Entries = MutableMapping[bytes, dict[str, str]]


class DoctorPartitionedTable(faust.Table[bytes, dict[str, str]]):
    """A Faust table that puts an entry into its doctor's partition.

    Faust takes the partition from the event that an agent is handling. These entries are written outside of an agent's
    stream, so there is no such event.
    """

    def partition_for_key(self, key: bytes) -> int:
        """Return the partition of the doctor that the key names."""
        if self.partitions is None:
            raise RuntimeError("the table was made without a number of partitions")
        return partition_of(_doctor_of(key), self.partitions)


class SlotTable:
    """The owners of taken slots by doctor and UTC day, on top of a mapping: the Faust table, or a dict in tests."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries
        self._days: dict[str, set[date]] = defaultdict(set)

    def index(self) -> None:
        """List again which entries there are; after a rebalance the table has the entries of other partitions."""
        self._days.clear()
        for key in list(self._entries):
            self._days[_doctor_of(key)].add(_day_of(key))

    def days(self, doctor_id: str) -> set[date]:
        """Return the days on which at least one slot is taken."""
        return set(self._days[doctor_id])

    def slot_owners(self, doctor_id: str, days: Iterable[date]) -> dict[datetime, str]:
        """Return the id of the appointment that owns each taken start (UTC) of these days."""
        return {
            datetime.combine(day, time.fromisoformat(at), UTC): owner
            for day in days
            for at, owner in self._entry(doctor_id, day).items()
        }

    def write(self, doctor_id: str, day: date, slot_owners: Mapping[datetime, str]) -> None:
        """Replace a day's entry by those of `slot_owners` that start on it. An unchanged day is not written."""
        entry = {f"{start:%H:%M}": owner for start, owner in sorted(slot_owners.items()) if start.date() == day}
        if entry == self._entry(doctor_id, day):
            return
        if entry:
            self._days[doctor_id].add(day)
            self._entries[_key(doctor_id, day)] = entry
        else:
            self._days[doctor_id].discard(day)
            self._entries.pop(_key(doctor_id, day), None)

    def replace(self, doctor_id: str, slot_owners: Mapping[datetime, str]) -> None:
        """Replace all of a doctor's days by what the record says. Days without a taken slot are removed."""
        by_day: dict[date, dict[datetime, str]] = defaultdict(dict)
        for start, owner in slot_owners.items():
            by_day[start.date()][start] = owner
        for day in self._days[doctor_id] | by_day.keys():
            self.write(doctor_id, day, by_day.get(day, {}))

    def _entry(self, doctor_id: str, day: date) -> dict[str, str]:
        return self._entries.get(_key(doctor_id, day)) or {}


def _key(doctor_id: str, day: date) -> bytes:
    return f"{doctor_id}|{day.isoformat()}".encode()


def _doctor_of(key: bytes) -> str:
    return key.decode().rpartition("|")[0]


def _day_of(key: bytes) -> date:
    return date.fromisoformat(key.decode().rpartition("|")[2])
