"""The change that the program of the embedded database makes to its engine."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from secantus.storage import Storage

from hub.ops.local.embedded_database import read_indexes_once

_BY = "by_name"
_INDEXES = [*(f"other{number}" for number in range(9)), _BY]


class _Engine(Storage):
    """The engine's storage, which counts how often it reads the list of a collection's indexes."""

    read = 0

    def _iter_indexes(self, db: str, coll: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
        _Engine.read += 1
        yield from super()._iter_indexes(db, coll)


read_indexes_once(_Engine)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Storage]:
    engine = _Engine(str(tmp_path))
    for number, name in enumerate(_INDEXES[:-1]):
        engine.create_index("clinic", "people", name, {f"field{number}": 1})
    engine.create_index("clinic", "people", _BY, {"name": 1}, {"unique": True})
    _Engine.read = 0
    yield engine
    engine.close()


def test_one_write_and_one_read_read_the_list_of_indexes_once(engine: Storage) -> None:
    assert engine.insert("clinic", "people", [_person(number) for number in range(10)])[0] == 10
    assert _Engine.read == 1
    changed = engine.update_matching("clinic", "people", {"_id": 3, "version": 1}, _person(3, version=2))
    assert (changed["modified"], _Engine.read) == (1, 2)
    assert [one["version"] for one in engine.find_matching("clinic", "people", {"name": "name 3"})] == [2]
    assert _Engine.read == 3


def test_an_index_is_used_from_the_operation_after_its_building(engine: Storage) -> None:
    engine.insert("clinic", "people", [_person(1)])
    engine.create_index("clinic", "people", "by_version", {"version": 1}, {"unique": True})
    (refused,) = engine.insert("clinic", "people", [_person(2)])[1]
    assert refused["code"] == 11000
    engine.drop_index("clinic", "people", "by_version")
    assert engine.insert("clinic", "people", [_person(2)]) == (1, [])


def test_the_mark_that_an_index_has_met_an_array_is_seen_within_the_operation(engine: Storage) -> None:
    people = [_person(1), {"_id": 2, "name": ["b", "c"]}, {"_id": 3, "name": ["d", "b"]}]
    inserted, refused = engine.insert("clinic", "people", people)
    assert (inserted, [one["code"] for one in refused]) == (2, [11000])
    assert _Engine.read == 2  # and again when the index was marked
    assert [one["_id"] for one in engine.find_matching("clinic", "people", {"name": "c"})] == [2]


def test_an_index_that_is_built_while_others_write_has_every_document(engine: Storage) -> None:
    def write(begin: int) -> None:
        for number in range(begin, begin + 200):
            engine.insert("clinic", "people", [_person(number, version=number)])
            again = _person(number, version=number + 10_000)
            assert engine.update_matching("clinic", "people", {"_id": number}, again)["modified"] == 1

    with ThreadPoolExecutor() as threads:
        writers = [threads.submit(write, begin) for begin in (0, 1000, 2000)]
        for _ in range(5):
            engine.create_index("clinic", "people", "by_version", {"version": 1})
            engine.drop_index("clinic", "people", "by_version")
        engine.create_index("clinic", "people", "by_version", {"version": 1})
        for writer in writers:
            writer.result()
    for number in (*range(200), *range(1000, 1200), *range(2000, 2200)):
        found = engine.find_matching("clinic", "people", {"version": number + 10_000})
        assert [one["_id"] for one in found] == [number]
        assert engine.find_matching("clinic", "people", {"version": number}) == []


def _person(number: int, version: int = 1) -> dict[str, Any]:
    return {"_id": number, "name": f"name {number}", "version": version}
