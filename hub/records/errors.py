"""The store's errors in words of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import PyMongoError


class StoreUnavailable(Exception):
    """The database did not answer, or answered that it cannot serve now; the same call may work later."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn every error of the driver that reaches the caller into `StoreUnavailable`.

    Duplicate keys are expected answers: the modules of this folder catch them before they get here.
    """
    try:
        yield
    except PyMongoError as error:
        message = f"the database did not do it: {type(error).__name__}"
        raise StoreUnavailable(message) from error
