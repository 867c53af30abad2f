"""Creates the two indexes that only offers need without uniqueness."""

from hub.records.indexes import INDEXES
from hub.records.ports import Fence

_OF_OFFERS = {"held_slot", Fence.OPEN_OFFER.value}


def apply() -> None:
    for index in INDEXES["appointments"]:
        if index.document["name"] in _OF_OFFERS:
            index.document.pop("unique", None)
