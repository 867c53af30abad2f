"""An api process that drops every other notice, and those in replies, while its fault switch is on."""

from itertools import count

import structlog

from api import __main__ as api
from hub.bus.feed import Feed
from hub.bus.messages import Notice
from tests.tools.nemesis.control import LOGGED, is_asked

log = structlog.get_logger(__name__)
_receive = Feed.receive
_told = Feed.told
_turn = count()


def _lose_some(self: Feed, notice: Notice) -> None:
    if is_asked("lose-notices-at-api") and next(_turn) % 2 == 0:
        log.info(LOGGED["lose-notices-at-api"], doctor_id=notice.doctor_id, seq=notice.event.seq)
    else:
        _receive(self, notice)


def _lose_told(self: Feed, notice: Notice) -> None:
    if not is_asked("lose-notices-at-api"):
        _told(self, notice)


def main() -> None:
    Feed.receive = _lose_some
    Feed.told = _lose_told
    api.main()


if __name__ == "__main__":
    main()
