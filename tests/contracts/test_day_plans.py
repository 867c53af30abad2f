"""Plans of requests that change a day."""

import asyncio
from datetime import timedelta

from hub.records.ports import Records
from hub.scheduling.day_change import DayPlan, PlannedChange
from tests.contracts.histories import NINE

MOVE = PlannedChange(appointment_id="a1", patient_id="carl", start=NINE, to=NINE + timedelta(days=1))
CANCEL = PlannedChange(appointment_id="a2", patient_id="dora", start=NINE)


async def test_of_several_plans_with_one_id_the_first_one_counts(records: Records) -> None:
    plans = [DayPlan.of("p", f"plan {number}", [MOVE, CANCEL], NINE) for number in range(8)]
    kept = await asyncio.gather(*(records.day_plans.keep(plan) for plan in plans))
    assert kept[0] in plans
    assert all(each == kept[0] for each in kept)
    assert await records.day_plans.by_id("p") == kept[0]
    assert await records.day_plans.by_id("q") is None
    assert await records.day_plans.keep(DayPlan.of("q", "nothing", [], NINE)) == DayPlan.of("q", "nothing", [], NINE)
