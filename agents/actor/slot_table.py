"""The table of the doctors' days: who holds which slot. A mirror of the record, kept by Faust beside the commands.

One entry a doctor and UTC day, so that a booking writes one small entry: `{"09:30": appointment id, …}`.
Right after a rebalance the entries are a guess; `Days.correct` makes a doctor's true.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, MutableMapping
from datetime import UTC, date, datetime, time

import faust

from hub.bus.topics import partition_of

Entries = MutableMapping[bytes, dict[str, str]]


class DoctorTable(faust.Table[bytes, dict[str, str]]):
    """Puts an entry into its doctor's partition; written outside of an agent's stream, Faust could not tell which."""

    def partition_for_key(self, key: bytes) -> int:
        """Return the partition of the doctor that the key names."""
        if self.partitions is None:
            raise RuntimeError("the table was made without a number of partitions")
        return partition_of(_doctor_of(key), self.partitions)


class Days:
    """The slots that are held, by doctor and UTC day, on top of a mapping: the Faust table, or a dict in tests."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries
        self._days: dict[str, set[date]] = defaultdict(set)

    def look_over(self) -> None:
        """Learn which entries there are; after a rebalance the table holds others."""
        self._days.clear()
        for key in list(self._entries):
            self._days[_doctor_of(key)].add(_day_of(key))

    def of(self, doctor_id: str) -> set[date]:
        """Return the days on which anything is held."""
        return set(self._days[doctor_id])

    def slot_owners(self, doctor_id: str, days: Iterable[date]) -> dict[datetime, str]:
        """Return which appointment holds each taken start (UTC) of these days."""
        return {
            datetime.combine(day, time.fromisoformat(at), UTC): holder
            for day in days
            for at, holder in self._entry(doctor_id, day).items()
        }

    def write(self, doctor_id: str, day: date, slot_owners: Mapping[datetime, str]) -> None:
        """Replace what is held on a day by those of `holders` that start on it; unchanged days cost nothing."""
        entry = {f"{start:%H:%M}": holder for start, holder in sorted(slot_owners.items()) if start.date() == day}
        if entry == self._entry(doctor_id, day):
            return
        if entry:
            self._days[doctor_id].add(day)
            self._entries[_key(doctor_id, day)] = entry
        else:
            self._days[doctor_id].discard(day)
            self._entries.pop(_key(doctor_id, day), None)

    def correct(self, doctor_id: str, slot_owners: Mapping[datetime, str]) -> None:
        """Make the doctor's days what the record says; days that are over go."""
        by_day: dict[date, dict[datetime, str]] = defaultdict(dict)
        for start, holder in slot_owners.items():
            by_day[start.date()][start] = holder
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
