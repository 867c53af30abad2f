"""Many ids asked for at once."""

from collections.abc import Collection, Iterator

_MOST = 50
"""The embedded engine compares every document that `$in` finds with all values: 564 ids took 193 ms, in parts 34."""


def in_parts(ids: Collection[str]) -> Iterator[list[str]]:
    """Return the ids in as many lists as reads should be made of them."""
    listed = list(ids)
    return (listed[first : first + _MOST] for first in range(0, len(listed), _MOST))
