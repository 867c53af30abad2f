"""The table of doctors, over a dict instead of Faust's table."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import faust
import pytest

from agents.actor.doctor_table import DoctorPartitionedTable, DoctorTable, Remembered
from hub.bus.topics import partition_of
from hub.records.ports import LastEvent
from hub.scheduling.schedule_record import ScheduleRecord, unchanged_schedule
from tests.agents.actor_fixtures import MONDAY, account, slot

TODAY = MONDAY.date()
TOMORROW = TODAY + timedelta(days=1)
ADA, BEN = (unchanged_schedule(account(name).schedule) for name in ("ada", "ben"))
Entries = dict[bytes, dict[str, Any]]


def at(seq: int) -> LastEvent:
    """Return a last event with this `seq`."""
    return LastEvent(seq, f"command-{seq}")


def read_anew(entries: Entries) -> DoctorTable:
    """Return the table of a worker that takes over."""
    table = DoctorTable(entries)
    table.index()
    return table


def test_a_day_shows_what_was_written_for_it_and_nothing_of_other_days_and_doctors() -> None:
    table = DoctorTable({})
    table.update(ADA, at(1), [TODAY], {slot(0): "one", slot(1): "two", slot(48): "tomorrow"})
    table.update(BEN, at(1), [TODAY], {slot(0): "other"})
    assert table.slot_owners("ada", [TODAY]) == {slot(0): "one", slot(1): "two"}
    assert table.slot_owners("ada", [TODAY, TOMORROW]) == {slot(0): "one", slot(1): "two"}
    assert table.slot_owners("ben", [TODAY]) == {slot(0): "other"}
    assert table.slot_owners("zoe", [TODAY]) == {}


def test_what_is_not_changed_is_not_written_again() -> None:
    entries = Watched()
    table = DoctorTable(entries)
    for seq in (1, 2):
        table.update(ADA, at(seq), [TODAY, TOMORROW], {slot(1): "two", slot(0): "one"})
    assert entries.writes == ["2026-06-01", "schedule"]
    table.update(ADA, at(3), [TODAY], {})
    assert entries.writes == ["2026-06-01", "schedule", "2026-06-01"]


def test_what_was_written_is_remembered_by_the_worker_that_takes_over() -> None:
    entries: Entries = {}
    table = DoctorTable(entries)
    table.update(ADA, at(1), [TODAY], {slot(0): "one"})
    table.update(BEN, at(7), [TODAY], {slot(3): "other"})
    table.update(ADA, at(2), [TOMORROW], {slot(48): "two"})
    assert read_anew(entries).remembered("ada") == Remembered(at(2), ADA, {slot(0): "one", slot(48): "two"})
    table.update(ADA, at(3), [TODAY], {})
    assert read_anew(entries).remembered("ada") == Remembered(at(3), ADA, {slot(48): "two"})
    changed = ADA.model_copy(update={"version": 1, "current": ADA.current.model_copy(update={"disabled": True})})
    table.update(changed, at(4), [], {})
    assert read_anew(entries).remembered("ada") == Remembered(at(4), changed, {slot(48): "two"})
    assert read_anew(entries).remembered("zoe") is None


def test_a_doctor_who_is_read_as_a_whole_is_remembered_as_read() -> None:
    entries: Entries = {b"ada|2026-06-01": {"12:00": "old format"}, b"ada|2026-06-02": {"seq": 9, "slots": {}}}
    table = read_anew(entries)
    assert table.remembered("ada") is None
    table.replace(ADA, at(5), {slot(0): "one"})
    assert read_anew(entries).remembered("ada") == Remembered(at(5), ADA, {slot(0): "one"})
    assert set(entries) == {b"ada|2026-06-01", b"ada|schedule"}
    table.replace(ADA, None, {})
    assert entries == {}


def test_replacing_one_doctor_leaves_the_others_alone() -> None:
    entries: Entries = {}
    table = DoctorTable(entries)
    for doctor in (ADA, BEN):
        table.update(doctor, at(1), [TODAY], {slot(0): "one"})
    table.replace(ADA, at(2), {})
    assert read_anew(entries).remembered("ben") == Remembered(at(1), BEN, {slot(0): "one"})
    assert read_anew(entries).remembered("ada") == Remembered(at(2), ADA, {})


def test_days_that_are_over_are_removed_and_the_rest_is_still_remembered() -> None:
    entries: Entries = {}
    table = DoctorTable(entries)
    table.update(ADA, at(1), [TODAY, TOMORROW], {slot(0): "one", slot(48): "two"})
    table.remove_before(ADA, at(1), TOMORROW)
    assert read_anew(entries).remembered("ada") == Remembered(at(1), ADA, {slot(48): "two"})
    assert set(entries) == {b"ada|2026-06-02", b"ada|schedule"}


@pytest.mark.parametrize("part", ["2026-06-01", "2026-06-02", "schedule"])
@pytest.mark.parametrize(
    "lost",
    [
        pytest.param(lambda entries, _, key: entries.pop(key), id="gone"),
        pytest.param(lambda entries, before, key: entries.update({key: before[key]}), id="overwritten"),
    ],
)
def test_entries_that_do_not_belong_together_are_not_believed(
    part: str, lost: Callable[[Entries, Entries, bytes], object]
) -> None:
    entries: Entries = {}
    table = DoctorTable(entries)
    disabled = ADA.current.model_copy(update={"disabled": True})
    changed = ADA.model_copy(update={"version": 1, "current": disabled})
    table.update(ADA, at(1), [TODAY, TOMORROW], {slot(0): "one", slot(48): "two"})
    before = dict(entries)
    table.update(changed, at(2), [TODAY, TOMORROW], {slot(1): "one", slot(49): "two"})
    assert read_anew(entries).remembered("ada")
    lost(entries, before, f"ada|{part}".encode())
    assert read_anew(entries).remembered("ada") is None


def test_a_day_that_should_be_gone_is_noticed() -> None:
    entries: Entries = {}
    table = DoctorTable(entries)
    table.update(ADA, at(1), [TODAY, TOMORROW], {slot(0): "one", slot(48): "two"})
    removed = entries[b"ada|2026-06-01"]
    table.replace(ADA, at(2), {slot(48): "two"})
    entries[b"ada|2026-06-01"] = removed
    assert read_anew(entries).remembered("ada") is None


def test_a_schedule_that_is_too_long_for_a_message_is_not_kept() -> None:
    entries: Entries = {}
    DoctorTable(entries, max_schedule=10).update(ADA, at(1), [TODAY], {slot(0): "one"})
    assert set(entries) == {b"ada|2026-06-01"}
    assert read_anew(entries).remembered("ada") is None


def test_a_schedule_in_a_form_that_is_not_known_is_not_believed() -> None:
    entries: Entries = {}
    DoctorTable(entries).update(ADA, at(1), [TODAY], {slot(0): "one"})
    entries[b"ada|schedule"] |= {"record": '{"id": "timetable:ada"}'}
    assert read_anew(entries).remembered("ada") is None


def test_an_id_with_a_bar_in_the_doctors_place_is_kept_apart_from_the_day() -> None:
    table = DoctorTable({})
    late = datetime(2026, 12, 31, 23, 30, tzinfo=MONDAY.tzinfo)
    table.update(of("a|da"), at(1), [late.date()], {late: "late"})
    assert list(table.slot_owners("a|da", [date(2026, 12, 31)]).values()) == ["late"]


@pytest.mark.parametrize("partitions", [1, 4, 8])
def test_an_entry_is_in_the_partition_of_its_doctor(partitions: int) -> None:
    app = faust.App("days", store="memory://", broker="kafka://127.0.0.1:1", Table=DoctorPartitionedTable)
    table = app.Table("days", key_type=bytes, partitions=partitions)
    assert isinstance(table, DoctorPartitionedTable)
    for number in range(50):
        for part in ("2026-06-01", "schedule"):
            key = f"doctor-{number}|{part}".encode()
            assert table.partition_for_key(key) == partition_of(f"doctor-{number}", partitions)


def of(doctor_id: str) -> ScheduleRecord:
    return ADA.model_copy(update={"doctor_id": doctor_id})


class Watched(dict[bytes, dict[str, Any]]):
    """A table that lists the parts of its writes."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def __setitem__(self, key: bytes, value: dict[str, Any]) -> None:
        self.writes.append(key.decode().rpartition("|")[2])
        super().__setitem__(key, value)

    def pop(self, key: bytes, *default: object) -> object:
        self.writes.append(f"-{key.decode().rpartition('|')[2]}")
        return super().pop(key, *default)
