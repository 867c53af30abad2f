"""An api process that creates no unique index for offers."""

from tests.tools.nemesis import api
from tests.tools.nemesis.plants import without_offer_fences

if __name__ == "__main__":
    without_offer_fences.apply()
    api.main()
