"""An api process that drops notices and never reads the missing ones from the record."""

from hub.bus.feed import Feed, _Doctor
from hub.bus.messages import Notice
from tests.faults import api_losing_notices


def _as_they_come(self: Feed, notice: Notice) -> None:
    self._deliver_new(notice)


async def _never(self: Feed, _doctor_id: str, doctor: _Doctor) -> int:  # noqa: ARG001 -- as what it stands for
    return 0


if __name__ == "__main__":
    api_losing_notices._receive = _as_they_come
    Feed._last_seq = _never
    api_losing_notices.main()
