"""An api process that gets every notice 20 s late. What it asked for itself comes in the replies, at once."""

import asyncio

from api import __main__ as api
from hub.bus.feed import Feed
from hub.bus.messages import Notice

_LATE = 20.0
"""Seconds."""
_receive = Feed.receive


def _receive_late(self: Feed, notice: Notice) -> None:
    asyncio.get_running_loop().call_later(_LATE, _receive, self, notice)


def main() -> None:
    Feed.receive = _receive_late
    api.main()


if __name__ == "__main__":
    main()
