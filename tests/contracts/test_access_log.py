"""The lines of the access log."""

from datetime import timedelta

from hub.accounts.access import EVERY_DOCTOR, AccessEntry
from hub.records.ports import Records
from tests.contracts.histories import NINE

LATER = NINE + timedelta(days=400)


def line(id_: str, minutes: int, **more: object) -> AccessEntry:
    at = NINE + timedelta(minutes=minutes)
    return AccessEntry(id=id_, at=at, action="patient_shown", expires_at=LATER, **more)  # type: ignore[arg-type]


LINES = [
    line("a", 0, by="robin", people=("carl", "dora")),
    line("b", 10, by="rosa", people=("dora",)),
    line("c", 20, by="robin", same_as="a"),
    line("d", 30, by="robin", doctors=("ada",)),
    line("e", 40, by="robin", doctors=(EVERY_DOCTOR,)),
]


def ids(entries: list[AccessEntry]) -> str:
    return "".join(entry.id for entry in entries)


async def test_lines_are_found_by_whose_data_it_was_and_by_who_did_it(records: Records) -> None:
    await records.access_log.add(LINES)
    log, end = records.access_log, NINE + timedelta(hours=1)
    assert await log.about("carl", NINE, end) == [LINES[0], LINES[2]]
    assert ids(await log.about("dora", NINE, end)) == "abc"
    assert ids(await log.about("dora", NINE + timedelta(minutes=10), end)) == "bc"
    assert ids(await log.about("dora", NINE, NINE + timedelta(minutes=10))) == "a"
    assert ids(await log.by("robin", NINE, NINE + timedelta(minutes=35))) == "acd"
    assert ids(await log.streams(["ada"])) == "de"
    assert ids(await log.streams(["ben"])) == "e"
    assert (await log.by_ids(["b", "x"])).keys() == {"b"}


async def test_a_line_that_is_written_twice_is_there_once_as_it_was_first(records: Records) -> None:
    await records.access_log.add(LINES[:2])
    await records.access_log.add([line("a", 5, by="mallory"), LINES[2]])
    assert ids(await records.access_log.by("robin", NINE, LATER)) == "ac"
    assert await records.access_log.by("mallory", NINE, LATER) == []
    await records.access_log.add([])


async def test_the_addresses_of_an_erased_person_are_removed(records: Records) -> None:
    own = line("own", 0, by="carl", people=("carl",), address="192.0.2.1")
    refused = line("refused", 1, people=("carl",), address="192.0.2.2")
    staff = line("staff", 2, by="robin", people=("carl",), address="192.0.2.3")
    await records.access_log.add([own, refused, staff])
    await records.access_log.forget_addresses("carl")
    found = await records.access_log.by_ids(["own", "refused", "staff"])
    assert {id_: each.address for id_, each in found.items()} == {"own": None, "refused": None, "staff": "192.0.2.3"}
