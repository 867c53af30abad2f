"""Creates every index of the appointments without uniqueness, so that the fences are missing."""

from hub.records.indexes import INDEXES


def apply() -> None:
    for index in INDEXES["appointments"]:
        index.document.pop("unique", None)
