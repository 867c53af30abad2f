"""An agents process that offers a free slot to the last of those whom it suits."""

from collections.abc import Sequence

from hub.scheduling import line
from hub.scheduling.line import Line
from hub.scheduling.waitlist_entry import WaitlistEntry
from tests.tools.nemesis import agents

_in_order = line._without_open_offers


def _last_first(doctors: Line) -> Sequence[WaitlistEntry]:
    return list(reversed(_in_order(doctors)))


if __name__ == "__main__":
    vars(line)["_without_open_offers"] = _last_first
    agents.main()
