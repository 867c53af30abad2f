"""The time at which tests begin: the machine's, or what `make test AT="2028-02-29 23:40:00"` says, in UTC.

The tests and the processes of a `Stack` then have the same clock, which goes on from that time. Browsers, engines and
programs that a test starts without a `Stack` keep the machine's time.
"""

import os
from datetime import UTC, datetime

import pytest

from hub.clock import system_clock
from hub.settings import clock_settings

_AT = os.environ.get("AT")  # noqa: TID251  # asked of who runs the tests

SHOWN: dict[str, object] = clock_settings(datetime.fromisoformat(_AT).replace(tzinfo=UTC), 1.0) if _AT else {}
"""The settings of that clock; none for the machine's."""

on_machines_clock = pytest.mark.skipif(
    bool(SHOWN), reason="about programs of others, or engines, which have the machine's clock"
)


def take_effect() -> None:
    """Let `system_clock` show that time."""
    if not SHOWN:
        return
    object.__setattr__(system_clock, "base", SHOWN["clock_base"])
    object.__setattr__(system_clock, "shows", SHOWN["clock_shows"])
