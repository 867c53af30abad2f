"""An agents process that loses every third command of a deadline and never sends it again."""

from itertools import count

from agents import deadlines
from agents.deadlines import Deadlines
from hub.records.ports import Deadline
from tests.tools.nemesis import agents

_send_one = Deadlines._send_one
_turn = count()


async def _send_some(self: Deadlines, deadline: Deadline) -> None:
    if next(_turn) % 3:
        await _send_one(self, deadline)


if __name__ == "__main__":
    deadlines.READ_INTERVAL = 3600.0
    deadlines.WINDOW = 7200.0
    Deadlines._send_one = _send_some
    agents.main()
