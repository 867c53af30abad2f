"""An agents process that creates no unique index."""

from tests.tools.nemesis import agents
from tests.tools.nemesis.plants import without_indexes

if __name__ == "__main__":
    without_indexes.apply()
    agents.main()
