"""An api process that leaves out every third appointment of a day that is moved or cancelled."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hub.scheduling.day_change import DayPlan, PlannedChange
from tests.tools.nemesis import api

_of: Any = DayPlan.of.__func__  # type: ignore[attr-defined]  # the function of the class method


def _skipping(cls: type[DayPlan], id_: str, content: str, changes: Iterable[PlannedChange], now: datetime) -> DayPlan:
    kept = [change for number, change in enumerate(changes) if number % 3 != 0]
    plan: DayPlan = _of(cls, id_, content, kept, now)
    return plan


if __name__ == "__main__":
    DayPlan.of = classmethod(_skipping)  # type: ignore[assignment,method-assign]
    api.main()
