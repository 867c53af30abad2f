"""An api process that creates no unique index."""

from tests.tools.nemesis import api
from tests.tools.nemesis.plants import without_indexes

if __name__ == "__main__":
    without_indexes.apply()
    api.main()
