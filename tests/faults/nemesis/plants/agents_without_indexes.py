"""An agents process that makes no unique index."""

from tests.faults.nemesis import agents
from tests.faults.nemesis.plants import without_indexes

if __name__ == "__main__":
    without_indexes.apply()
    agents.main()
