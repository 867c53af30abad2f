"""An agents process that gives no place to any appointment, so that patients may have any number of them."""

from agents.actor import actors
from tests.tools.nemesis import agents

if __name__ == "__main__":
    actors.guessed_place = lambda *_: None  # type: ignore[attr-defined]  # where the actors look it up
    agents.main()
