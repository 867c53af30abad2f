"""An api process that drops every fifth notice from the bus, as an emptied broker does, and those in replies."""

from itertools import count

from api import __main__ as api
from hub.bus.feed import Feed
from hub.bus.messages import Notice

_receive = Feed.receive
_turn = count(1)


def _lose_some(self: Feed, notice: Notice) -> None:
    if next(_turn) % 5:
        _receive(self, notice)


def _lose(_self: Feed, _notice: Notice) -> None:
    pass


def main() -> None:
    Feed.receive = _lose_some
    Feed.told = _lose
    api.main()


if __name__ == "__main__":
    main()
