"""An agents process that never sends the command that ends an offer."""

from agents.deadlines import Deadlines
from hub.records.ports import Deadline
from tests.tools.nemesis import agents

_send_one = Deadlines._send_one


async def _send_others(self: Deadlines, deadline: Deadline) -> None:
    if deadline.kind != "offer":
        await _send_one(self, deadline)


if __name__ == "__main__":
    Deadlines._send_one = _send_others
    agents.main()
