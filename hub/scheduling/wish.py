"""When a patient who waits could come: days, weekdays and times, all by the doctor's clock."""

from datetime import date, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from hub.scheduling.schedule import MinuteOfDay
from hub.scheduling.values import HORIZON, Value

LONGEST_WISH = HORIZON
"""The longest time from the first day of a wish to its last."""

LocalDate = Annotated[
    date,
    PlainSerializer(date.isoformat, return_type=str),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-11-30"]}),
]
"""A calendar day of the doctor. It is stored as text, because MongoDB has no type for a day."""


class Between(Value):
    """A part of the day, in minutes after midnight: a start is at `opens` or later, and before `closes`."""

    opens: MinuteOfDay
    closes: MinuteOfDay

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.closes <= self.opens:
            raise PydanticCustomError("order", "between closes after it opens")
        return self


def _sorted_days(weekdays: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(weekdays)))


Weekdays = Annotated[
    tuple[Annotated[int, Field(ge=0, le=6)], ...], Field(min_length=1, max_length=7), AfterValidator(_sorted_days)
]
"""Weekdays, 0 is Monday."""


class Wish(Value):
    """From the day `from` to the day `to`, both included; on these weekdays and at these times if they are given."""

    first_day: LocalDate = Field(alias="from")
    last_day: LocalDate = Field(alias="to")
    weekdays: Weekdays | None = None
    between: Between | None = None

    @model_validator(mode="after")
    def _check_days(self) -> Self:
        if self.last_day < self.first_day:
            raise PydanticCustomError("order", "to is not before from")
        if self.last_day - self.first_day > LONGEST_WISH:
            raise PydanticCustomError("too_long", "from and to are at most a year apart")
        return self

    def fits(self, local: datetime) -> bool:
        """Return whether a start suits the patient; `local` is the start by the doctor's clock."""
        if not self.first_day <= local.date() <= self.last_day:
            return False
        if self.weekdays is not None and local.weekday() not in self.weekdays:
            return False
        if self.between is None:
            return True
        return self.between.opens <= local.hour * 60 + local.minute < self.between.closes
