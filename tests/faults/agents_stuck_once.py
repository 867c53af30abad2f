"""An agents process whose table recovery stalls at its first start: it waits for entries that do not exist.

There is a file (STUCK_WHILE) until then, so that whoever begins anew is well.
"""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from faust.tables.recovery import Recovery
from faust.types import TP

from agents import __main__ as agents

_NOT_THERE = 3
_build_highwaters = Recovery._build_highwaters


async def _too_far(self: Recovery, consumer: Any, tps: Collection[TP], destination: Any, title: str) -> None:
    await _build_highwaters(self, consumer, tps, destination, title)
    for partition in destination:
        destination[partition] += _NOT_THERE


if __name__ == "__main__":
    mark = Path(os.environ["STUCK_WHILE"])  # noqa: TID251  # only the test knows it
    if mark.exists():
        mark.unlink()
        Recovery._build_highwaters = _too_far
    agents.main()
