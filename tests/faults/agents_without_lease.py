"""An agents process without a lease: it decides whatever it can fetch, and learns late that it lost its partitions."""

import asyncio
import time

from aiokafka.consumer.group_coordinator import GroupCoordinator

from agents import __main__ as agents
from agents.transport import HubApp

_STOPPED, _LATE = 1.0, 3.0
"""Seconds. After one second without a heartbeat, the process was stopped; then it delays the next by three."""

_heartbeat = GroupCoordinator._do_heartbeat
_last = [time.monotonic()]


async def _after_a_stop_late(self: GroupCoordinator) -> bool:
    if time.monotonic() - _last[0] > _STOPPED:
        await asyncio.sleep(_LATE)
    known = bool(await _heartbeat(self))
    _last[0] = time.monotonic()
    return known


def main() -> None:
    HubApp.holds_lease = lambda _: True
    GroupCoordinator._do_heartbeat = _after_a_stop_late
    agents.main()


if __name__ == "__main__":
    main()
