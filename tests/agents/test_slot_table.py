"""The slot table, over a dict instead of Faust's table."""

from datetime import date, datetime, timedelta

import faust
import pytest

from agents.actor.slot_table import DoctorPartitionedTable, SlotTable
from hub.bus.topics import partition_of
from tests.agents.actor_fixtures import MONDAY, book, slot

TODAY = MONDAY.date()
TOMORROW = TODAY + timedelta(days=1)


def test_a_day_shows_what_was_written_for_it_and_nothing_of_other_days_and_doctors() -> None:
    slots = SlotTable({})
    slots.write("ada", TODAY, {slot(0): "one", slot(1): "two", slot(48): "tomorrow"})
    slots.write("ben", TODAY, {slot(0): "other"})
    assert slots.slot_owners("ada", [TODAY]) == {slot(0): "one", slot(1): "two"}
    assert slots.slot_owners("ada", [TODAY, TOMORROW]) == {slot(0): "one", slot(1): "two"}
    assert slots.slot_owners("ben", [TODAY]) == {slot(0): "other"}
    assert slots.slot_owners("zoe", [TODAY]) == {}


def test_the_last_that_is_written_counts_and_an_empty_day_leaves_no_entry() -> None:
    table: dict[bytes, dict[str, str]] = {}
    slots = SlotTable(table)
    slots.write("ada", TODAY, {slot(0): "one"})
    slots.write("ada", TODAY, {slot(1): "one"})
    assert slots.slot_owners("ada", [TODAY]) == {slot(1): "one"}
    slots.write("ada", TODAY, {})
    assert table == {}


def test_a_day_that_does_not_change_is_not_written_again() -> None:
    table = Watched()
    slots = SlotTable(table)
    for _ in range(2):
        slots.write("ada", TODAY, {slot(1): "two", slot(0): "one"})
        slots.write("ada", TOMORROW, {})
    assert table.writes == 1


def test_an_id_with_a_bar_in_the_doctors_place_is_kept_apart_from_the_day() -> None:
    slots = SlotTable({})
    slots.write("a_d-a", date(2026, 12, 31), {datetime(2026, 12, 31, 23, 30, tzinfo=MONDAY.tzinfo): "late"})
    assert list(slots.slot_owners("a_d-a", [date(2026, 12, 31)]).values()) == ["late"]


def test_correcting_makes_the_days_what_the_record_says_also_days_that_it_does_not_name() -> None:
    mine, gone = book("carl", at=0), book("dora", at=48)
    table = {b"ada|2026-06-01": {"12:00": gone.id, "13:00": gone.id}, b"ada|2026-06-02": {"12:00": gone.id}}
    slots = SlotTable(table)
    slots.index()
    slots.replace("ada", {mine.start: mine.id})
    assert table == {b"ada|2026-06-01": {"12:00": mine.id}}


async def test_correcting_one_doctor_leaves_the_others_alone() -> None:
    table = {b"ada|2026-06-01": {"12:00": "one"}, b"ben|2026-06-01": {"12:00": "two"}}
    slots = SlotTable(table)
    slots.index()
    slots.replace("ada", {})
    assert table == {b"ben|2026-06-01": {"12:00": "two"}}


@pytest.mark.parametrize("partitions", [1, 4, 8])
def test_an_entry_is_in_the_partition_of_its_doctor(partitions: int) -> None:
    app = faust.App("days", store="memory://", broker="kafka://127.0.0.1:1", Table=DoctorPartitionedTable)
    table = app.Table("days", key_type=bytes, partitions=partitions)
    assert isinstance(table, DoctorPartitionedTable)
    for number in range(50):
        key = f"doctor-{number}|2026-06-01".encode()
        assert table.partition_for_key(key) == partition_of(f"doctor-{number}", partitions)


class Watched(dict[bytes, dict[str, str]]):
    """A table that counts its writes."""

    writes = 0

    def __setitem__(self, key: bytes, value: dict[str, str]) -> None:
        self.writes += 1
        super().__setitem__(key, value)

    def pop(self, key: bytes, *default: object) -> object:
        self.writes += 1
        return super().pop(key, *default)
