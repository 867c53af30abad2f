"""Runs SecantusDB, the embedded database, so that an operation reads once which indexes its collection has.

Of itself the engine reads and decodes the list of all indexes some ten times for each document that it inserts, and
some thirty times for each that it replaces: with the twelve indexes of the appointments that is a third of an insert's
CPU time and half of a replacement's (docs/performance.md). There is no setting for it, so this program changes methods
of the engine, whose version is fixed in `pyproject.toml`. A write holds the lock of its collection, which building and
dropping an index take as well, and a read has one snapshot: within one operation the list stays the same, but for the
mark that an index has met an array.
"""

import sys
import threading
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from secantus import cli
from secantus.storage import Storage, _retry_write_conflicts

_Index = tuple[str, dict[str, Any], dict[str, Any]]
"""Name, fields and options."""
_Lists = dict[tuple[str, str], list[_Index]]
"""The indexes that the operation has read, by database and collection."""

_READ_LIST, _MARK = "_iter_indexes", "_maybe_mark_multikey"
_READS = ("find_matching",)
_WRITES = (
    "_insert_chunk",
    "_update_chunk",
    "_update_matching_single_txn",
    "_delete_chunk",
    "_delete_matching_single_txn",
)
"""One transaction each, which the engine repeats when it meets another one."""


class _Operation(threading.local):
    """What the operation of this thread has read; the engine has a thread for each connection."""

    lists: _Lists | None = None


def read_indexes_once(storage: type[Storage] = Storage) -> None:
    """Change the engine's storage in this process."""
    operation = _Operation()
    read: Callable[[Storage, str, str], Iterable[_Index]] = getattr(storage, _READ_LIST)
    mark: Callable[..., set[str]] = getattr(storage, _MARK)

    def of_operation(self: Storage, database: str, collection: str) -> Iterable[_Index]:
        if operation.lists is None:
            return read(self, database, collection)
        if (database, collection) not in operation.lists:
            operation.lists[database, collection] = list(read(self, database, collection))
        return operation.lists[database, collection]

    def marked(self: Storage, *args: Any) -> set[str]:
        known = len(args[-1])
        marks = mark(self, *args)
        if len(marks) > known and operation.lists is not None:
            operation.lists.clear()
        return marks

    def one_operation(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def run(*args: Any, **named: Any) -> Any:
            outer, operation.lists = operation.lists, {}
            try:
                return function(*args, **named)
            finally:
                operation.lists = outer

        return run

    setattr(storage, _READ_LIST, of_operation)
    setattr(storage, _MARK, marked)
    for name in _READS:
        setattr(storage, name, one_operation(getattr(storage, name)))
    for name in _WRITES:  # below the repetition, so that each attempt reads the list of its own snapshot
        setattr(storage, name, _retry_write_conflicts(one_operation(getattr(storage, name).__wrapped__)))


if __name__ == "__main__":
    read_indexes_once()
    sys.exit(cli.main())
