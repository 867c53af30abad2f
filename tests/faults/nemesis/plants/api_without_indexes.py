"""An api process that makes no unique index."""

from tests.faults.nemesis import api
from tests.faults.nemesis.plants import without_indexes

if __name__ == "__main__":
    without_indexes.apply()
    api.main()
