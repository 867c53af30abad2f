"""A store in memory that does not answer for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from hub.records.errors import StoreUnavailable
from hub.records.memory import MemoryRecords
from hub.records.ports import Records


class _Away:
    def __getattr__(self, name: str) -> object:
        raise StoreUnavailable("the database does not answer")


@contextmanager
def away(records: Records) -> Iterator[None]:
    """Let no read or write of appointments and users succeed inside the block."""
    assert isinstance(records, MemoryRecords)
    real = records.appointments, records.users
    records.appointments = records.users = _Away()  # type: ignore[assignment]
    try:
        yield
    finally:
        records.appointments, records.users = real
