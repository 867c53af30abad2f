"""An agents process that loses each command to see to a waitlist."""

from agents.waitlists import Waitlists
from tests.tools.nemesis import agents


async def _lose(_: Waitlists, __: str) -> None:
    return None


if __name__ == "__main__":
    Waitlists._tend = _lose
    agents.main()
