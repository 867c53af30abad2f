"""The time at which tests begin: the machine's, or what `make test AT="2028-02-29 23:40:00"` says, in UTC.

The tests, the processes of a `Stack` and every `clinic-hub` that a test starts then have the same clock, which goes on
from that time. A browser and the engines keep the machine's time.
"""

import os
from datetime import UTC, datetime

from hub.clock import system_clock
from hub.settings import as_text, clock_settings

_AT = os.environ.get("AT")  # noqa: TID251  # asked of who runs the tests

SHOWN: dict[str, object] = clock_settings(datetime.fromisoformat(_AT).replace(tzinfo=UTC), 1.0) if _AT else {}
"""The settings of that clock; none for the machine's."""


def take_effect() -> None:
    """Let `system_clock` show that time, and all child processes that read their settings from the environment."""
    if not SHOWN:
        return
    object.__setattr__(system_clock, "base", SHOWN["clock_base"])
    object.__setattr__(system_clock, "shows", SHOWN["clock_shows"])
    os.environ |= {name.upper(): as_text(value) for name, value in SHOWN.items()}  # noqa: TID251  # for child processes
