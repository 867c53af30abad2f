"""The pictures in the store."""

from random import Random

from hub.records.ports import Records

LARGE = Random(7).randbytes(700_000)
"""More than one piece of those that a database cuts files into."""


async def test_a_picture_is_read_back_as_it_was_until_it_is_removed(records: Records) -> None:
    await records.photos.put("first", b"jpeg")
    await records.photos.put("second", LARGE)

    assert await records.photos.get("first") == b"jpeg"
    assert await records.photos.get("second") == LARGE

    await records.photos.remove("second")

    assert await records.photos.get("second") is None
    assert await records.photos.get("first") == b"jpeg"


async def test_what_is_not_there_is_none_and_needs_no_removing(records: Records) -> None:
    assert await records.photos.get("nothing") is None
    await records.photos.remove("nothing")
