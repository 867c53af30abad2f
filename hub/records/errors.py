"""The store's errors in words of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import pymongo
from pymongo.errors import (
    BulkWriteError,
    ClientBulkWriteException,
    ConfigurationError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
)

DUPLICATE_KEY = 11000
"""The code of a write that met a unique index."""
ANSWER_WITHIN = 5.0
"""Seconds the database has for one call, everything included: waiting for a thread, a connection, a new primary."""
_PERMANENT = frozenset(
    {
        11,  # UserNotFound
        13,  # Unauthorized
        18,  # AuthenticationFailed
        20,  # IllegalOperation: retryable writes where there is no replica set
        59,  # CommandNotFound
        67,  # CannotCreateIndex
        72,  # InvalidOptions
        85,  # IndexOptionsConflict: the fields of one of our indexes are taken by another one
        86,  # IndexKeySpecsConflict: the name is
        115,  # CommandNotSupported
        197,  # InvalidIndexSpecificationOption
        303,  # FeatureNotSupported
        8000,  # AtlasError: the log-in is wrong
    }
)
"""Codes of answers that stay the same until a person has changed something."""


class StoreUnavailable(Exception):
    """The database did not answer, or answered that it cannot serve now; the same call may work later."""


class BrokenRecord(Exception):
    """What is stored is not as it must be. The same call fails until a person has mended it; the message says what."""


class DatabaseRefuses(BrokenRecord):
    """The database lacks what the hub needs, or does not allow it: a log-in, a right, a command, a kind of index.

    The message has the server's own words. A process that meets it ends: no later attempt would fare better.
    """


@contextmanager
def translated(within: float | None = ANSWER_WITHIN) -> Iterator[None]:
    """Give the database `within` seconds, and turn every error of the driver that gets here into one of ours.

    None lets an operation take as long as it needs once a server has been found.
    Duplicate keys are expected answers: the modules of this folder catch them before they get here.
    """
    try:
        # The driver's own time-outs begin when an operation begins. Motor's few threads may all wait for a paused
        # database; a deadline set here also counts the time in the queue behind them.
        with pymongo.timeout(within):
            yield
    except PyMongoError as error:
        # Not chained: the driver's text and details hold documents, and those hold addresses and password hashes.
        raise _ours(_cause(error)) from None


def _server_words(error: OperationFailure) -> str:
    """Return what the server said, without the documents and commands that it quotes."""
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


def duplicate_at(error: BulkWriteError | ClientBulkWriteException) -> int:
    """Return how many writes came before the one that met a unique index. Re-raises any other failure."""
    problems, unsure = error.details["writeErrors"], error.details["writeConcernErrors"]
    whole = error.details.get("error")
    if whole or unsure or not problems or problems[0]["code"] != DUPLICATE_KEY:
        raise error
    return int(problems[0]["index" if isinstance(error, BulkWriteError) else "idx"])


def _ours(error: PyMongoError) -> StoreUnavailable | DatabaseRefuses:
    match error:
        case ConfigurationError():
            return DatabaseRefuses(f"the driver cannot work with this database: {error}")
        case OperationFailure(code=code) if code in _PERMANENT:
            return DatabaseRefuses(f"the database refuses: {_server_words(error)} (code {code})")
        case _:
            return StoreUnavailable(f"the database did not do it: {_named(error)}")


def _cause(error: PyMongoError) -> PyMongoError:
    """Return what stopped a `bulkWrite` command as a whole, where that is an error of the driver."""
    if isinstance(error, ClientBulkWriteException) and isinstance(error.error, PyMongoError):
        return error.error
    return error


def _named(error: PyMongoError) -> str:
    """Return what may be logged of an error: its type, then the server's address and trouble or the server's code."""
    name = type(error).__name__
    match error:
        case ConnectionFailure():
            return f"{name}, {str(error).partition(',')[0]}"
        case BulkWriteError() | ClientBulkWriteException():
            return f"{name}, codes {sorted({problem['code'] for problem in error.details.get('writeErrors', ())})}"
        case OperationFailure():
            return f"{name}, code {error.code}"
        case _:
            return name
