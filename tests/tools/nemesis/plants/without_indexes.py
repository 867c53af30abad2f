"""Makes every index of the appointments an ordinary one: nothing is kept apart any more."""

from hub.records.indexes import INDEXES


def apply() -> None:
    for index in INDEXES["appointments"]:
        index.document.pop("unique", None)
