"""Translates errors of the database driver to errors of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import pymongo
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

DUPLICATE_KEY = 11000
"""The error code of a write that violates a unique index."""
CALL_TIMEOUT = 5.0
"""Seconds for one call, including the wait for a thread, for a connection and for a new primary."""
_PERMANENT = frozenset(
    {
        11,  # UserNotFound
        13,  # Unauthorized
        18,  # AuthenticationFailed
        20,  # IllegalOperation: retryable writes without a replica set
        59,  # CommandNotFound
        67,  # CannotCreateIndex
        72,  # InvalidOptions
        85,  # IndexOptionsConflict: another index has the fields of one of our indexes
        86,  # IndexKeySpecsConflict: another index has its name
        115,  # CommandNotSupported
        197,  # InvalidIndexSpecificationOption
        303,  # FeatureNotSupported
        8000,  # AtlasError: wrong credentials
    }
)
"""Error codes that persist until an operator changes something."""


class StoreUnavailable(Exception):
    """The database did not answer, or cannot serve the call now. The same call may succeed later."""


class BrokenRecord(Exception):
    """The stored data is not valid. The same call fails until an operator corrects it. The message says what."""


class DatabaseRefuses(BrokenRecord):
    """The database does not support or allow something that the hub needs: a login, a privilege, a command, an index.

    The message contains the server's own words. A process that gets it must end, because no retry can succeed.
    """


@contextmanager
def translated(within: float | None = CALL_TIMEOUT) -> Iterator[None]:
    """Limit the block to `within` seconds, and translate every error of the driver that leaves it.

    With None, an operation may take any time once a server has been selected. Modules of this folder catch expected
    duplicate keys inside the block.
    """
    try:
        # The driver's own timeouts start with an operation. All of Motor's few threads may be waiting for a paused
        # database. This timeout includes the time in the queue for a thread.
        with pymongo.timeout(within):
            yield
    except PyMongoError as error:
        # Not chained: the driver's error contains documents with addresses and password hashes.
        raise _translate(error) from None


def _server_words(error: OperationFailure) -> str:
    """Return the server's error message without the documents and commands that it quotes."""
    said = str((error.details or {}).get("errmsg") or f"code {error.code}")
    shown, depth = [], 0
    for letter in said:
        depth += letter == "{"
        if not depth:
            shown.append(letter)
        elif letter == "}":
            depth -= 1
            shown += "{…}" if not depth else ""
    return "".join(shown)


def duplicate_at(error: BulkWriteError) -> int:
    """Return the number of writes before the one that violated a unique index. Re-raises any other failure."""
    problems, unsure = error.details["writeErrors"], error.details["writeConcernErrors"]
    if unsure or not problems or problems[0]["code"] != DUPLICATE_KEY:
        raise error
    return int(problems[0]["index"])


def _translate(error: PyMongoError) -> StoreUnavailable | DatabaseRefuses:
    match error:
        case ConfigurationError():
            return DatabaseRefuses(f"the driver does not support this database: {error}")
        case OperationFailure(code=code) if code in _PERMANENT:
            return DatabaseRefuses(f"the database refuses: {_server_words(error)} (code {code})")
        case ServerSelectionTimeoutError():
            return StoreUnavailable(
                f"MongoDB does not answer: {_place(error)}. Is it running, and does MONGODB_URL name it?"
            )
        case _:
            return StoreUnavailable(f"the database call failed: {_description(error)}")


def _place(error: ConnectionFailure) -> str:
    """Return the server's address and what is wrong with it, without the driver's settings."""
    return str(error).partition(" (configured timeouts")[0].partition(",")[0]


def _description(error: PyMongoError) -> str:
    """Describe an error without private data: its type, and the server's address and problem or the server's code."""
    name = type(error).__name__
    match error:
        case ConnectionFailure():
            return f"{name}, {_place(error)}"
        case BulkWriteError():
            return f"{name}, codes {sorted({problem['code'] for problem in error.details.get('writeErrors', ())})}"
        case OperationFailure():
            return f"{name}, code {error.code}"
        case _:
            return name
